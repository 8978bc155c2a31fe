"""The rate code of snnc beside a simulation in PyTorch: `python -m examples.glyphs.torch_rate`.

The simulation is what papers run: float32, every neuron with its potential in thresholds, from one
half on, less one for each spike (Bu et al., ICLR 2022). Its own decisions change as much when its
weights are rounded; docs/doubts.md says what follows from that. Nothing of snnc's engines is used
for it, nor for the whole numbers of the compiled file, which PyTorch computes here once more.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

import snnc
from examples.glyphs.data import Images, load_glyphs
from snnc.compiler.laws import Rate, Readout
from snnc.compiler.spiking import Convolution, Population, Projection, SpikingNetwork
from snnc.runtime.output.tables import Table, print_table, table_of_cells

Array: TypeAlias = npt.NDArray[Any]
Operator: TypeAlias = Callable[..., Tensor]

MODEL = Path(__file__).parent / "checkpoints" / "resnet_L15.onnx"
TIME_STEPS = (1, 4, 8)
BATCH = 50
WHOLE = 50
"""Images for which PyTorch computes the compiled file too."""


@dataclass(frozen=True, eq=False)
class Step:
    """An operator with the names of what it reads and what it makes."""

    operator: Operator
    sources: tuple[str, ...]
    result: str


class Neurons:
    """Integrate and fire with a soft reset; a spike is worth the threshold."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.potential = torch.tensor(0.5)

    def __call__(self, current: Tensor) -> Tensor:
        """The spikes of one time step."""
        charged = self.potential + current / self.threshold
        spikes = (charged >= 1).to(charged)
        self.potential = charged - spikes
        return spikes * self.threshold


def spiking_model(model: onnx.ModelProto, change: Callable[[Tensor], Tensor]) -> list[Step]:
    """The graph of a checkpoint with neurons for its QCFS: Div, Clip, Add, Floor, Mul.

    Args:
        model: convolutions, sums, average pools and matrices between such activations.
        change: what becomes of weights and biases.
    """
    graph = model.graph
    weights = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    constants = {n.output[0]: n.attribute[0].t for n in graph.node if n.op_type == "Constant"}
    readers = {name: node for node in graph.node for name in node.input}
    steps, nodes = [], iter(graph.node)
    for node in nodes:
        if node.op_type == "Constant":
            continue
        result = node.output[0]
        if node.op_type == "Div":
            clip = readers[result]
            levels = float(numpy_helper.to_array(constants[clip.input[2]]))
            operator: Operator = Neurons(float(weights[node.input[1]]) * levels)
            while node.op_type != "Mul":
                node = next(nodes)
            result = node.output[0]
            sources = (next(n for n in graph.node if n.output[0] == clip.input[0]).input[0],)
        else:
            known = [change(weights[name]) for name in node.input if name in weights]
            operator = _linear(node, known)
            sources = tuple(name for name in node.input if name not in weights)
        steps.append(Step(operator, sources, result))
    return steps


def _linear(node: onnx.NodeProto, known: Sequence[Tensor]) -> Operator:
    found = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    if node.op_type == "Conv":
        pads = found["pads"][:2]
        return lambda x: F.conv2d(x, *known, stride=found["strides"], padding=pads)
    if node.op_type == "Gemm":
        return lambda x: F.linear(x, *known)
    if node.op_type == "AveragePool":
        return lambda x: F.avg_pool2d(x, found["kernel_shape"], found["strides"])
    if node.op_type == "Flatten":
        return lambda x: x.flatten(1)
    assert node.op_type == "Add", node.op_type
    return lambda x, y: x + y


def simulated(steps: Sequence[Step], images: Tensor, time_steps: int) -> Iterator[Tensor]:
    """The sum of the logits after each time step, the images being a constant current."""
    total = torch.tensor(0.0)
    for step in steps:
        if isinstance(step.operator, Neurons):
            step.operator.potential = torch.tensor(0.5)
    for _ in range(time_steps):
        values = {"input": images}
        for step in steps:
            values[step.result] = step.operator(*(values[name] for name in step.sources))
        total = total + values[steps[-1].result]
        yield total


def rounded_to_8_bits(weights: Tensor) -> Tensor:
    """A scale for each output channel; biases, which have one axis, stay as they are."""
    if weights.dim() < 2:
        return weights
    scale = weights.abs().flatten(1).amax(1) / 127
    scale = scale.reshape(-1, *(1,) * (weights.dim() - 1))
    return (weights / scale).round() * scale


CHANGES: Mapping[str, tuple[torch.dtype, Callable[[Tensor], Tensor]]] = {
    "torch, float32": (torch.float32, lambda weights: weights),
    "torch, float64": (torch.float64, lambda weights: weights.double()),
    "torch, 8-bit weights": (torch.float32, rounded_to_8_bits),
}
"""The simulations; the first is what the others are held against."""


