"""QONNX, as Brevitas exports it: the text of its operators says what they mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Firing
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Conv, Floats, Staircase
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model

Build = Callable[[Graph], object]
IMAGE, PLANE, FLAT = (2, 8, 8), (4, 7, 6), (12,)
QONNX = "qonnx.custom_op.general"


def model_of(graph: Graph) -> onnx.ModelProto:
    model = graph.model()
    model.opset_import.append(helper.make_opsetid(QONNX, 2))
    return model


def as_network(graph: Graph) -> Network:
    return read_model(Model(model_of(graph), "", ()))


def values(network: Network, x: Floats) -> Floats:
    return evaluate(network, x)[network.output.name]


ROUNDINGS: dict[str, Callable[[Floats], Floats]] = {
    "ROUND": np.round,
    "CEIL": np.ceil,
    "floor": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(abs(x)),
    "DOWN": np.fix,
    "HALF_UP": lambda x: np.sign(x) * np.floor(abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(abs(x) - 0.5),
}


def int_quant(x: Floats, scale: Any, zero: Any, bits: int, **modes: Any) -> Floats:
    """The law of Quant, as QONNX writes it."""
    signed, narrow = modes["signed"], modes["narrow"]
    least = -(2 ** (bits - 1)) + narrow if signed else 0
    most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    if signed and bits == 1:
        return (np.where(x / scale + zero >= 0, 1, -1) - zero) * scale
    levels = ROUNDINGS[modes["rounding_mode"]](np.clip(x / scale + zero, least, most))
    return (levels - zero) * scale


def quant(graph: Graph, source: str, *constants: Any, kind: str = "Quant", **modes: Any) -> str:
    read = map(graph.constant, (np.float32(each) for each in constants))
    return graph.node(kind, source, *read, domain=QONNX, **modes)


SCALES = np.arange(1, 5).reshape(4, 1, 1) / 9
CASES = [
    (scale, zero, bits, {"signed": signed, "narrow": narrow, "rounding_mode": mode})
    for scale, zero, bits, signed, narrow, mode in [
        (0.25, 0.0, 4, 1, 0, "ROUND"),
        (0.25, 0.0, 4, 1, 1, "HALF_UP"),
        (0.25, 2.0, 3, 0, 0, "HALF_DOWN"),
        (SCALES, 0.0, 2, 0, 1, "floor"),
        (0.3, 0.5, 5, 1, 0, "CEIL"),
        (0.25, 1.0, 4, 0, 0, "UP"),
        (0.25, 0.0, 4, 0, 0, "DOWN"),
        (SCALES, 0.0, 1, 1, 0, "ROUND"),
        (0.5, 0.0, 1, 0, 0, "ROUND"),
    ]
]


@pytest.mark.parametrize(("scale", "zero", "bits", "modes"), CASES)
def test_quant_means_what_qonnx_says(scale: Any, zero: float, bits: int, modes: Any) -> None:
    graph = Graph("batch", *PLANE)
    quant(graph, "x", scale, zero, bits, **modes)
    x = graph.rng.normal(size=(3, *PLANE))
    network = as_network(graph)
    expected = int_quant(x, np.float32(scale), zero, bits, **modes)
    np.testing.assert_allclose(values(network, x), expected, atol=1e-6)
    recognized = recognize_staircases(network)
    (staircase,) = (n.operator for n in recognized if isinstance(n.operator, Staircase))
    assert staircase.levels == 2**bits - 1 - modes["narrow"]
    np.testing.assert_allclose(values(recognized, x), expected, atol=1e-6)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize(("bits", "signed"), [(3, 1), (3, 0), (1, 1)])
def test_quant_of_weights_is_a_constant_in_every_mode(mode: str, bits: int, signed: int) -> None:
    graph = Graph("batch", *PLANE)
    weights = graph.rng.integers(-9, 9, size=(4, 4, 3, 3)) / 4  # with many ties
    constants = SCALES[:, None] * 4.5, 0.0, bits
    modes = {"signed": signed, "narrow": 0, "rounding_mode": mode}
    graph.node("Conv", "x", quant(graph, graph.constant(weights), *constants, **modes))
    found = as_network(graph).output.operator
    assert isinstance(found, Conv)
    np.testing.assert_allclose(found.weights, int_quant(weights, *constants, **modes), atol=1e-6)


def test_bipolar_weights_and_activations() -> None:
    graph = Graph("batch", *FLAT)
    drawn = graph.rng.normal(size=(12, 5))
    weights = quant(graph, graph.constant(drawn), 0.5, kind="BipolarQuant")
    graph.node("MatMul", "x", weights)
    quant(graph, graph.last, 2.0, kind="BipolarQuant")
    network = recognize_staircases(as_network(graph))
    x = graph.rng.normal(size=(9, 12))
    signs = np.where(drawn >= 0, 0.5, -0.5)
    np.testing.assert_array_equal(values(network, x), np.where(x @ signs >= 0, 2.0, -2.0))


def test_trunc_cuts_the_last_bits_of_whole_numbers() -> None:
    graph = Graph("batch", *FLAT)
    modes = {"signed": 1, "narrow": 0}
    quant(graph, "x", 0.5, 0.0, 8, 2.0, 4, kind="Trunc", rounding_mode="FLOOR", **modes)
    network = recognize_staircases(as_network(graph))
    x = graph.rng.normal(size=(50, 12)) * 9
    expected = 2.0 * np.clip(np.floor(np.round(x / 0.5) / 4), -8, 7)
    np.testing.assert_allclose(values(network, x), expected)


def test_a_network_of_brevitas_compiles(tmp_path: Path) -> None:
    graph = Graph("batch", *IMAGE)
    modes = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
    weights = quant(graph, graph.constant(graph.rng.normal(size=(4, 2, 3, 3))), 0.02, 0, 8, **modes)
    graph.node("Conv", "x", weights)
    graph.node("Relu")
    quant(graph, graph.last, 0.3, 0, 4, signed=0, narrow=0)
    graph.node("Flatten")
    graph.dense(3, 144)
    onnx.save(model_of(graph), tmp_path / "net.onnx")
    compiled = snnc.compile(tmp_path / "net.onnx").network
    assert [p.neuron.turn for p in compiled if isinstance(p.neuron, Firing)] == [4]


EVEN_STEPS = "use a mode whose steps are all of one width"
SIGNED = {"signed": 1, "name": "q"}
REFUSED: dict[str, tuple[Build, str, str]] = {
    "toward zero": (
        lambda g: quant(g, "x", 0.1, 0, 4, rounding_mode="DOWN", **SIGNED),
        "q: Quant has rounding_mode 'DOWN'; allowed: ROUND, HALF_EVEN, HALF_UP, HALF_DOWN, FLOOR, "
        "CEIL",
        EVEN_STEPS,
    ),
    "half a bit": (
        lambda g: quant(g, "x", 0.1, 0, 2.5, **SIGNED),
        "q: Quant has bit widths 2.5; allowed: one whole number, 1 to 32",
        "give all channels as many bits",
    ),
    "no scale": (
        lambda g: quant(g, "x", 0.0, 0, 4, **SIGNED),
        "q: Quant has a scale of 0; allowed: above 0",
        "calibrate it again, with data that differ",
    ),
    "no bounds": (
        lambda g: quant(g, "x", 0.1, 0, 8, 4, kind="Trunc", name="q"),
        "q: Trunc has no bounds, being of version 1 of QONNX",
        "export it with a Brevitas that writes version 2 of QONNX",
    ),
    "uneven": (
        lambda g: quant(g, "x", 0.1, 0, 8, 0.4, 4, kind="Trunc", rounding_mode="ROUND", **SIGNED),
        "q: Trunc has rounding_mode 'ROUND'; allowed: FLOOR",
        EVEN_STEPS,
    ),
    "small floats": (
        lambda g: quant(g, "x", 0.1, 4, 3, 7, 480, kind="FloatQuant", name="q"),
        "q: qonnx.custom_op.general.FloatQuant is not supported",
        "quantise to whole numbers: floats of few bits have steps of many sizes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_staircase_is_refused_by_its_name(name: str) -> None:
    build, what, mend = REFUSED[name]
    graph = Graph("batch", *PLANE)
    build(graph)
    with pytest.raises(SnncError) as caught:
        as_network(graph)
    assert str(caught.value) == f"{what}\n  help: {mend}"
