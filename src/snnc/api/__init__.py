"""The verbs of the command line, as functions; both do the same.

A verb imports what it needs when it is called, so that `import snnc` stays quick.
"""

from snnc.api.compiling import Compilation, compile, operators, recognize
from snnc.api.deployment import cost, map
from snnc.api.reporting import report
from snnc.api.running import Run, compare, export, load, programs, run
from snnc.api.studies import errors, sweep

__all__ = [
    "Compilation",
    "Run",
    "compare",
    "compile",
    "cost",
    "errors",
    "export",
    "load",
    "map",
    "operators",
    "programs",
    "recognize",
    "report",
    "run",
    "sweep",
]
