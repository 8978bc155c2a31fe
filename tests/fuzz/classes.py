"""The classes of cases: a row each, the name and the function of a seed and a folder."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from types import MappingProxyType

from tests.fuzz import case_commands, case_disk, case_h5, case_npz, case_onnx, case_signals
from tests.fuzz.campaign import CaseClass

COMMAND = {"seconds": 180, "room": 64 << 30}
"""Commands have limits of their own."""
CLASSES: Mapping[str, CaseClass] = MappingProxyType(
    {
        "onnx": CaseClass(case_onnx.case, share=30),
        "h5": CaseClass(case_h5.case, share=20),
        "npz": CaseClass(case_npz.case, share=10),
        "commands": CaseClass(case_commands.case, share=15, **COMMAND),
        "disk": CaseClass(case_disk.case, share=5, **COMMAND),
        "signals": CaseClass(case_signals.case, share=20, **COMMAND),
    }
)


def prepare() -> None:
    """Have in memory what the processes of the cases share."""
    for each in (case_onnx, case_h5, case_npz, case_commands):
        each.prepare()
    gc.freeze()  # a child that collects what it shares would copy it
