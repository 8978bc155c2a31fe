"""Passes: each a function from a network to a network."""
