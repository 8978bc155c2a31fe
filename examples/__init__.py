"""Whole ways from data to spikes, each small enough to run at a desk."""
