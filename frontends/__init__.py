"""Readers of what users bring, and the training side."""
