"""Handwritten digits, 8×8 pixels of 0 … 16: trained, compiled and spiking in under a minute."""
