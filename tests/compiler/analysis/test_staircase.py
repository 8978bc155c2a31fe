import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.analysis import staircase
from snnc.compiler.analysis.staircase import Form, NoStaircaseError
from snnc.compiler.operators import Floats

NUMBERS = st.integers(-40, 40).map(lambda n: np.array(n / 8))
GRID = np.arange(-400, 400) / 64 + 1 / 128
"""Never on a tie, so that the algebra has to agree everywhere."""


def value(form: Form, x: Floats) -> Floats:
    total = np.zeros_like(x) + form.offset
    for factor, atom in form.terms:
        inner = np.clip(atom.scale * x + atom.shift, -np.inf, np.inf)
        inner = np.floor(inner) if atom.kind == "stepped" else inner
        total = total + factor * np.clip(inner, atom.low, atom.high)
    return total


STEPS = st.one_of(
    st.tuples(st.just("affine"), NUMBERS, NUMBERS),
    st.tuples(st.just("clip"), NUMBERS, NUMBERS),
    st.tuples(st.just("floor"), NUMBERS, NUMBERS),
)


@given(st.lists(STEPS, max_size=6))
def test_forms_are_the_chain_of_their_operators(steps: list[tuple[str, Floats, Floats]]) -> None:
    form, x = staircase.opaque("x"), GRID
    for kind, first, second in steps:
        low, high = np.minimum(first, second), np.maximum(first, second)
        try:
            if kind == "affine":
                form, x = staircase.affine(form, first, second), first * x + second
            elif kind == "clip":
                form, x = staircase.clip(form, low, high), np.clip(x, low, high)
            else:
                form, x = staircase.floor(form), np.floor(x)
        except NoStaircaseError:
            return
        np.testing.assert_allclose(value(form, GRID), x, atol=1e-9)


def test_the_straight_through_trick_is_the_floor() -> None:
    u = staircase.affine(staircase.opaque("x"), np.array(2.0), np.array(0.5))
    negative = staircase.affine(u, np.array(-1.0), np.array(0.0))
    trick = staircase.add(staircase.add(staircase.floor(u), negative), u)
    ((factor, atom),) = trick.terms
    assert (factor, atom.kind, trick.offset) == (1, "stepped", 0)


def test_a_bound_that_float32_missed_is_the_whole_number() -> None:
    threshold = np.float32(0.7)
    step = np.float64(threshold / np.float32(7))
    clipped = staircase.clip(staircase.opaque("x"), np.array(0.0), np.array(float(threshold)))
    ((_, atom),) = staircase.floor(
        staircase.affine(clipped, np.array(1 / step), np.array(0.0))
    ).terms
    assert atom.high == 7


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda f: staircase.floor(
                staircase.affine(staircase.floor(f), np.array(0.3), np.array(0.0))
            ),
            "rounds twice, on two different grids",
        ),
        (
            lambda f: staircase.clip(staircase.floor(f), np.array(0.5), np.array(3.0)),
            "clips its levels between two of them",
        ),
        (
            lambda f: staircase.floor(staircase.add(f, staircase.opaque("y"))),
            "clips or rounds a sum of several activations",
        ),
    ],
)
def test_what_is_no_staircase_says_why(build, message: str) -> None:
    with pytest.raises(NoStaircaseError, match=f"^{message}$"):
        build(staircase.opaque("x"))
