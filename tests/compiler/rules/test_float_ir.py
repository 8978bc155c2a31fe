"""Each rule is broken once, by the network of a pass that forgot it."""

import numpy as np
import pytest

from snnc.compiler.network import Network, Node
from snnc.compiler.operators import (
    Add,
    BatchNorm,
    Clip,
    Conv,
    Floor,
    MatMul,
    MaxPool,
    Operator,
    Source,
    Staircase,
)
from snnc.compiler.rules.float_ir import COMPOSED, MODEL, require_rules

ONE = np.array(1.0)
X = Node("x", Source((1, 2, 2)), (), (1, 2, 2))
CONV = Conv(np.ones((1, 1, 1, 1)), np.zeros(1), (1, 1), (0, 0, 0, 0), (1, 1))
FC = Node("fc", MatMul(np.ones((1, 4)), np.zeros(1)), ("n",), (1,))


def after_a_pass(operator: Operator, *, sources: tuple[str, ...] = ("x",)) -> Network:
    """Pixels, one node, and a matrix that reads it."""
    shape = (1, 2, 2) if not isinstance(operator, MaxPool) else (1, 1, 1)
    matrix = MatMul(np.ones((1, int(np.prod(shape)))), np.zeros(1))
    return Network((X, Node("n", operator, sources, shape), Node("fc", matrix, ("n",), (1,))))


BROKEN = {
    "a staircase of pixels": (Staircase(3), "sums_are_projections fails: n reads input"),
    "a sum of pixels": (Add(), "sums_are_projections fails: n reads input; fc reads add"),
    "a matrix of another": (CONV, "sums_are_projections fails: fc reads conv"),
    "a shift": (Staircase(3, ONE), "staircases_begin_at_zero fails: n is shifted"),
    "a shift of some": (
        Staircase(3, np.array([[[0.0, 1.0]]])),
        "staircases_begin_at_zero fails: n is shifted",
    ),
    "a clip": (Clip(0 * ONE, ONE), "activations_are_staircases fails: n is left"),
    "a floor": (Floor(), "activations_are_staircases fails: n is left"),
    "a norm": (
        BatchNorm(*[np.ones(1)] * 4, 0.0),
        "batch_norms_are_folded fails: n is left",
    ),
    "a pool": (
        MaxPool((2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
        "max_pools_are_lowered fails: n is left",
    ),
}


@pytest.mark.parametrize(("operator", "what"), BROKEN.values(), ids=BROKEN)
def test_a_rule_names_what_breaks_it(operator: Operator, what: str) -> None:
    network = after_a_pass(operator)
    require_rules(network, MODEL, "read")
    with pytest.raises(RuntimeError, match=f"^after a_pass, {what}"):
        require_rules(network, COMPOSED, "a_pass")


def test_the_output_is_a_projection() -> None:
    network = Network((X, Node("c", CONV, ("x",), X.shape)))
    require_rules(network, COMPOSED, "a_pass")
    network = Network((*network, Node("n", Staircase(3), ("c",), X.shape)))
    what = "sums_are_projections fails: n is the output, and no projection"
    with pytest.raises(RuntimeError, match=what):
        require_rules(network, COMPOSED, "a_pass")


ORDER = {
    "a source later": ((X, FC), "sources_come_first fails: fc reads n too early"),
    "a name twice": ((X, X), "sources_come_first fails: x stands there twice"),
    "a shape": (
        (X, Node("n", Floor(), ("x",), (1, 2, 3))),
        r"shapes_follow_from_sources fails: n has shape \(1, 2, 3\), its operator gives \(1, 2",
    ),
}


@pytest.mark.parametrize(("nodes", "what"), ORDER.values(), ids=ORDER)
def test_a_graph_in_order_has_no_loose_ends(nodes: tuple[Node, ...], what: str) -> None:
    with pytest.raises(RuntimeError, match=f"^after a_pass, {what}"):
        require_rules(Network(nodes), MODEL, "a_pass")
