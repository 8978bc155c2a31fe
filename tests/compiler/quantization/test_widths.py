"""Sharing out a budget, held against every way to share it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support.layers import plain_layer

from snnc.compiler.errors import SnncError
from snnc.compiler.quantization.layer import Precision
from snnc.compiler.quantization.widths import Offer, extrapolated, shared_out, words_of
from snnc.compiler.target import LOIHI

WIDTHS = range(2, 6)


def offers(seed: int) -> list[Offer]:
    rng = np.random.default_rng(seed)
    found = []
    for k in range(4):
        size, loss = int(rng.integers(1, 50)), float(rng.exponential())
        words = {bits: size * bits for bits in WIDTHS}
        losses = {bits: loss / 4**bits * float(rng.uniform(1, 2)) for bits in WIDTHS}
        found.append(Offer(f"layer {k}", words, losses))
    return found


def loss(found: list[Offer], bits: tuple[int, ...]) -> float:
    return sum(each.losses[b] for each, b in zip(found, bits, strict=True))


def words(found: list[Offer], bits: tuple[int, ...]) -> int:
    return sum(each.words[b] for each, b in zip(found, bits, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_widths_stay_in_the_budget_and_come_near_the_best(seed: int) -> None:
    found = offers(seed)
    least, most = (words(found, (bits,) * 4) for bits in (WIDTHS[0], WIDTHS[-1]))
    for budget in np.linspace(least, most, 7).astype(int):
        chosen = shared_out(found, budget)
        bits = tuple(chosen.bits[each.layer] for each in found)
        assert chosen.words == words(found, bits) <= budget
        every = [each for each in product(WIDTHS, repeat=4) if words(found, each) <= budget]
        best = min(loss(found, each) for each in every)
        worst = loss(found, (WIDTHS[0],) * 4)
        assert loss(found, bits) - best <= 0.15 * (worst - best) + 1e-12


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("width", WIDTHS)
def test_the_budget_of_a_single_width_loses_no_more_than_it(seed: int, width: int) -> None:
    found = offers(seed)
    chosen = shared_out(found, words(found, (width,) * 4))
    bits = tuple(chosen.bits[each.layer] for each in found)
    assert loss(found, bits) <= loss(found, (width,) * 4)


def test_a_budget_that_is_too_small_is_refused_with_the_smallest() -> None:
    found = offers(0)
    least = words(found, (2,) * 4)
    with pytest.raises(SnncError) as caught:
        shared_out(found, least - 1)
    assert str(caught.value) == (
        f"`budget`: {least - 1} words; allowed: {least} or more, which weights of 2 bits take\n"
        f"  help: use {least}"
    )


def test_losses_beyond_the_measured_ones_fall_to_a_quarter() -> None:
    found = extrapolated({2: 1.0, 3: 1.2, 4: 0.1}, range(2, 7))
    assert found == {2: 1.0, 3: 1.0, 4: 0.1, 5: 0.025, 6: 0.00625}


def test_the_fewest_bits_lose_what_was_measured() -> None:
    assert extrapolated({2: 1.0, 3: 0.5, 4: 0.1}, range(2, 4)) == {2: 1.0, 3: 0.5}


def test_a_word_goes_where_it_gains_most_not_where_most_is_lost() -> None:
    words = {2: 10, 3: 15}
    found = [Offer("a", words, {2: 1.0, 3: 0.99}), Offer("b", words, {2: 0.5, 3: 0.0})]
    assert shared_out(found, 25).bits == {"a": 2, "b": 3}


def test_words_hold_64_bits_and_two_synapses_count_twice() -> None:
    rows = np.ones((2, 40))
    assert words_of(plain_layer(rows), Precision(LOIHI, 8)) == 80 * 8 / 64
    assert words_of(plain_layer(rows), Precision(LOIHI, 16)) == 2 * 80 * 8 / 64
    assert words_of(plain_layer(rows[:, :1]), Precision(LOIHI, 3)) == 1
    shortcut = np.eye(2, 24)
    joined = plain_layer(rows, shortcut)
    assert words_of(joined, Precision(LOIHI, 4)) == (80 + 2 * 48) * 4 / 64
