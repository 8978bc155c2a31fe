"""Writers of what snnc produces."""
