"""The glyphs, drawn; the checkpoints, as ONNX Runtime sees them."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from scipy.ndimage import map_coordinates

pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

from examples import glyphs
from examples.glyphs import data
from examples.glyphs.data import CLASSES, Images, load_glyphs, write_npz
from examples.glyphs.fonts import BASELINE, CAPITAL, CELL, CHARACTERS, FONTS, WEIGHTS, page

from snnc.runtime.data import load_data

CHECKPOINTS = Path(glyphs.__file__).parent / "checkpoints"
ACCURACY = json.loads((CHECKPOINTS / "accuracy.json").read_text())


def ink_of(character: str) -> np.ndarray:
    """As drawn, in every font (fonts, CELL, CELL)."""
    cells = page().ink.reshape(len(FONTS), CLASSES, WEIGHTS, CELL, CELL)
    return cells[:, CHARACTERS.index(character), 1]


def test_no_font_lacks_a_character() -> None:
    drawn = page().ink.reshape(len(FONTS), CLASSES, WEIGHTS, CELL, CELL)[:, :, 1]
    for font in drawn:
        assert len({character.tobytes() for character in font}) == CLASSES
        assert (font.max(axis=(1, 2)) > 200).all()


def test_capitals_of_every_font_stand_on_one_line_and_are_equally_high() -> None:
    rows = (ink_of("H") > 127).any(axis=2)
    top, bottom = rows.argmax(axis=1), CELL - rows[:, ::-1].argmax(axis=1)
    assert abs(bottom - BASELINE).max() <= 1
    assert abs(bottom - top - CAPITAL).max() <= 1


def test_weights_go_from_thin_to_bold() -> None:
    ink = page().ink.reshape(-1, WEIGHTS, CELL * CELL).sum(axis=2, dtype=np.int64)
    assert (np.diff(ink) > 0).all()


def test_sampling_agrees_with_scipy() -> None:
    u, v = np.random.default_rng(0).uniform(-9, CELL + 9, (2, 3, 20, 20)).astype(np.float32)
    font, character, weight = np.array([0, 7, 20]), np.array([3, 40, 61]), np.array([0, 3, 1])
    found = data.sampled(page(), font, character, weight, u, v)
    cells = page().ink.reshape(len(FONTS), CLASSES, WEIGHTS, CELL, CELL)[font, character, weight]
    for image, cell, *place in zip(found, cells, v, u, strict=True):
        expected = map_coordinates(cell.astype(float) / 255, place, order=1)
        np.testing.assert_allclose(image, expected, atol=2e-3)


def test_images_are_bytes_and_show_every_class() -> None:
    images = load_glyphs("train", 100)
    assert images.x.shape == (100, 1, 32, 32)
    assert images.x.dtype == np.uint8
    assert sorted(images.y[:62]) == list(range(62))
    assert np.ptp(images.x.reshape(100, -1), axis=1).min() > 60


def test_the_same_seed_gives_the_same_images() -> None:
    some, more = load_glyphs("test", 30, 4), load_glyphs("test", data.CHUNK + 5, 4)
    np.testing.assert_array_equal(some.x, more.x[:30])
    np.testing.assert_array_equal(some.y, more.y[:30])
    assert not np.array_equal(more.x[:5], more.x[-5:])


def test_other_seeds_and_splits_give_other_images() -> None:
    drawn = [load_glyphs("train", 40, 0), load_glyphs("train", 40, 1), load_glyphs("test", 40, 0)]
    assert len({image.tobytes() for images in drawn for image in images.x}) == 120


def test_the_command_line_reads_the_images(tmp_path: Path) -> None:
    images = load_glyphs("test", 20)
    write_npz(images, tmp_path / "test.npz")
    found = load_data(tmp_path / "test.npz")
    np.testing.assert_array_equal(found.x, images.x)
    np.testing.assert_array_equal(found.y, images.y)


def test_images_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "few.npz"
    monkeypatch.setattr("sys.argv", ["data", str(path), "--split", "train", "--images", "62"])
    data.main()
    with np.load(path) as found:
        np.testing.assert_array_equal(found["x"], load_glyphs("train", 62).x)
        np.testing.assert_array_equal(found["y"], load_glyphs("train", 62).y)


@cache
def standard_test() -> Images:
    return load_glyphs("test", 2000)


def test_all_checkpoints_have_an_accuracy() -> None:
    assert set(ACCURACY) == {path.stem for path in CHECKPOINTS.glob("*.onnx")}
    assert sum(path.stat().st_size for path in CHECKPOINTS.iterdir()) < 9e6


@pytest.mark.parametrize("name", ACCURACY)
def test_a_checkpoint_is_as_accurate_as_recorded(name: str) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(CHECKPOINTS / f"{name}.onnx", options)
    x, y = standard_test()
    batches = np.split(x.astype(np.float32) / 255, 20)
    found = [session.run(None, {"input": batch})[0].argmax(1) for batch in batches]
    assert np.mean(np.concatenate(found) == y) == pytest.approx(
        ACCURACY[name]["accuracy"], abs=5e-3
    )
