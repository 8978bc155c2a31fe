"""How many bits the weights of each layer get, where a budget of memory is to be shared out.

A word of synaptic memory has 64 bits. What a layer costs is counted plainly: the bits of all its
weights as the file stores them, a kernel once, in whole words; a weight that is worth two synapses
counts twice.
What fewer bits lose is measured for a layer alone, on the outputs of the network. Losses of several
layers add up as those of independent noise do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from snnc.compiler.errors import refusal
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import is_wide

WORD_BITS = 64
MEASURED = (2, 3, 4)
"""Widths whose loss is measured. A further bit halves the error, and leaves a quarter of the loss:
beyond these, one level that changes by chance would tell more than the width."""


@dataclass(frozen=True)
class Offer:
    """What a layer costs and loses at each width."""

    layer: str
    words: Mapping[int, int]
    losses: Mapping[int, float]
    """Of the outputs, relative to their variance; never more for more bits."""


@dataclass(frozen=True)
class Widths:
    """The bits of each layer's weights."""

    bits: Mapping[str, int]
    """By the node that ends the layer."""
    words: int
    """Of all layers."""


def words_of(layer: Layer, precision: Precision) -> int:
    """The words that a layer's weights take."""
    stored = sum(
        rows.size * (1 + is_wide(layer, k, precision)) for k, rows in enumerate(layer.rows)
    )
    return -(-stored * precision.synapse_bits // WORD_BITS)


def extrapolated(measured: Mapping[int, float], widths: Iterable[int]) -> Mapping[int, float]:
    """The losses of all widths from those of some, the least of them first."""
    found: dict[int, float] = {}
    for bits in widths:
        less = found.get(bits - 1, measured[MEASURED[0]])
        found[bits] = min(less, measured[bits]) if bits in measured else less / 4
    return found


def shared_out(offers: Sequence[Offer], budget: int) -> Widths:
    """Widths that lose least, as far as is known, in so many words.

    From the narrowest on, the bits go where a word gains most; a single width for all that loses
    less is preferred.

    Raises:
        SnncError: if the narrowest weights take more.
    """
    narrowest, *wider = list(offers[0].words)
    bits = dict.fromkeys((each.layer for each in offers), narrowest)
    if (least := _words(offers, bits)) > budget:
        what = f"{budget} words; allowed: {least} or more, which weights of {narrowest} bits take"
        raise refusal("`budget`", what, f"use {least}")
    while gain := _best_gain(offers, bits, budget - _words(offers, bits)):
        bits[gain[0].layer] = gain[1]
    single = [dict.fromkeys(bits, width) for width in wider]
    fitting = [each for each in (bits, *single) if _words(offers, each) <= budget]
    best = min(fitting, key=lambda each: _loss(offers, each))
    return Widths(best, _words(offers, best))


def _best_gain(
    offers: Sequence[Offer], bits: Mapping[str, int], room: int
) -> tuple[Offer, int] | None:
    """The layer and its wider width that fit the room and gain most for a word; None if none do."""
    found: list[tuple[float, Offer, int]] = []
    for offer in offers:
        width = bits[offer.layer]
        for wider in (each for each in offer.words if each > width):
            words = offer.words[wider] - offer.words[width]
            gain = offer.losses[width] - offer.losses[wider]
            if words <= room and gain > 0:
                found.append((gain / max(words, 1), offer, wider))
    if not found:
        return None
    _, offer, wider = max(found, key=lambda each: each[0])
    return offer, wider


def _words(offers: Sequence[Offer], bits: Mapping[str, int]) -> int:
    return sum(each.words[bits[each.layer]] for each in offers)


def _loss(offers: Sequence[Offer], bits: Mapping[str, int]) -> float:
    return sum(each.losses[bits[each.layer]] for each in offers)
