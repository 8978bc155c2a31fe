"""snnc: trained networks become spiking networks for Loihi, equal spike by spike."""

from snnc.api import compare, compile, load, run

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "compile", "load", "run"]
