"""The Lava simulator; importing this package does not import Lava."""
