"""Helpers of the tests: random networks, and oracles that share no code with snnc."""
