import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.composition import chains
from snnc.compiler.composition.chains import compose
from snnc.compiler.composition.convolutions import NotComposableError, merged
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    MatMul,
    Operator,
    Pad,
    Reshape,
    Select,
    Shape,
    Spread,
    Transpose,
)


def random_operators(rng: np.random.Generator, shape: Shape) -> list[Operator]:
    """Two to four linear operators that fit one after the other."""
    found: list[Operator] = []
    for _ in range(rng.integers(2, 5)):
        operator = random_operator(rng, shape)
        if min(operator.shape_of(shape)) >= 1:
            found.append(operator)
            shape = operator.shape_of(shape)
    return found


def random_operator(rng: np.random.Generator, shape: Shape) -> Operator:
    space, channels = len(shape) - 1, shape[0]
    pads = tuple(int(n) for n in rng.integers(0, 3, 2 * space))
    strides, kernel = (tuple(int(n) for n in rng.integers(1, 3, space)) for _ in range(2))
    choice = rng.integers(7)
    if choice == 0:
        return Affine(rng.normal(size=(channels, *(1,) * space)), np.array(0.0))
    if choice == 1:
        inside = tuple(min(p, k - 1) for p, k in zip(pads, kernel * 2, strict=True))
        return AveragePool(kernel, strides, inside, bool(rng.integers(2)))
    if choice == 2:
        return Pad(tuple(p - 1 for p in pads))
    if choice == 3:
        more = int(rng.integers(4))
        return Select(rng.integers(-1, channels, channels + more))
    if choice == 4:
        return Spread(strides)
    groups = int(rng.choice([g for g in (1, 2, channels) if channels % g == 0]))
    out = groups * int(rng.integers(1, 3))
    weights = rng.normal(size=(out, channels // groups, *kernel))
    return Conv(weights, np.zeros(out), strides, pads, tuple(rng.integers(1, 3, space)), groups)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_a_chain_is_its_one_projection(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 5)), *(int(n) for n in rng.integers(3, 9, rng.integers(1, 3))))
    operators, x = random_operators(rng, shape), rng.normal(size=(2, *shape))
    expected = x
    for operator in operators:
        expected = operator.apply(expected)
    found = compose(operators, shape).apply(x).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_pool_before_a_convolution_stays_a_convolution() -> None:
    pool = AveragePool((2, 2), (2, 2), (0, 0, 0, 0))
    conv = Conv(np.ones((4, 3, 3, 3)), np.zeros(4), (1, 1), (1, 1, 1, 1), (1, 1))
    found = compose([pool, conv], (3, 8, 8))
    assert str(found) == "conv 6x6 stride 2x2 pads 2,2,2,2"


@pytest.mark.parametrize(
    ("pads", "stride", "kept"),
    [
        ((1, 1, 1, 1), 2, "1,1,1,1"),  # the last row and column of zeros are not read
        ((2, 1, 2, 1), 3, "2,1,2,1"),
        ((0, 0, 1, 1), 2, "0,0,1,1"),  # TensorFlow's SAME
        ((1, 1, 0, 0), 2, "1,1,1,1"),
        ((2, 2, 0, 0), 2, "2,2,0,0"),
    ],
)
def test_pads_are_even_where_that_changes_nothing(pads: Shape, stride: int, kept: str) -> None:
    conv = Conv(np.ones((4, 3, 3, 3)), np.zeros(4), (stride, stride), pads, (1, 1))
    found = compose([conv], (3, 8, 8))
    assert str(found) == f"conv 3x3 stride {stride}x{stride} pads {kept}"
    assert found.shape_of((3, 8, 8)) == conv.shape_of((3, 8, 8))


def test_a_depthwise_chain_stays_depthwise() -> None:
    conv = Conv(np.ones((4, 1, 3, 3)), np.zeros(4), (1, 1), (1, 1, 1, 1), (1, 1), 4)
    pool = AveragePool((2, 2), (2, 2), (0, 0, 0, 0))
    assert str(compose([conv, pool], (4, 8, 8))) == "conv 4x4 stride 2x2 pads 1,1,1,1 groups 4"


