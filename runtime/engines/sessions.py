"""ONNX Runtime sessions on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(
    model: bytes, *, threads: int = 0, spins: bool = True, optimises: bool = True
) -> InferenceSession:
    """Open a session.

    Args:
        model: a serialised model.
        threads: 0 for all cores. With 1 the session stays on the calling thread: no pool, which
            would not survive a fork.
        spins: whether idle threads wait busily, which steals time from other engines.
        optimises: whether the graph may be rewritten; fused kernels of quantised models round
            otherwise than the model says.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    if threads == 1:
        options.inter_op_num_threads = 1
    if not spins:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimises:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
