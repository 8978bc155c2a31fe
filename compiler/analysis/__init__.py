"""What can be known about a network without changing it."""
