"""snnc: trained networks become spiking networks for Loihi, equal spike by spike."""

from snnc.api import compare, compile, errors, load, run, sweep
from snnc.compiler.codes import SweepGrid
from snnc.compiler.errors import SnncError
from snnc.runtime.data import Data

__version__ = "0.1.0"
__all__ = [
    "Data",
    "SnncError",
    "SweepGrid",
    "__version__",
    "compare",
    "compile",
    "errors",
    "load",
    "run",
    "sweep",
]