def test_what_ends_flat_is_a_matrix() -> None:
    pool = AveragePool((4, 4), (1, 1), (0, 0, 0, 0))
    head = MatMul(np.ones((10, 3)), np.zeros(10))
    found = compose([pool, Reshape((3,)), head], (3, 4, 4))
    assert isinstance(found, MatMul)
    np.testing.assert_allclose(found.weights, 1 / 16)


def test_a_matrix_that_would_be_too_large_is_refused() -> None:
    positions = Affine(np.arange(256.0 * 256).reshape(1, 256, 256), np.array(0.0))
    with pytest.raises(NotComposableError, match=r"^as a matrix it has 4294967296 synapses"):
        compose([positions], (1, 256, 256))


def test_a_matrix_of_the_model_itself_may_have_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MATRIX_LIMIT", 10)
    head = MatMul(np.ones((3, 24)), np.zeros(3))
    assert compose([Reshape((24,)), head], (2, 3, 4)).weights.size == 72
    with pytest.raises(NotComposableError, match=r"^as a matrix it has 576 synapses; allowed: 10"):
        compose([Reshape((24,))], (2, 3, 4))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_two_convolutions_of_one_source_are_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, strides = (4, 9, 8), tuple(int(n) for n in rng.integers(1, 3, 2))

    def conv(before: int, kernel: int, dilation: int) -> Conv:
        groups = int(rng.choice([1, 2, 4]))
        weights = rng.normal(size=(4, 4 // groups, kernel, kernel))
        after = before + (kernel - 1) * dilation - 2 * before
        return Conv(
            weights, np.zeros(4), strides, (before,) * 2 + (after,) * 2, (dilation,) * 2, groups
        )

    both = [
        conv(*map(int, (rng.integers(3), rng.integers(1, 4), rng.integers(1, 3)))) for _ in "ab"
    ]
    x = rng.normal(size=(2, *shape))
    found = merged(*both)
    assert found is not None
    np.testing.assert_allclose(found.apply(x), sum(each.apply(x) for each in both), atol=1e-9)
    assert min(found.pads) >= min(min(each.pads) for each in both)


def test_convolutions_of_unlike_strides_stay_two() -> None:
    one = Conv(np.ones((1, 1, 1)), np.zeros(1), (1,), (0, 0), (1,))
    two = Conv(np.ones((1, 1, 1)), np.zeros(1), (2,), (0, 0), (1,))
    assert merged(one, two) is None


def test_a_crop_is_a_tap_of_weight_0() -> None:
    crop = Conv(np.ones((2, 1, 1, 1)), np.zeros(2), (2, 2), (0, -1, 0, 0), (1, 1), 2)
    found = compose([crop], (2, 6, 6))
    assert isinstance(found, Conv)
    assert found.weights.shape == (2, 1, 1, 2)
    np.testing.assert_array_equal(found.weights[0, 0, 0], [0, 1])


def test_a_place_takes_part_of_the_next_weights() -> None:
    rng = np.random.default_rng(0)
    nine = Conv(rng.normal(size=(5, 9, 3, 3)), np.zeros(5), (1, 1), (1, 1, 1, 1), (1, 1))
    found = compose([Select.placed(2, 4, 9), nine], (2, 6, 6))
    assert isinstance(found, Conv)
    np.testing.assert_array_equal(found.weights, nine.weights[:, 4:6])


def test_a_permutation_before_a_matrix_is_one_of_its_columns() -> None:
    rng = np.random.default_rng(0)
    head, x = MatMul(rng.normal(size=(3, 24)), np.zeros(3)), rng.normal(size=(5, 2, 3, 4))
    found = compose([Transpose((1, 2, 0)), Reshape((24,)), head], (2, 3, 4))
    assert isinstance(found, MatMul)
    np.testing.assert_allclose(found.apply(x), head.apply(np.moveaxis(x, 1, 3)))


def test_a_selection_takes_part_of_the_next_weights() -> None:
    rng = np.random.default_rng(0)
    matrix = MatMul(rng.normal(size=(5, 4)), np.zeros(5))
    found = compose([Select(np.array([2, -1, 0, 2])), matrix], (3,))
    expected = [matrix.weights[:, 2], np.zeros(5), matrix.weights[:, 0] + matrix.weights[:, 3]]
    np.testing.assert_array_equal(found.weights, np.transpose(expected))
