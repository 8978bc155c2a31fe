from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import GradedInput, Input
from snnc.runtime.data import Data, accepted, as_source, encode
from snnc.runtime.data import load_data as read_data

BYTES = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
UNIT = GradedInput("image", (1, 16, 16), 255, 0.0, 1 / 255)
FEATURES = GradedInput("features", (3,), 15, -1.0, 2 / 15)
SHAPE = "save it with numpy.savez(path, x=images, y=labels)"


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path / "data.npz", **arrays)
    return path / "data.npz"


def load_data(path: Path, source: Input, **options: Any) -> Data:
    return accepted(read_data(path), source, name=str(path), **options)


def features(*rows: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(rows or [[0.0, 0.5, 1.0]], np.float32)


def test_images_and_labels_are_loaded(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (5, 3))
    data = load_data(saved(tmp_path, x=x, y=np.array([0.0, 1, 2, 1, 0])), FEATURES, classes=3)
    np.testing.assert_array_equal(data.x[:], x)
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 2, 1, 0]
    assert data.y.dtype == np.int64


def test_the_limit_is_a_prefix(tmp_path: Path) -> None:
    path = saved(tmp_path, x=features(*[[0.0] * 3] * 4), y=np.arange(4))
    data = load_data(path, FEATURES, limit=3)
    assert data.images == 3
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 2]
    assert load_data(path, FEATURES, limit=9).images == 4


def test_labels_may_be_missing(tmp_path: Path) -> None:
    assert load_data(saved(tmp_path, x=features()), FEATURES, classes=3).y is None


PROBLEMS = {
    "type": (
        {"x": np.zeros((1, 3), np.int32)},
        "x holds int32; allowed: uint8, float32, float64",
        "convert it; pixels 0..255 to uint8",
    ),
    "shape": (
        {"x": np.zeros((1, 4), np.float32)},
        "x has shape (1, 4); allowed: (images, 3)",
        "reshape or transpose x",
    ),
    "rank": (
        {"x": np.float32(1)},
        "x has shape (); allowed: (images, 3)",
        "reshape or transpose x",
    ),
    "empty": (
        {"x": np.zeros((0, 3), np.float32)},
        "x holds 0 images; at least 1 is needed",
        SHAPE,
    ),
    "no x": ({"images": features(), "y": np.zeros(1)}, "it holds images, y; x is needed", SHAPE),
    "not finite": (
        {"x": features([0, 0, 0], [np.nan, 0, np.inf])},
        "2 values, the first in image 1, are not finite",
        "leave out or mend these images",
    ),
    "range": (
        {"x": features([0, 1.06, -1.06], [0, 1.07, -1.07])},
        "2 values, the first in image 1, are outside -1..1",
        "scale x, compile with its `input_range`, or use `clip_input`",
    ),
    "label shape": (
        {"x": features(), "y": np.zeros((1, 2))},
        "y has shape (1, 2); allowed: (1,)",
        "give one label per image",
    ),
    "label type": (
        {"x": features(), "y": np.array([0.5])},
        "y (float64) is not whole numbers",
        "number the classes from 0 on",
    ),
    "label text": (
        {"x": features(), "y": np.array(["cat"])},
        "y (<U3) is not whole numbers",
        "number the classes from 0 on",
    ),
    "label range": (
        {"x": features([0, 0, 0], [0, 0, 0]), "y": np.array([0, 10])},
        "1 labels, the first in image 1, are outside 0..9",
        "number the classes from 0 on",
    ),
}


@pytest.mark.parametrize(("arrays", "what", "mend"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem(tmp_path: Path, arrays: dict[str, Any], what: str, mend: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(SnncError) as caught:
        load_data(path, FEATURES, classes=10)
    assert str(caught.value) == f"{path}: {what}\n  help: {mend}"


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.zeros((2, 4), bool), y=np.array([-1, 10]))
    with pytest.raises(SnncError) as caught:
        load_data(path, FEATURES, classes=10)
    assert [each.what for each in caught.value.problems] == [
        "x holds bool; allowed: uint8, float32, float64",
        "x has shape (2, 4); allowed: (images, 3)",
        "2 labels, the first in image 0, are outside 0..9",
    ]


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.array([{}], object))
    with pytest.raises(SnncError) as caught:
        load_data(path, FEATURES)
    reason = "x: Object arrays cannot be loaded when allow_pickle=False"
    assert str(caught.value) == f"{path}: it is not an .npz of numbers ({reason})\n  help: {SHAPE}"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        load_data(tmp_path / "no.npz", FEATURES)
    assert str(caught.value) == f"{tmp_path}/no.npz: the file does not exist\n  help: {SHAPE}"


def test_a_single_array_is_images_without_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", features())
    data = load_data(tmp_path / "x.npy", FEATURES)
    np.testing.assert_array_equal(data.x[:], features())
    assert data.y is None


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, x=features())
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(SnncError, match=r"it is not an \.npz of numbers"):
            load_data(path, FEATURES)


