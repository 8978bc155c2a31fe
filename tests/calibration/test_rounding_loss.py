"""What rounding did to each layer, by the names that the model has."""

from pathlib import Path

import numpy as np
from support.onnx_models import Graph

import snnc

LAYER = "net.relay/Conv"
"""A name that a module of PyTorch may well have."""


def shortcut(folder: Path) -> Path:
    """The first activation meets the sums of two layers later."""
    graph = Graph("batch", 2, 8, 8)
    graph.conv(4, 2, 3, 3, name=LAYER, pads=[1] * 4)
    start = graph.qcfs(7)
    graph.conv(4, 4, 3, 3, name="second", pads=[1] * 4)
    graph.qcfs(7)
    graph.conv(4, 4, 3, 3, name="third", pads=[1] * 4)
    graph.node("Add", graph.last, start, name="sum")
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 256, name="fc")
    return graph.save(folder)


def test_a_layer_is_no_relay_by_its_name(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(size=(20, 2, 8, 8)).astype(np.float32)
    found = snnc.compile(shortcut(tmp_path), calibration=snnc.Data(x))
    assert [each.name for each in found.network if each.is_relay] == [f"{LAYER}.relay1"]
    assert [each.layer for each in found.losses] == [LAYER, "second", "sum", "fc"]


def test_what_calibration_images_tell_is_in_the_file(tmp_path: Path) -> None:
    """Coarse weights change levels, and the remark says how many and how far."""
    x = np.random.default_rng(0).uniform(size=(40, 2, 8, 8)).astype(np.float32)
    found = snnc.compile(shortcut(tmp_path), calibration=snnc.Data(x), weight_bits=3)
    *firing, readout = found.losses
    assert readout.farthest is None
    assert readout.changed is not None
    assert all(each.changed and each.farthest for each in firing)
    worst = max(firing, key=lambda each: each.changed or 0)
    most = max(each.farthest or 0 for each in firing)
    remark = next(r for r in snnc.load(found.path).provenance.remarks if "calibration" in r)
    assert remark == (
        f"on calibration images {100 * (worst.changed or 0):.2g} % of the levels of {worst.layer} "
        f"are not the float network's, fewer in other layers, by {most} at most; "
        f"of the decisions {100 * readout.changed:.2g} % are not"
    )
