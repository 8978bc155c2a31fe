"""Runs compiled networks and compares them; it reads the file, never the compiler's objects."""