def test_a_limit_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        load_data(saved(tmp_path, x=features()), FEATURES, limit=0)
    expected = "`limit`: 0 images; allowed: at least 1\n  help: leave it out for all"
    assert str(caught.value) == expected


def test_clipping_lets_the_range_be_left(tmp_path: Path) -> None:
    data = load_data(saved(tmp_path, x=features([-9, 0.99, 9])), FEATURES, clip=True)
    assert encode(data.x[:], FEATURES).tolist() == [[0, 15, 15]]


def test_the_source_is_given_clipped_values_too() -> None:
    x = np.array([[FEATURES.low - 1e300, FEATURES.high, FEATURES.high + 1e300]])
    half = FEATURES.step / 2
    expected = [[FEATURES.low - half, FEATURES.high, FEATURES.high + half]]
    np.testing.assert_allclose(as_source(x, FEATURES), expected, rtol=1e-6)


def test_bytes_are_levels() -> None:
    np.testing.assert_array_equal(encode(BYTES, UNIT), BYTES)
    np.testing.assert_array_equal(encode((BYTES / 255).astype(np.float32), UNIT), BYTES)


@pytest.mark.parametrize("levels", [1, 15, 100, 255, 4095])
def test_bytes_are_rounded_to_the_nearest_level(levels: int) -> None:
    source = GradedInput("image", (1, 16, 16), levels, -1.0, 2 / levels)
    np.testing.assert_array_equal(encode(BYTES, source), np.rint(BYTES * (levels / 255)))


def test_ties_go_to_the_even_level() -> None:
    source = GradedInput("features", (4,), 8, 0.0, 0.5)
    assert encode(np.array([[0.25, 0.75, 1.25, 1.75]]), source).tolist() == [[0, 2, 2, 4]]


def test_the_source_model_sees_what_torchvision_makes_of_bytes() -> None:
    assert np.array_equal(as_source(BYTES, UNIT), BYTES.astype(np.float32) / np.float32(255))


def test_the_source_model_is_given_normalised_images() -> None:
    source = GradedInput("image", (2, 1, 1), 255, -1.0, 2 / 255, mean=(0.5, 0.25), std=(2.0, 0.5))
    x = np.array([0, 255], np.uint8).reshape(1, 2, 1, 1)
    assert as_source(x, source).ravel().tolist() == [-0.75, 1.5]
    assert as_source(x, source).dtype == np.float32


def test_one_mean_serves_all_channels() -> None:
    source = GradedInput("image", (2, 1, 1), 255, 0.0, 1 / 255, mean=(1.0,))
    assert as_source(np.zeros((1, 2, 1, 1)), source).ravel().tolist() == [-1.0, -1.0]


def test_a_line_is_a_plane_of_one_row() -> None:
    line = GradedInput("signal", (2, 1, 5), 255, 0.0, 1 / 255)
    x = np.arange(30, dtype=np.uint8).reshape(3, 2, 5)
    found = accepted(Data(x), line, name="data")
    assert found.x.shape == (3, 2, 1, 5)
    np.testing.assert_array_equal(found.x.reshape(3, 2, 5), x)


@pytest.mark.parametrize(("low", "high", "clear"), [(0, 1, True), (0, 255, True), (-1, 1, False)])
def test_bytes_are_taken_where_their_meaning_is_clear(low: int, high: int, clear: bool) -> None:
    source = GradedInput("image", (1, 16, 16), 255, low, (high - low) / 255)
    if clear:
        found = accepted(Data(BYTES), source, name="data")
        np.testing.assert_array_equal(encode(found.x, source), BYTES)
        return
    with pytest.raises(SnncError, match=r"^data: x holds uint8, the input takes -1\.\.1\n"):
        accepted(Data(BYTES), source, name="data")


def test_the_first_image_is_counted_over_all_of_them() -> None:
    x = np.zeros((700, 3), np.float32)
    x[[300, 301, 600], 1] = np.nan
    with pytest.raises(SnncError, match=r"^data: 3 values, the first in image 300, are not finite"):
        accepted(Data(x), FEATURES, name="data")
