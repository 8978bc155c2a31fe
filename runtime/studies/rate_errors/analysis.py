"""Runs rate networks and takes their errors apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, encode
from snnc.runtime.engines.golden import Golden, batch_size
from snnc.runtime.engines.running import batches_of
from snnc.runtime.progress import Progress, ignore
from snnc.runtime.studies.rate_errors.layer import Counts, RateLayer, Tally
from snnc.runtime.studies.rate_errors.question import Question
from snnc.runtime.studies.rate_errors.result import Analysis, ErrorReport
from snnc.runtime.studies.rate_errors.variants import variants_of, without_relays


def report_of(
    model: str,
    question: Question,
    networks: Sequence[SpikingNetwork],
    data: Data,
    progress: Progress = ignore,
) -> ErrorReport:
    """Take the errors of networks apart, with all their variants.

    Args:
        model: its name.
        question: what was asked for.
        networks: one for each of `codes_of` the question.
        data: images that suit their input.
        progress: called as images are done.
    """
    variants = [each for network in networks for each in variants_of(network, light=question.light)]

    def advance(name: str, images: int, of: int) -> None:
        progress("errors", images, of * len(variants))

    found = tuple(analyse(each, data, advance) for each in variants)
    return ErrorReport(model, question.code, data.images, found, data.remarks)


def analyse(network: SpikingNetwork, data: Data, progress: Progress = ignore) -> Analysis:
    """Take the errors of a network apart.

    Args:
        network: of the code rate or offset-spike.
        data: images that suit its input.
        progress: called as images are done.
    """
    network = without_relays(network)
    layers = [RateLayer(each, network) for each in network if each.name in network.firing]
    _count(network, layers, data, progress)
    found = tuple(each.tally.means(each.name, each.neurons) for each in layers)
    pooled = sum((each.tally for each in layers), Tally())
    overall = pooled.means("all", sum(each.neurons for each in layers))
    law = layers[0].law
    rho, iterations = law.settings.get("rho"), law.settings.get("iterations", 0)
    return Analysis(law.time_steps, rho, iterations, law.keeps_residual, found, overall)


def _count(
    network: SpikingNetwork, layers: Sequence[RateLayer], data: Data, progress: Progress
) -> None:
    """Let every layer count what it fired, batch by batch, and what it would have fired evenly."""
    golden, steps = Golden(network, every_population=True), layers[0].time_steps
    for images in batches_of(data, batch_size(network)):
        levels = encode(images, network.input)
        sent = golden.run(levels).sent
        fired: dict[str, Counts] = {network.input.name: steps * levels}
        fired |= {name: each[:steps].sum(axis=0, dtype=np.int32) for name, each in sent.items()}
        even: dict[str, Counts] = {network.input.name: fired[network.input.name]}
        for layer in layers:
            even[layer.name] = layer.desired(layer.total(even))
            layer.add(fired, even)
        progress("errors", len(images), data.images)
