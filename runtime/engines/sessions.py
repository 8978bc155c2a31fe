"""ONNX Runtime sessions on the CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from snnc.compiler.errors import SnncError, failure, first_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


SILENT = 4
"""Of what ONNX Runtime says on stderr, nothing: its errors are raised besides."""

_shared = 0


def share_cores(threads: int) -> None:
    """Take no more threads than these from now on, for other processes use the other cores."""
    global _shared
    _shared = threads


def cores() -> int:
    """The cores of this machine that this process may use."""
    if _shared:
        return _shared
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """What ONNX Runtime raises in the block, under the name of what it runs.

    Raises:
        EngineError: for whatever fails.
    """
    try:
        yield
    except SnncError:
        raise
    except Exception as error:
        raise failure(name, f"ONNX Runtime failed: {first_line(error)}") from error


def open_session(
    model: bytes, *, threads: int = 0, spins: bool = True, optimises: bool = True
) -> InferenceSession:
    """Open a session.

    Args:
        model: a serialised model.
        threads: 0 for all cores that this process may use. With 1 the session stays on the calling
            thread: no pool, which would not survive a fork.
        spins: whether idle threads wait busily, which steals time from other engines.
        optimises: whether the graph may be rewritten; fused kernels of quantised models round
            otherwise than the model says.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    onnxruntime.set_default_logger_severity(SILENT)
    options.log_severity_level = SILENT
    options.intra_op_num_threads = threads = threads or _shared
    if threads == 1:
        options.inter_op_num_threads = 1
    if not spins:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimises:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
