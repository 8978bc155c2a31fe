"""Accuracy against spikes: `python -m examples.glyphs.sparsity [--plot FILE]`.

Trains networks with several weights of `bit_l1` in the loss, compiles each with 8-bit weights and
counts the spikes that its integers send for the test images. What has been measured is in
sparsity.json and is not trained again. Activity is what the literature compares: spikes per neuron
and time step, of all firing neurons, in the time steps that the bits of their levels take.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TypeAlias

import numpy as np

import snnc
from examples.glyphs.data import Images, Integers, load_glyphs
from examples.glyphs.demo import float_decisions
from examples.glyphs.train import TEST_IMAGES, Checkpoint, scientific, write
from snnc.compiler.laws import bits_for
from snnc.compiler.laws.planes import bits_of, count_spikes
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.result import logits_of
from snnc.runtime.output.tables import Table, print_table, table_of_cells

FOLDER = Path("out/glyphs")
RESULTS = Path(__file__).with_name("sparsity.json")
LEVELS = 15
BATCH = 100
IMAGES = 10_000
"""The TEST_IMAGES of the other tables and more: of 2,000, chance decides over half a point."""
TITLES = {"vgg": "VGG", "resnet": "ResNet"}
HEADS = ("network", "l1 weight", "seeds", "float", "golden", f"golden, {IMAGES:,} images")
HEADS += ("spikes per image", "per neuron", "activity")

CASES = (
    *(Checkpoint("vgg", LEVELS, l1) for l1 in (0.0, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4)),
    *(Checkpoint("vgg", LEVELS, l1, seed=1) for l1 in (0.0, 1e-5)),
    *(Checkpoint("resnet", LEVELS, l1) for l1 in (0.0, 1e-5)),
)


@dataclass(frozen=True)
class Measurement:
    """What one trained network finds, and what it sends for that, on average over the images."""

    model: str
    levels: int
    l1: float
    """Weight of the spikes per image in the loss."""
    seed: int
    """Of the weights that training began with."""
    float_accuracy: float
    """On the first TEST_IMAGES."""
    golden_accuracy: float
    """Of the network in whole numbers, which is what the spikes compute; on TEST_IMAGES too."""
    golden_accuracy_on_more: float
    """On all IMAGES, and so are the spikes."""
    spikes_per_image: float
    spikes_per_neuron: float
    """For one image."""
    activity: float
    """Spikes per neuron and time step, a share of those that there could be."""


Groups: TypeAlias = dict[tuple[str, float], list[Measurement]]
"""The seeds of each model and weight, the weight rising."""


def main() -> None:
    """Measure what has not been measured, print the table and draw it."""
    parser = argparse.ArgumentParser(description="Accuracy of glyphs networks against spikes.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="%(default)s")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of networks, %(default)s")
    parser.add_argument("--plot", type=Path, help="draw accuracy against activity")
    options = parser.parse_args()
    groups = grouped(measure_all(CASES, options.results, options.folder))
    print_table(table(groups))
    if options.plot:
        draw(groups, options.plot)


def measure_all(cases: Sequence[Checkpoint], results: Path, folder: Path) -> list[Measurement]:
    """All measurements, those of the file first; each new one is in the file before the next.

    A network that is in the folder is measured as it is, and not trained again either.
    """
    known = json.loads(results.read_text()) if results.exists() else []
    done = [Measurement(**each) for each in known]
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        if any(_is_of(case, each) for each in done):
            continue
        if not (folder / f"{case.name}.onnx").exists():
            write(case, folder)
        done.append(measured(case, folder, load_glyphs("test", IMAGES)))
        results.write_text(json.dumps([asdict(each) for each in done], indent=2) + "\n")
        print(f"{case.name}: done", file=sys.stderr)
    return done


def measured(case: Checkpoint, folder: Path, test: Images) -> Measurement:
    """Compile a network of the folder and run its integers on the test images."""
    assert case.levels is not None
    source = folder / f"{case.name}.onnx"
    network = snnc.compile(source, folder / "network.h5").network
    first = Images(test.x[:TEST_IMAGES], test.y[:TEST_IMAGES])
    decisions, spikes = golden_run(network, test)
    neurons, chances = size(network)
    return Measurement(
        model=case.model,
        levels=case.levels,
        l1=case.l1,
        seed=case.seed,
        float_accuracy=_accuracy(float_decisions(source, first), first),
        golden_accuracy=_accuracy(decisions[:TEST_IMAGES], first),
        golden_accuracy_on_more=_accuracy(decisions, test),
        spikes_per_image=round(spikes / len(test.x), 2),
        spikes_per_neuron=round(spikes / len(test.x) / neurons, 5),
        activity=round(spikes / len(test.x) / chances, 6),
    )


def golden_run(network: SpikingNetwork, test: Images) -> tuple[Integers, int]:
    """What the network in whole numbers decides, and the ones in the bits of all that it sends."""
    golden = Golden(network, every_population=True)
    bits = _bits(network)
    decisions, spikes = [], 0
    for result in golden.batches(encode(test.x, network.input), BATCH):
        decisions.append(logits_of(result.potential, network).argmax(1))
        for name, sent in result.sent.items():
            spikes += count_spikes(bits_of(sent, bits[name]))
    return np.concatenate(decisions), spikes


def size(network: SpikingNetwork) -> tuple[int, int]:
    """Firing neurons, and the most spikes that they could send for an image."""
    bits = _bits(network)
    sizes = {each.name: each.size for each in network if each.name in bits}
    return sum(sizes.values()), sum(sizes[name] * bits[name] for name in bits)


def grouped(measurements: Iterable[Measurement]) -> Groups:
    """Measurements that differ in their seeds alone, together."""
    groups: Groups = {}
    for each in sorted(measurements, key=lambda each: (list(TITLES).index(each.model), each.l1)):
        groups.setdefault((each.model, each.l1), []).append(each)
    return groups


def table(groups: Groups) -> Table:
    """One row for each model and weight."""
    rows = (
        (f"{TITLES[model]}, L = {each[0].levels}", scientific(l1), *cells(each))
        for (model, l1), each in groups.items()
    )
    return table_of_cells(f"glyphs, {TEST_IMAGES} test images", HEADS, rows)


def cells(seeds: Sequence[Measurement]) -> list[str]:
    """Means over the seeds and, of more than one, their standard deviations."""

    def cell(field: str, form: str, scale: float = 1) -> str:
        middle, spread = mean_and_spread(seeds, field, scale)
        return f"{middle:{form}}" + f" ± {spread:{form}}" * (len(seeds) > 1)

    return [
        str(len(seeds)),
        f"{cell('float_accuracy', '.2f', 100)} %",
        f"{cell('golden_accuracy', '.2f', 100)} %",
        f"{cell('golden_accuracy_on_more', '.2f', 100)} %",
        cell("spikes_per_image", ",.0f"),
        cell("spikes_per_neuron", ".3f"),
        f"{cell('activity', '.2f', 100)} %",
    ]


def mean_and_spread(
    seeds: Sequence[Measurement], field: str, scale: float = 1
) -> tuple[float, float]:
    """Mean and standard deviation of a field over the seeds; a single one has no spread."""
    values = [scale * getattr(each, field) for each in seeds]
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def draw(groups: Groups, path: Path) -> None:
    """Accuracy of the integers on IMAGES against activity, means and deviations over the seeds."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(5, 3.5), layout="constrained")).subplots()
    for model in dict.fromkeys(model for model, _ in groups):
        weights = [l1 for other, l1 in groups if other == model]
        x, y = (
            np.array([mean_and_spread(groups[model, l1], field, 100) for l1 in weights]).T
            for field in ("activity", "golden_accuracy_on_more")
        )
        axes.errorbar(
            x[0], y[0], y[1], x[1], "o", markersize=4, elinewidth=1, capsize=2, label=TITLES[model]
        )
        for l1, *point in zip(weights, x[0], y[0], strict=True):
            axes.annotate(
                scientific(l1), point, (4, -4), textcoords="offset points", va="top", size=8
            )
    axes.set_xlabel("activity (spikes per neuron and time step, %)")
    axes.set_ylabel("accuracy (%)")
    axes.margins(0.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(title="beside the points: l1 weight", frameon=False, loc="lower right")
    figure.savefig(path, dpi=300)


def _bits(network: SpikingNetwork) -> dict[str, int]:
    """The bits, and so the time steps, of every firing population."""
    return {name: bits_for(law.levels) for name, law in network.firing.items()}


def _is_of(case: Checkpoint, found: Measurement) -> bool:
    return case == Checkpoint(found.model, found.levels, found.l1, found.seed)


def _accuracy(decisions: Integers, test: Images) -> float:
    return round(float(np.mean(decisions == test.y)), 6)


if __name__ == "__main__":
    main()
