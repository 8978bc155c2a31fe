"""Chains of linear operators as one: what makes a projection of them."""
