"""Readers of activations: as clips where they are piecewise linear, else as the functions they are.

What a chain of functions of one tensor is as a whole, the compiler finds out
(`snnc.compiler.passes.join_curves`), however an exporter wrote it.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from snnc.compiler.operators import Add, Affine, Clip, Floats, Function, Maximum, Operator, Product
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call, Constant, Tensor, sample_constant

ZERO, ONE, INFINITY = np.array(0.0), np.array(1.0), np.array(np.inf)
HALF = np.array(0.5)
RELU = Clip(ZERO, INFINITY)
NEGATIVE = Affine(-ONE, ZERO)
MOST_FACTORS = 8
"""Of a power; no activation is a polynomial of a higher degree."""
SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
"""ONNX's defaults, float32."""
GELU_CUBE = 0.044715
"""Of the approximation by tanh."""
FUNCTIONS = {
    "Erf": "erf",
    "Exp": "exp",
    "Log": "log",
    "Reciprocal": "reciprocal",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Sqrt": "sqrt",
    "Tanh": "tanh",
}


@reads(*FUNCTIONS, layout="any")
def function(call: Call) -> str:
    """The function of that name."""
    return call.then(Function(FUNCTIONS[call.kind]))


@reads("LeakyRelu", layout="any")
def leaky_relu(call: Call) -> str:
    """Relu(x) − alpha·relu(−x)."""
    return _leaky(call, np.array(call.attributes.number("alpha", 0.01)))


@reads("PRelu", inputs=(2, 2), layout="any")
def prelu(call: Call) -> str:
    """The same, with slopes of its own for each channel."""
    slopes = call.weights(1, "slopes")
    return _leaky(call, sample_constant(call, slopes, call.tensor.shape))


@reads("Abs", layout="any")
def absolute(call: Call) -> str:
    """Relu(x) + relu(−x)."""
    return _leaky(call, -ONE)


@reads("HardSigmoid", layout="any")
def hard_sigmoid(call: Call) -> str:
    """A clip of an affine map."""
    alpha = np.array(call.attributes.number("alpha", 0.2))
    beta = np.array(call.attributes.number("beta", 0.5))
    return call.builder.add(call.name, Clip(ZERO, ONE), _part(call, Affine(alpha, beta)))


@reads("HardSwish", layout="any")
def hard_swish(call: Call) -> str:
    """X times its hard sigmoid, of slope 1/6."""
    return _times_itself(call, Affine(np.array(1 / 6), np.array(0.5)), Clip(ZERO, ONE))


@reads("ThresholdedRelu", layout="any")
def thresholded_relu(call: Call) -> str:
    """X where it is above alpha, else 0."""
    shift = Affine(ONE, np.array(-call.attributes.number("alpha", 1.0)))
    return _times_itself(call, shift, Function("step"))


@reads("Softsign", layout="any")
def softsign(call: Call) -> str:
    """x/(1 + |x|)."""
    turned = _part(call, NEGATIVE)
    size = call.builder.add(_inside(call), Maximum(), call.tensor.node, turned)
    share = _part(call, Affine(ONE, ONE), Function("reciprocal"), source=size)
    return call.builder.add(call.name, Product(), call.tensor.node, share)


@reads("Elu", layout="any")
def elu(call: Call) -> str:
    """X above 0, alpha·(e^x − 1) below."""
    return _exponential(call, call.attributes.number("alpha", 1.0))


@reads("Selu", layout="any")
def selu(call: Call) -> str:
    """Gamma times an Elu."""
    gamma = call.attributes.number("gamma", SELU_GAMMA)
    return _exponential(call, call.attributes.number("alpha", SELU_ALPHA), slope=gamma)


@reads("Celu", layout="any")
def celu(call: Call) -> str:
    """X above 0, alpha·(e^(x/alpha) − 1) below."""
    alpha = call.attributes.number("alpha", 1.0)
    if alpha == 0:
        raise call.refuse("has alpha 0; allowed: others", "use Relu")
    return _exponential(call, alpha, width=alpha)


@reads("Gelu", layout="any")
def gelu(call: Call) -> str:
    """X·Φ(x), with the error function or its approximation by tanh."""
    if call.attributes.text("approximate", "none", ("none", "tanh")) == "none":
        inner = _part(call, Affine(np.array(sqrt(0.5)), ZERO), Function("erf"))
    else:
        cube = call.builder.add(_inside(call), Product(), *(call.tensor.node,) * 3)
        scaled = _part(call, Affine(np.array(GELU_CUBE), ZERO), source=cube)
        sums = call.builder.add(_inside(call), Add(), call.tensor.node, scaled)
        scale = Affine(np.array(sqrt(2 / np.pi)), ZERO)
        inner = _part(call, scale, Function("tanh"), source=sums)
    share = _part(call, Affine(HALF, HALF), source=inner)
    return call.builder.add(call.name, Product(), call.tensor.node, share)


@reads("Mish", layout="any")
def mish(call: Call) -> str:
    """X·tanh(softplus(x))."""
    return _times_itself(call, Function("softplus"), Function("tanh"))


@reads("Swish", layout="any")
def swish(call: Call) -> str:
    """X·sigmoid(alpha·x)."""
    alpha = np.array(call.attributes.number("alpha", 1.0))
    return _times_itself(call, Affine(alpha, ZERO), Function("sigmoid"))


