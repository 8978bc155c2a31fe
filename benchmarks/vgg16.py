"""VGG16 on 32×32×3 images, random weights, T = 4: `python -m benchmarks.vgg16`.

Measures, in one run and on the same machine, images per second of ONNX Runtime on the float
network, of the golden model and of Lava in steady state. Ratios hold between machines.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import snnc
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import as_source, encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.engine import LAVA_MODELS, LavaModel
from snnc.runtime.engines.lava.simulator import simulate
from snnc.runtime.engines.source_model import SourceModel
from snnc.runtime.output.tables import print_table, table_of_cells

LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of each convolution; 0 is an average pool."""
LEVELS = 15
THRESHOLD = 2.0


def vgg16(path: Path, seed: int = 0) -> Path:
    """Write the float network with QCFS activations."""
    rng = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    last, channels = "x", 3

    def node(kind: str, *values: float | np.ndarray, **attributes: object) -> None:
        nonlocal last
        names = [f"c{len(constants) + i}" for i in range(len(values))]
        constants.extend(
            numpy_helper.from_array(np.asarray(value, np.float32), name)
            for name, value in zip(names, values, strict=True)
        )
        output = f"{kind.lower()}{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *names], [output], output, **attributes))
        last = output

    for out in LAYERS:
        if not out:
            node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
            continue
        weights = rng.normal(size=(out, channels, 3, 3)) * np.sqrt(2 / (9 * channels))
        node("Conv", weights, rng.normal(size=out) / 10, pads=[1, 1, 1, 1])
        node("Div", THRESHOLD / LEVELS)
        node("Add", 0.5)
        node("Floor")
        node("Clip", 0.0, float(LEVELS))
        node("Mul", THRESHOLD / LEVELS)
        channels = out
    node("Flatten")
    node("Gemm", rng.normal(size=(10, channels)) / np.sqrt(channels), np.zeros(10), transB=1)
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 32, 32])
    logits = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "vgg16", [source], [logits], constants)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def rate(work: Callable[[], object], images: int, rounds: int = 3) -> float:
    """Images per second, the best of some rounds after one to warm up."""
    work()
    return images / min(_seconds(work) for _ in range(rounds))


def lava_rate(
    network: SpikingNetwork, levels: np.ndarray, chunk: int, model: LavaModel
) -> tuple[float, float]:
    """Images per second with start and fill, and in steady state: from the first chunk on."""
    moments, counts = [perf_counter()], [0]
    with closing(simulate(network, [levels], chunk=chunk, model=model)) as stream:
        for each in stream:
            moments.append(perf_counter())
            counts.append(len(each.logits))
    whole = sum(counts) / (moments[-1] - moments[0])
    return whole, sum(counts[2:]) / (moments[-1] - moments[1])


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=128, help="images on Lava")
    parser.add_argument("--batch", type=int, default=32, help="images at a time elsewhere")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        model = vgg16(Path(folder) / "vgg16.onnx")
        start = perf_counter()
        network = snnc.load(snnc.compile(model).path)
        print(f"compiled, written and read in {perf_counter() - start:.1f} s", file=sys.stderr)
        float_model = SourceModel(onnx.load(model), "vgg16")
    shape = (max(options.images, options.batch), 3, 32, 32)
    x = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    batch = x[: options.batch]
    levels, floats, golden = (
        encode(batch, network.input),
        as_source(batch, network.input),
        Golden(network),
    )
    rates = {
        "ONNX Runtime, float network": rate(lambda: float_model.run(floats), len(batch)),
        "golden model": rate(lambda: golden.run(levels), len(batch)),
    }
    stream = encode(x[: options.images], network.input)
    for model, name in zip(LAVA_MODELS, ("Lava", "Lava, one process"), strict=True):
        rates[f"{name}, with fill"], rates[f"{name}, steady state"] = lava_rate(
            network, stream, 16, model
        )
    first = next(iter(rates.values()))
    rows = [(name, f"{value:.1f}", f"{value / first:.3f}") for name, value in rates.items()]
    heads = ("engine", "images/s", "of the float network")
    print_table(table_of_cells(f"VGG16, {options.images} images", heads, rows))


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


if __name__ == "__main__":
    main()
