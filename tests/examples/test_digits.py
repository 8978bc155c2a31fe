"""The demo, shortened: fewer epochs, and fewer images on Lava."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from examples.digits import demo
from examples.digits.data import Images, load_digits_split
from examples.digits.train import train

from snnc.frontends.torch import spikes_per_image
from snnc.runtime.output.tables import cells_of

pytestmark = [pytest.mark.torch, pytest.mark.lava]


def few_images(count: int) -> Images:
    images = load_digits_split()[1]
    return Images(images.x[:count], images.y[:count])


@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
@pytest.mark.parametrize("time_steps", [2, 3, 4])
def test_a_trained_network_spikes_as_it_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_steps: int, schedule: str
) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    images = few_images(60)
    demo.write_npz(images, tmp_path / "test.npz")
    model = train(demo.LEVELS[time_steps], epochs=4)
    row = demo.deploy(model, images, time_steps, schedule, 0.0)
    assert row.result.is_exact
    lava = row.result.engines["lava"].result
    assert lava.accuracy(images.y) == row.result.golden.accuracy(images.y)
    assert row.result.golden.accuracy(images.y) > 0.8
    assert row.result.golden.agreement(row.result.source) > 0.95
    assert row.steps_per_image == (time_steps if schedule == "pipelined" else 2 + 3 * time_steps)
    assert cells_of(demo.ROW_COLUMNS, row)[0] == str(time_steps)


def test_the_regulariser_saves_spikes() -> None:
    images = demo.normalised(few_images(60))
    plain, sparse = (spikes_per_image(train(7, l1=l1, epochs=4), images) for l1 in (0.0, 1e-3))
    assert sparse < 0.9 * plain