def decided_by_torch(
    model: onnx.ModelProto, x: Array, how: tuple[torch.dtype, Callable[[Tensor], Tensor]]
) -> dict[int, Array]:
    """The decisions (images,) after each of TIME_STEPS."""
    kind, change = how
    steps, parts = spiking_model(model, change), []
    for start in range(0, len(x), BATCH):
        images = torch.tensor(x[start : start + BATCH]).to(torch.float32) / 255
        totals = list(simulated(steps, images.to(kind), max(TIME_STEPS)))
        parts.append([totals[steps - 1].argmax(1).numpy() for steps in TIME_STEPS])
    return dict(zip(TIME_STEPS, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def whole_logits(network: SpikingNetwork, x: Array) -> Array:
    """The read-out's potentials (images, classes) of a compiled network, as whole float64.

    Every population sees what its source sent in the same step: the delays of the chip, which are
    the same for all, are left out.
    """
    parts = []
    for start in range(0, len(x), BATCH):
        pixels = torch.tensor(x[start : start + BATCH]).double()
        potential = {each.name: _initial(each) for each in network}
        for _ in range(network.input.turn):
            values = {network.input.name: pixels}
            for each in network:
                arriving = (_arriving(p, values[p.source]) for p in each.projections)
                charged = sum(arriving, potential[each.name])
                potential[each.name] = charged
                if isinstance(each.neuron, Rate):
                    charged = charged + _shaped(each.bias, each)
                    threshold = _shaped(each.neuron.threshold, each)
                    values[each.name] = (charged >= threshold).double()
                    potential[each.name] = charged - values[each.name] * threshold
        parts.append(potential[network.readout.name].numpy())
    return np.concatenate(parts)


def _initial(population: Population) -> Tensor:
    """Of a read-out its bias, which it adds once."""
    if isinstance(population.neuron, Readout):
        return _shaped(population.bias, population)
    assert isinstance(population.neuron, Rate)
    return _shaped(population.neuron.initial, population)


def _arriving(projection: Projection, spikes: Tensor) -> Tensor:
    connection = projection.connection
    weights = torch.tensor(connection.weights).double() * 2**projection.exponent
    if not isinstance(connection, Convolution):
        return F.linear(spikes.flatten(1), weights)
    top, left, bottom, right = connection.pads
    padded = F.pad(spikes, (left, right, top, bottom))
    return F.conv2d(
        padded, weights, None, connection.strides, 0, connection.dilations, connection.groups
    )


def _shaped(values: Array, population: Population) -> Tensor:
    """Values for each channel or neuron, against (images, *shape)."""
    spread = torch.tensor(values).double()
    return spread.reshape(*spread.shape, *(1,) * (len(population.shape) - spread.dim()))


@dataclass(frozen=True, eq=False)
class Decided:
    """What snnc's rate code decides, and in how many logits PyTorch computes the file otherwise."""

    decisions: dict[int, Array]
    compared: int
    differing: int


def decided_by_snnc(model: Path, x: Array, folder: Path, weight_bits: int) -> Decided:
    """The golden model of the rate code for each of TIME_STEPS, and its file in PyTorch."""
    decisions, compared, differing = {}, 0, 0
    for steps in TIME_STEPS:
        path = folder / f"{steps}.h5"
        snnc.compile(model, path, code="rate", timesteps=steps, weight_bits=weight_bits)
        network = snnc.load(path)
        result = snnc.run(path, snnc.Data(x), engine="golden").result
        decisions[steps] = result.decisions
        neuron = network.readout.neuron
        assert isinstance(neuron, Readout)
        wanted = result.logits[:WHOLE]
        compared += wanted.size
        differing += int(np.sum(whole_logits(network, x[:WHOLE]) * neuron.unit != wanted))
    return Decided(decisions, compared, differing)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description="The rate code beside PyTorch's.")
    parser.add_argument("--model", type=Path, default=MODEL, help="a checkpoint of glyphs")
    parser.add_argument("--images", type=int, default=500, help="test images")
    options = parser.parse_args()
    images, model = load_glyphs("test", options.images), onnx.load(options.model)
    with torch.no_grad(), TemporaryDirectory() as folder:
        found = {name: decided_by_torch(model, images.x, how) for name, how in CHANGES.items()}
        ours = {
            f"snnc, {bits}-bit weights": decided_by_snnc(
                options.model, images.x, Path(folder), bits
            )
            for bits in (8, 16)
        }
    found |= {name: each.decisions for name, each in ours.items()}
    print_table(table(found, images, options.model.stem))
    for name, each in ours.items():
        counts = f"{each.compared:,} logits of its files in torch, {each.differing:,} differ"
        print(f"{name}: {counts} from golden's")


def table(found: Mapping[str, dict[int, Array]], images: Images, name: str) -> Table:
    """Decisions shared with the first simulation, and accuracies."""
    heads = [f"{what} {steps}" for what in ("same", "right") for steps in TIME_STEPS]
    title = f"{name}, {len(images.x)} test images: same decision as the first, right, at each T"
    reference, rows = next(iter(found.values())), []
    for each, decisions in found.items():
        agrees = [np.mean(decisions[steps] == reference[steps]) for steps in TIME_STEPS]
        right = [np.mean(decisions[steps] == images.y) for steps in TIME_STEPS]
        rows.append((each, *(f"{100 * share:.1f} %" for share in (*agrees, *right))))
    return table_of_cells(title, ("simulation", *heads), rows)


if __name__ == "__main__":
    main()
