"""The classes of cases: a row each, the name and the function of a seed and a folder."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType

import snnc
from tests.fuzz import (
    case_commands,
    case_disk,
    case_h5,
    case_npz,
    case_onnx,
    case_signals,
    random_networks,
)
from tests.fuzz.campaign import CaseClass

FOREIGN = ("lava", "lava_models", "slayer", "torch", "__main__")
"""What is not imported for all: it is large, and few cases need it."""
COMMAND = {"seconds": 180, "room": 64 << 30}
"""Commands have limits of their own."""
CLASSES: Mapping[str, CaseClass] = MappingProxyType(
    {
        "onnx": CaseClass(case_onnx.case, share=20),
        "zoo": CaseClass(case_onnx.case_of_the_zoo, share=10),
        "h5": CaseClass(case_h5.case, share=20),
        "npz": CaseClass(case_npz.case, share=10),
        "networks": CaseClass(random_networks.case, share=15),
        "commands": CaseClass(case_commands.case, share=15, **COMMAND),
        "disk": CaseClass(case_disk.case, share=5, **COMMAND),
        "signals": CaseClass(case_signals.case, share=20, **COMMAND),
    }
)


def prepare() -> None:
    """Have in memory what the processes of the cases share."""
    _import_all(snnc)
    logging.disable(logging.WARNING)
    for each in (case_onnx, case_h5, case_npz, case_commands):
        each.prepare()
    logging.disable(logging.NOTSET)
    gc.freeze()  # a child that collects what it shares would copy it


def _import_all(package: ModuleType) -> None:
    """Import what cases would otherwise import one by one."""
    for each in iter_modules(package.__path__, f"{package.__name__}."):
        if each.name.rpartition(".")[2] not in FOREIGN:
            module = import_module(each.name)
            if each.ispkg:
                _import_all(module)
