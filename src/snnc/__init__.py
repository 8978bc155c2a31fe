"""snnc: trained networks become spiking networks for Loihi, equal spike by spike."""

__version__ = "0.1.0"
