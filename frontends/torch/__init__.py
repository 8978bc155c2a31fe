"""Training for conversion: everything here needs PyTorch (the extra `train`)."""
