from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import helper
from support.onnx_models import Graph, run_onnx

from snnc.compiler.errors import SnncError
from snnc.compiler.network import evaluate
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model

Build = Callable[[Graph], object]
PLANE, ROW, FLAT = (4, 7, 6), (4, 9), (12,)
EVEN = {"kernel_shape": [2, 2], "strides": [2, 2]}


def parted(graph: Graph, sizes: list[int], axis: int) -> None:
    """Both parts in another order."""
    graph.constant(np.array(sizes), "sizes")
    node = helper.make_node("Split", ["x", "sizes"], ["first", "second"], axis=axis)
    graph.nodes.append(node)
    if axis == 1:
        graph.node("Concat", "second", "first", axis=axis)
    else:
        graph.last = "second"


def as_integers(graph: Graph, divisor: int) -> None:
    """Counted in whole numbers, and divided as these are."""
    graph.node("Cast", to=6)
    graph.with_constants("Div", np.array(divisor, np.int32))
    graph.node("Cast", to=1)


def turned(graph: Graph, out: int, kernel: list[int], **attributes: Any) -> None:
    """A transposed convolution."""
    width = out // attributes.get("group", 1)
    weights = graph.rng.normal(size=(4, width, *kernel))
    graph.with_constants("ConvTranspose", weights, graph.rng.normal(size=out), **attributes)


