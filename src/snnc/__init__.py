"""snnc: trained networks become spiking networks for Loihi, equal spike by spike.

Names are imported when they are first used, so that the program answers from its first moment.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from snnc.api import (
        compare,
        compile,
        cost,
        errors,
        export,
        load,
        map,
        programs,
        report,
        run,
        sweep,
    )
    from snnc.compiler.codes import SweepGrid
    from snnc.compiler.errors import SnncError
    from snnc.runtime.data import Data
    from snnc.runtime.lava_models import fast_lava_models

__version__ = "0.1.0"
__all__ = [
    "Data",
    "SnncError",
    "SweepGrid",
    "__version__",
    "compare",
    "compile",
    "cost",
    "errors",
    "export",
    "fast_lava_models",
    "load",
    "map",
    "programs",
    "report",
    "run",
    "sweep",
]
PLACES = {
    "Data": "snnc.runtime.data",
    "SnncError": "snnc.compiler.errors",
    "SweepGrid": "snnc.compiler.codes",
    "fast_lava_models": "snnc.runtime.lava_models",
    **dict.fromkeys(
        ("compare", "compile", "cost", "errors", "export", "load", "map", "programs"), "snnc.api"
    ),
    **dict.fromkeys(("report", "run", "sweep"), "snnc.api"),
}


def __getattr__(name: str) -> "Any":  # noqa: ANN401
    """Find a name where it lives.

    Raises:
        AttributeError: for a name that is none.
    """
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
