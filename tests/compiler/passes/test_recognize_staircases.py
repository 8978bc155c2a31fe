import sys

import numpy as np

from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import Add, Affine, Clip, Floor, Source
from snnc.compiler.passes.recognize_staircases import recognize_staircases

SHAPE = (1, 2, 2)


def test_a_sum_behind_more_scales_than_python_may_call_is_followed() -> None:
    builder = Builder()
    builder.add("x", Source(SHAPE))
    for name, factor in (("a", 0.5), ("b", 0.25)):
        builder.add(f"{name}0", Affine(np.array(factor), np.array(0.0)), "x")
        builder.add(f"{name}1", Floor(), f"{name}0")
        builder.add(name, Clip(np.array(0.0), np.array(3.0)), f"{name}1")
    last = builder.add("sum", Add(), "a", "b")
    for index in range(sys.getrecursionlimit()):
        last = builder.add(f"n{index}", Affine(np.array(1.0), np.array(1 / 1024)), last)
    builder.add("floor", Floor(), last)
    network = Network(builder.nodes(builder.add("y", Clip(np.array(0.0), np.array(5.0)), "floor")))
    found = recognize_staircases(network)
    x = np.arange(20.0).reshape(5, *SHAPE)
    expected = evaluate(network, x)[network.output.name]
    np.testing.assert_array_equal(evaluate(found, x)[found.output.name], expected)
