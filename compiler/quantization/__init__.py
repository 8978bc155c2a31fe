"""How floats become integers: what a layer needs, its scale, its grid, its rounding."""
