"""What must hold: between two passes of the network IR, and of a spiking network in the end."""