@reads("Pow", inputs=(2, 2), layout="any")
def power(call: Call) -> str:
    """A product of a tensor with itself."""
    exponent = call.weights(1, "exponents")
    count = int(exponent.flat[0]) if exponent.size == 1 else 0
    if not 1 <= count <= MOST_FACTORS or exponent.flat[0] != count:
        what = f"has exponent {exponent.flat[0]:g}" if exponent.size == 1 else "has many exponents"
        what = f"{what}; allowed: a whole number of 1 to {MOST_FACTORS}"
        raise call.refuse(what, "use an activation without it")
    if count == 1:
        return call.tensor.node
    return call.builder.add(call.name, Product(), *(call.tensor.node,) * count)


@reads("Greater", "Less", inputs=(2, 2), layout="any")
def compare(call: Call) -> str:
    """1 where the comparison holds, 0 elsewhere."""
    left, right = call.inputs if call.kind == "Greater" else call.inputs[::-1]
    return call.builder.add(call.name, Function("step"), _difference(call, left, right))


@reads("GreaterOrEqual", "LessOrEqual", inputs=(2, 2), layout="any")
def compare_or_equal(call: Call) -> str:
    """What the other comparison, the other way round, denies."""
    left, right = call.inputs if call.kind == "LessOrEqual" else call.inputs[::-1]
    denied = call.builder.add(_inside(call), Function("step"), _difference(call, left, right))
    return call.builder.add(call.name, Affine(-ONE, ONE), denied)


@reads("Where", inputs=(3, 3), layout="any")
def where(call: Call) -> str:
    """c·a + (1 − c)·b, for a comparison c."""
    condition, *choices = call.inputs
    if not isinstance(condition, Tensor):
        raise call.refuse("has a constant condition", "simplify the model before export")
    denied = call.builder.add(_inside(call), Affine(-ONE, ONE), condition.node)
    parts = [
        _selected(call, weight, each)
        for weight, each in zip((condition.node, denied), choices, strict=True)
    ]
    return call.builder.add(call.name, Add(), *parts)


def _leaky(call: Call, slope: Floats) -> str:
    """Relu(x) − slope·relu(−x): two activations, of which one is silent."""
    above = call.builder.add(f"{call.name}.above", RELU, call.tensor.node)
    if not np.any(slope):
        return above
    turned = call.builder.add(f"{call.name}.turned", NEGATIVE, call.tensor.node)
    below = call.builder.add(f"{call.name}.below", RELU, turned)
    scaled = call.builder.add(f"{call.name}.slope", Affine(-slope, ZERO), below)
    return call.builder.add(call.name, Add(), above, scaled)


def _exponential(call: Call, alpha: float, width: float = 1.0, slope: float = 1.0) -> str:
    """Slope times: relu(x) + alpha·(e^(min(x, 0)/width) − 1)."""
    above = _part(call, RELU, Affine(np.array(slope), ZERO))
    below = _part(
        call,
        Clip(-INFINITY, ZERO),
        Affine(np.array(1 / width), ZERO),
        Function("exp"),
        Affine(np.array(slope * alpha), np.array(-slope * alpha)),
    )
    return call.builder.add(call.name, Add(), above, below)


def _inside(call: Call) -> str:
    """The name of what a node is made of; its own is for the whole."""
    return f"{call.name}.part"


def _part(call: Call, *operators: Operator, source: str = "") -> str:
    """Operators, one after the other, behind the tensor or another source."""
    node = source or call.tensor.node
    for operator in operators:
        node = call.builder.add(_inside(call), operator, node)
    return node


def _times_itself(call: Call, *operators: Operator) -> str:
    """The tensor times what operators make of it."""
    share = _part(call, *operators)
    return call.builder.add(call.name, Product(), call.tensor.node, share)


def _difference(call: Call, left: object, right: object) -> str:
    """Left − right, of which one may be constant."""
    shape = call.tensors[0].shape
    if isinstance(left, Tensor) and isinstance(right, Constant):
        offset = -sample_constant(call, right.value, shape)
        return call.builder.add(_inside(call), Affine(ONE, offset), left.node)
    if isinstance(left, Constant) and isinstance(right, Tensor):
        offset = sample_constant(call, left.value, shape)
        return call.builder.add(_inside(call), Affine(-ONE, offset), right.node)
    assert isinstance(left, Tensor)
    assert isinstance(right, Tensor)
    if left.shape != right.shape:
        what = f"broadcasts tensors of shapes {left.shape}, {right.shape}"
        raise call.refuse(what, "give them one shape")
    turned = call.builder.add(_inside(call), NEGATIVE, right.node)
    return call.builder.add(_inside(call), Add(), left.node, turned)


def _selected(call: Call, weight: str, choice: object) -> str:
    """A choice where its weight is 1, and 0 elsewhere."""
    shape = call.builder.shape(weight)
    if isinstance(choice, Constant):
        values = call.real(sample_constant(call, choice.value, shape), "constants")
        return call.builder.add(_inside(call), Affine(values, ZERO), weight)
    assert isinstance(choice, Tensor)
    if choice.shape != shape:
        what = f"broadcasts tensors of shapes {shape}, {choice.shape}"
        raise call.refuse(what, "give them one shape")
    return call.builder.add(_inside(call), Product(), weight, choice.node)
