"""The tests; a package, so that `python -m tests.fuzz` finds no other of that name."""
