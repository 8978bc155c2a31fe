"""The characters 0-9, A-Z and a-z in the fonts of matplotlib, 32×32 pixels: nothing to download."""
