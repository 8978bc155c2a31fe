from __future__ import annotations

import numpy as np
import pytest
from examples.glyphs import moving
from examples.glyphs.moving import FRAMES, moving_glyphs, row


def test_a_stream_is_the_same_every_time() -> None:
    first, again = moving_glyphs(3, 0.5), moving_glyphs(3, 0.5)
    np.testing.assert_array_equal(first.x, again.x)
    assert first.x.shape == (3 * FRAMES, 1, 32, 32)
    assert (first.y.reshape(3, FRAMES) == first.y[::FRAMES, None]).all()


@pytest.mark.parametrize("speed", [0.0, 0.5])
def test_still_pixels_stay_as_they_are(speed: float) -> None:
    frames = moving_glyphs(4, speed).x.reshape(4, FRAMES, -1)
    changed = np.count_nonzero(np.diff(frames.astype(int), axis=1)) / frames[:, 1:].size
    assert changed == 0 if speed == 0 else 0.01 < changed < 0.2


@pytest.mark.lava
def test_both_codes_decide_alike(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "FOLDER", tmp_path)
    frames = moving_glyphs(1, 0.5)
    (graded, wrong), (delta, also_wrong) = (row(code, frames, 4) for code in moving.CODES)
    assert (graded[0], wrong, also_wrong) == (delta[0], 0, 0)
    fewer, more = (int(each[3].replace(",", "")) for each in (delta, graded))
    assert fewer < 0.6 * more