READ: dict[str, tuple[tuple[int, ...], Build]] = {
    "conv": (PLANE, lambda g: g.conv(3, 4, 3, 3, pads=[1, 0, 2, 1], strides=[2, 1])),
    "conv groups": (PLANE, lambda g: g.conv(8, 2, 3, 3, group=2, dilations=[2, 1])),
    "conv depthwise": (PLANE, lambda g: g.conv(8, 1, 3, 3, group=4)),
    "conv same upper": (PLANE, lambda g: g.conv(3, 4, 4, 3, auto_pad="SAME_UPPER", strides=[2, 2])),
    "conv same lower": (PLANE, lambda g: g.conv(3, 4, 4, 3, auto_pad="SAME_LOWER", strides=[2, 1])),
    "conv valid": (PLANE, lambda g: g.conv(3, 4, 3, 3, auto_pad="VALID")),
    "conv without bias": (PLANE, lambda g: g.with_constants("Conv", np.ones((2, 4, 2, 2)))),
    "conv 1-D": (ROW, lambda g: g.conv(3, 4, 3, pads=[2, 0], strides=[2], dilations=[2])),
    "gemm": (
        FLAT,
        lambda g: g.with_constants("Gemm", np.eye(12)[:, :5], np.ones(5), alpha=0.5, beta=2.0),
    ),
    "gemm transposed": (FLAT, lambda g: g.dense(5, 12)),
    "matmul": (FLAT, lambda g: g.with_constants("MatMul", np.arange(36.0).reshape(12, 3))),
    "add scalar": (PLANE, lambda g: g.with_constants("Add", 1.5)),
    "add a channel": (PLANE, lambda g: g.with_constants("Add", np.arange(4.0).reshape(4, 1, 1))),
    "add a map": (PLANE, lambda g: g.with_constants("Add", np.arange(42.0).reshape(1, 1, 7, 6))),
    "sub": (FLAT, lambda g: g.with_constants("Sub", np.arange(12.0))),
    "sub from": (FLAT, lambda g: g.node("Sub", g.constant(2.0), "x")),
    "mul": (FLAT, lambda g: g.node("Mul", g.constant(-2.0), "x")),
    "div": (FLAT, lambda g: g.with_constants("Div", np.arange(1.0, 13.0))),
    "neg": (FLAT, lambda g: g.node("Neg")),
    "add itself": (FLAT, lambda g: g.node("Add", "x", "x")),
    "sub itself": (FLAT, lambda g: g.node("Sub", g.with_constants("Mul", 3.0), "x")),
    "batch norm": (PLANE, lambda g: g.batch_norm(4)),
    "average pool": (PLANE, lambda g: g.node("AveragePool", kernel_shape=[3, 2], strides=[2, 1])),
    "average pool pads": (PLANE, lambda g: g.node("AveragePool", pads=[1, 1, 0, 1], **EVEN)),
    "average pool counts": (
        PLANE,
        lambda g: g.node("AveragePool", pads=[1, 1, 0, 1], count_include_pad=1, **EVEN),
    ),
    "average pool 1-D": (ROW, lambda g: g.node("AveragePool", kernel_shape=[3])),
    "global average pool": (PLANE, lambda g: g.node("GlobalAveragePool")),
    "reduce mean": (PLANE, lambda g: g.node("ReduceMean", axes=[2, 3], keepdims=0)),
    "reduce mean negative": (PLANE, lambda g: g.node("ReduceMean", axes=[-1, -2])),
    "flatten": (PLANE, lambda g: g.node("Flatten", axis=1)),
    "reshape": (PLANE, lambda g: g.with_constants("Reshape", np.array([0, -1]))),
    "reshape first": (PLANE, lambda g: g.with_constants("Reshape", np.array([-1, 168]))),
    "squeeze": ((4, 1, 1), lambda g: g.with_constants("Squeeze", np.array([2, 3]))),
    "unsqueeze": (FLAT, lambda g: g.with_constants("Unsqueeze", np.array([2, -1]))),
    "transpose": ((4, 1, 1), lambda g: g.node("Transpose", perm=[0, 2, 3, 1])),
    "pad": (PLANE, lambda g: g.with_constants("Pad", np.array([0, 0, 1, 2, 0, 0, 3, 0]), 0.5)),
    "crop": (PLANE, lambda g: g.with_constants("Pad", np.array([0, 0, -1, 2, 0, 0, -3, 0]))),
    "pad channels": (PLANE, lambda g: g.with_constants("Pad", np.array([0, 1, 0, 2, 0, 3, 1, 0]))),
    "crop channels": (
        PLANE,
        lambda g: g.with_constants("Pad", np.array([0, -1, 0, 0, 0, 2, 0, 0])),
    ),
    "pad features": (FLAT, lambda g: g.with_constants("Pad", np.array([0, 2, 0, 1]))),
    "slice": (
        PLANE,
        lambda g: g.with_constants("Slice", *map(np.array, ([1, 0], [6, -1], [2, 3], [2, 3]))),
    ),
    "slice channels": (
        PLANE,
        lambda g: g.with_constants("Slice", *map(np.array, ([-1], [-9], [1], [-1]))),
    ),
    "slice features": (FLAT, lambda g: g.with_constants("Slice", *map(np.array, ([3], [9], [1])))),
    "split": (PLANE, lambda g: parted(g, [1, 3], axis=1)),
    "split space": (PLANE, lambda g: parted(g, [5, 2], axis=2)),
    "gather channels": (
        PLANE,
        lambda g: g.with_constants("Gather", np.array([2, -4, 2]), axis=1),
    ),
    "gather a row": (PLANE, lambda g: g.with_constants("Gather", np.array(3), axis=2)),
    "gather a channel": (PLANE, lambda g: g.with_constants("Gather", np.array(3), axis=1)),
    "gather evenly": (ROW, lambda g: g.with_constants("Gather", np.array([1, 4, 7]), axis=2)),
    "depth to space": (PLANE, lambda g: g.node("DepthToSpace", blocksize=2)),
    "depth to space CRD": (PLANE, lambda g: g.node("DepthToSpace", blocksize=2, mode="CRD")),
    "space to depth": ((3, 4, 6), lambda g: g.node("SpaceToDepth", blocksize=2)),
    "tile": (PLANE, lambda g: g.with_constants("Tile", np.array([1, 2, 1, 3]))),
    "conv transpose": (PLANE, lambda g: turned(g, 3, [3, 2])),
    "conv transpose strides": (
        PLANE,
        lambda g: turned(g, 3, [3, 2], strides=[2, 3], pads=[1, 0, 2, 1]),
    ),
    "conv transpose more": (
        PLANE,
        lambda g: turned(g, 3, [3, 3], strides=[2, 2], output_padding=[1, 0]),
    ),
    "conv transpose groups": (
        PLANE,
        lambda g: turned(g, 6, [3, 3], group=2, dilations=[2, 1], strides=[1, 2]),
    ),
    "conv transpose same": (
        PLANE,
        lambda g: turned(g, 3, [4, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    ),
    "conv transpose lower": (
        PLANE,
        lambda g: turned(g, 3, [4, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
    ),
    "conv transpose to a shape": (
        PLANE,
        lambda g: turned(g, 3, [3, 3], strides=[2, 2], output_shape=[14, 11]),
    ),
    "conv transpose 1-D": (ROW, lambda g: turned(g, 3, [3], strides=[2])),
    "identity": (FLAT, lambda g: g.node("Identity", g.node("Neg"))),
    "dropout": (FLAT, lambda g: g.node("Dropout")),
    "cast": (FLAT, lambda g: g.node("Cast", to=1)),
    "cast of whole numbers": (
        FLAT,
        lambda g: (
            g.node("Round", g.with_constants("Mul", 4.0)),
            g.with_constants("Clip", -100.0, 127.0),
            g.node("Cast", to=3),
            g.node("Cast", to=6),
            g.with_constants("Add", np.array(3, np.int32)),
            g.node("Cast", to=1),
        ),
    ),
    "cast that rounds down": (
        FLAT,
        lambda g: (g.node("Relu", g.with_constants("Mul", 4.0)), as_integers(g, 2)),
    ),
    "relu": (FLAT, lambda g: g.node("Relu")),
    "clip": (FLAT, lambda g: g.with_constants("Clip", -0.5, 0.5)),
    "clip above": (FLAT, lambda g: g.node("Clip", "x", "", g.constant(0.25))),
    "min": (FLAT, lambda g: g.node("Min", "x", g.constant(0.25))),
    "max": (FLAT, lambda g: g.node("Max", g.constant(-0.25), "x")),
    "floor": (FLAT, lambda g: g.node("Floor", g.with_constants("Mul", 4.0))),
    "round": (FLAT, lambda g: g.node("Round", g.with_constants("Mul", 4.0))),
    "leaky relu": (PLANE, lambda g: g.node("LeakyRelu", alpha=0.2)),
    "prelu": (
        PLANE,
        lambda g: g.with_constants("PRelu", np.array([0.5, -0.2, 0, 2])[:, None, None]),
    ),
    "abs": (FLAT, lambda g: g.node("Abs")),
    "hard sigmoid": (FLAT, lambda g: g.node("HardSigmoid", alpha=0.3, beta=0.4)),
    "hard swish": (FLAT, lambda g: g.node("HardSwish")),
    "thresholded relu": (FLAT, lambda g: g.node("ThresholdedRelu", alpha=0.4)),
    "sigmoid": (FLAT, lambda g: g.node("Sigmoid")),
    "tanh": (FLAT, lambda g: g.node("Tanh")),
    "erf": (FLAT, lambda g: g.node("Erf")),
    "softplus": (FLAT, lambda g: g.node("Softplus")),
    "softsign": (FLAT, lambda g: g.node("Softsign")),
    "elu": (FLAT, lambda g: g.node("Elu", alpha=0.7)),
    "selu": (FLAT, lambda g: g.node("Selu")),
    "celu": (FLAT, lambda g: g.node("Celu", alpha=0.5)),
    "pow": (FLAT, lambda g: g.with_constants("Pow", 3.0)),
    "swish": (FLAT, lambda g: g.node("Mul", "x", g.node("Sigmoid"))),
    "over itself": (FLAT, lambda g: g.node("Div", "x", g.node("Exp"))),
    "one over": (FLAT, lambda g: g.node("Div", g.constant(2.0), g.node("Exp"))),
    "max of two": (FLAT, lambda g: g.node("Max", "x", g.constant(0.0), g.node("Neg"))),
    "min of two": (FLAT, lambda g: g.node("Min", "x", g.constant(0.5), g.node("Neg"))),
    "greater": (
        FLAT,
        lambda g: g.node("Where", g.node("Greater", "x", g.constant(0.1)), "x", g.constant(-1.0)),
    ),
    "less": (
        FLAT,
        lambda g: g.node("Where", g.node("Less", "x", g.constant(0.1)), g.node("Neg", "x"), "x"),
    ),
    "greater or equal": (
        FLAT,
        lambda g: g.node(
            "Where", g.node("GreaterOrEqual", g.constant(0.1), "x"), g.constant(2.0), "x"
        ),
    ),
    "folded constants": (FLAT, lambda g: g.node("Mul", "x", g.node("Sqrt", g.constant(4.0)))),
}


@pytest.mark.parametrize("name", READ)
def test_an_operator_means_what_onnx_runtime_makes_of_it(name: str) -> None:
    shape, build = READ[name]
    graph = Graph("batch", *shape)
    build(graph)
    x = graph.rng.normal(size=(3, *shape)).astype(np.float32)
    network = read_model(Model(graph.model(), "", ()))
    found = evaluate(network, x.astype(np.float64))[network.output.name]
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), rtol=1e-5, atol=1e-5)


RESIZES = [
    ("half_pixel", "round_prefer_floor", (2, 2)),
    ("half_pixel", "round_prefer_ceil", (3, 2)),
    ("asymmetric", "floor", (3, 1)),
    ("asymmetric", "floor", (0.5, 2)),
    ("tf_half_pixel_for_nn", "floor", (2, 2)),
    ("pytorch_half_pixel", "round_prefer_floor", (4, 3)),
]


@pytest.mark.parametrize(("where", "nearest", "scales"), RESIZES)
def test_the_nearest_pixels_are_those_of_onnx_runtime(
    where: str, nearest: str, scales: tuple[float, float]
) -> None:
    graph = Graph("batch", 2, 4, 6)
    factors = graph.constant(np.array([1.0, 1.0, *scales]))
    modes = {"coordinate_transformation_mode": where, "nearest_mode": nearest}
    graph.node("Resize", "x", "", factors, mode="nearest", **modes)
    x = graph.rng.normal(size=(2, 2, 4, 6))
    network = read_model(Model(graph.model(), "", ()))
    found = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-6)


NEWER = {
    "gelu": (20, lambda g: g.node("Gelu")),
    "gelu by tanh": (20, lambda g: g.node("Gelu", approximate="tanh")),
    "mish": (18, lambda g: g.node("Mish")),
}


@pytest.mark.parametrize("name", NEWER)
def test_newer_operator_sets_have_more_activations(name: str) -> None:
    opset, build = NEWER[name]
    graph = Graph("batch", *FLAT)
    build(graph)
    x = 2 * graph.rng.normal(size=(3, *FLAT))
    network = read_model(Model(graph.model(opset), "", ()))
    expected = run_onnx(graph.model(opset), x)
    np.testing.assert_allclose(evaluate(network, x)[network.output.name], expected, atol=1e-6)


def test_older_operator_sets_give_attributes() -> None:
    graph = Graph("batch", 4, 1, 1)
    graph.node("Clip", min=-0.5, max=0.5)
    graph.node("Squeeze", axes=[2, 3])
    x = graph.rng.normal(size=(3, 4, 1, 1))
    network = read_model(Model(graph.model(opset=9), "", ()))
    expected = run_onnx(graph.model(opset=9), x)
    np.testing.assert_allclose(evaluate(network, x)[network.output.name], expected, atol=1e-6)


def test_a_model_of_a_fixed_batch_keeps_its_images_apart() -> None:
    graph = Graph(4, 2, 3, 3)
    graph.with_constants("Reshape", np.array([4, 18]))
    assert read_model(Model(graph.model(), "", ())).output.shape == (18,)


def test_a_size_that_depends_on_the_batch_still_flattens() -> None:
    graph = Graph("batch", 4, 3, 2)
    size = graph.node("Gather", graph.node("Shape"), graph.constant(np.array(0)))
    first = graph.node("Unsqueeze", size, graph.constant(np.array([0])))
    sizes = graph.node("Concat", first, graph.constant(np.array([-1])), axis=0)
    graph.node("Reshape", "x", sizes)
    network = read_model(Model(graph.model(), "", ()))
    assert network.output.shape == (24,)


REFUSED: dict[str, tuple[tuple[int, ...], Build, str]] = {
    "a gate for each channel": (
        PLANE,
        lambda g: g.node("Mul", "x", g.node("GlobalAveragePool"), name="gate"),
        "gate: Mul multiplies two activations",
    ),
    "attention": (
        FLAT,
        lambda g: g.node("MatMul", "x", "x", name="qk"),
        "qk: MatMul multiplies two activations",
    ),
    "divisor": (
        PLANE,
        lambda g: g.node("Div", "x", g.node("GlobalAveragePool"), name="norm"),
        "norm: Div divides by an activation",
    ),
    "exponent": (
        FLAT,
        lambda g: g.with_constants("Pow", 2.5, name="p"),
        "p: Pow has exponent 2.5; allowed: a whole number of 1 to 8",
    ),
    "alpha": (
        FLAT,
        lambda g: g.node("Celu", alpha=0.0, name="c"),
        "c: Celu has alpha 0; allowed: others",
    ),
    "greatest of two shapes": (
        PLANE,
        lambda g: g.node("Max", "x", g.node("GlobalAveragePool"), name="m"),
        "m: Max broadcasts tensors of shapes (4, 7, 6), (4, 1, 1)",
    ),
    "zero": (
        FLAT,
        lambda g: g.with_constants("Div", 0.0, name="d"),
        "d: Div divides by a constant that is 0",
    ),
    "training": (
        PLANE,
        lambda g: g.with_constants(
            "BatchNormalization", *np.ones((4, 4)), name="bn", training_mode=1
        ),
        "bn: BatchNormalization is in training mode",
    ),
    "reflection": (
        PLANE,
        lambda g: g.with_constants("Pad", np.ones(8, int), name="p", mode="reflect"),
        "p: Pad has mode 'reflect'; allowed: constant",
    ),
    "channels": (
        PLANE,
        lambda g: g.conv(2, 3, 1, 1, name="c"),
        "c: Conv reads 3 channels, and its source has 4",
    ),
    "features": (
        FLAT,
        lambda g: g.dense(2, 11, name="fc"),
        "fc: Gemm reads 11 features, and its source has 12",
    ),
    "not flat": (
        PLANE,
        lambda g: g.with_constants("MatMul", np.eye(6), name="m"),
        "m: MatMul reads samples of shape (4, 7, 6); allowed: flat",
    ),
    "window": (
        PLANE,
        lambda g: g.conv(2, 4, 9, 9, name="c"),
        "c: Conv has a window larger than its source (4, 7, 6)",
    ),
    "ceil mode": (
        PLANE,
        lambda g: g.node("AveragePool", ceil_mode=1, name="p", **EVEN),
        "p: AveragePool rounds its size up and so reads windows that are cut off",
    ),
    "order": (
        PLANE,
        lambda g: g.node("Transpose", perm=[1, 0, 2, 3], name="t"),
        "t: Transpose has perm [1, 0, 2, 3], which moves the batch",
    ),
    "mixed pixels": (
        PLANE,
        lambda g: g.node("Resize", "x", "", g.constant(np.full(4, 1.5)), name="r"),
        "r: Resize makes 6 of 4 pixels",
    ),
    "uneven pixels": (
        PLANE,
        lambda g: g.with_constants("Gather", np.array([0, 1, 3]), axis=2, name="g"),
        "g: Gather takes pixels in another order, or unevenly",
    ),
    "linear pixels": (
        PLANE,
        lambda g: g.node("Resize", "x", "", g.constant(np.ones(4)), name="r", mode="linear"),
        "r: Resize has mode 'linear'; allowed: nearest",
    ),
    "channels of 1": (
        PLANE,
        lambda g: g.with_constants("Pad", np.array([0, 1, 0, 0, 0, 0, 0, 0]), 1.0, name="p"),
        "p: Pad adds channels of 1; allowed: of 0",
    ),
    "parts": (
        PLANE,
        lambda g: g.node("Split", "x", g.constant(np.array([3])), axis=1, name="s"),
        "s: Split makes 1 parts of sizes [3] of 4; allowed: parts that are the whole",
    ),
    "batch": (
        PLANE,
        lambda g: g.with_constants("Reshape", np.array([4, -1]), name="r"),
        "r: Reshape to [4, -1] does not keep images of shape (4, 7, 6) apart",
    ),
    "axes": (
        PLANE,
        lambda g: g.node("ReduceMean", axes=[1], name="m"),
        "m: ReduceMean is over axes [1]; allowed: all of space, [2, 3]",
    ),
    "integers": (
        FLAT,
        lambda g: g.node("Cast", to=7, name="c"),
        "c: Cast to INT64 rounds toward 0",
    ),
    "wrapping": (
        FLAT,
        lambda g: (g.node("Round", g.node("Relu")), g.node("Cast", to=3, name="c")),
        "c: Cast to INT8 of numbers from 0 to inf, which wrap there",
    ),
    "whole division": (
        FLAT,
        lambda g: (
            g.node("Cast", g.node("Round"), to=6),
            g.with_constants("Div", np.array(2, np.int32), name="d"),
        ),
        "d: Div of whole numbers rounds toward 0",
    ),
    "not a number": (
        FLAT,
        lambda g: g.with_constants("Gemm", np.full((12, 2), np.nan), name="fc"),
        "fc: Gemm has 24 of 24 weights that are NaN or infinite; allowed: none",
    ),
    "infinite": (
        FLAT,
        lambda g: g.with_constants("Add", np.inf, name="a"),
        "a: Add has a constant 'c0' with values that are NaN or infinite",
    ),
    "shape": (
        PLANE,
        lambda g: g.with_constants("Add", np.ones((2, 1, 1, 1)), name="a"),
        "a: Add has a constant of shape (2, 1, 1, 1) for a sample of shape (4, 7, 6)",
    ),
    "endless": (
        FLAT,
        lambda g: g.node(
            "Add", "x", g.node("ConstantOfShape", g.constant(np.array([10**6, 10**6])), name="big")
        ),
        "big: ConstantOfShape makes a constant of 1e+12 elements; allowed: 268435456",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_its_name(name: str) -> None:
    shape, build, message = REFUSED[name]
    graph = Graph("batch", *shape)
    build(graph)
    with pytest.raises(SnncError) as caught:
        read_model(Model(graph.model(), "", ()))
    assert str(caught.value).splitlines()[0] == message
    assert str(caught.value).splitlines()[1].startswith("  help: ")


def test_an_axis_of_older_operator_sets_says_where_a_constant_begins() -> None:
    graph = Graph("batch", 4, 4, 4)
    graph.with_constants("Add", np.arange(4.0), axis=1, broadcast=1)
    graph.node("Reshape", shape=[0, -1])
    network = read_model(Model(graph.model(opset=1), "", ()))
    found = evaluate(network, np.zeros((1, 4, 4, 4)))[network.output.name]
    np.testing.assert_array_equal(found[0], np.repeat(np.arange(4.0), 16))
