"""Runs images through the slayer network; PyTorch and Lava-DL are imported when it does."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem, SnncError, failure, first_line, refusal
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.installing import missing_library
from snnc.runtime.engines.room import too_little_room
from snnc.runtime.engines.slayer.laws import problems_of_network

if TYPE_CHECKING:
    from torch import Tensor

    from snnc.runtime.engines.slayer.network import SlayerNetwork


class SlayerEngine:
    """Lava-DL's own blocks in PyTorch: the same spikes, without time."""

    name = "slayer"
    label = "Lava-DL"
    title = "Lava-DL, torch (spikes)"
    sends_spikes = True
    takes_device = True

    def missing(self) -> Problem | None:
        """Room for PyTorch and Lava-DL, and the two themselves."""
        modules = ("torch", "lava", "lava.lib.dl", "lava.lib.dl.slayer")
        return too_little_room(self.label) or missing_library(self.label, "slayer", modules, _load)

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        """It knows bit-serial neurons alone."""
        return problems_of_network(network)

    def stream(
        self, network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int, device: str = "cpu"
    ) -> Generator[Chunk, None, None]:
        """See `run_slayer`."""
        return run_slayer(network, batches, device, chunk=chunk)


def _load() -> None:
    from snnc.runtime.engines.slayer import library  # noqa: F401


def run_slayer(
    network: SpikingNetwork, batches: Iterable[Pixels], device: str = "cpu", *, chunk: int = 16
) -> Generator[Chunk, None, None]:
    """Run images and yield their results, each image once and in order.

    Args:
        network: as read from its file.
        batches: arrays (images, *input shape) of input levels 0 … N.
        device: where PyTorch computes; the results are the same on each.
        chunk: the most images that are in memory as spike trains.

    Raises:
        SnncError: PyTorch or Lava-DL is missing, the device cannot be used, a population fires in
            a code other than bit-serial, or the network is not legal.
    """
    if missing := SlayerEngine().missing():
        raise SnncError(missing)
    from snnc.runtime.engines.slayer.network import SlayerNetwork

    _require_device(device)
    model = SlayerNetwork(network).to(device)
    first = 0
    for levels in batches:
        for start in range(0, len(levels), chunk):
            try:
                found = _run(model, levels[start : start + chunk], device, first + start)
            except RuntimeError as error:
                raise failure("Lava-DL", f"PyTorch failed: {first_line(error)}") from error
            yield found
        first += len(levels)


def _require_device(device: str) -> None:
    import torch

    try:
        torch.empty(0, dtype=torch.float64, device=device).cpu()
    except (AssertionError, RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise refusal("`device`", f"{device!r} cannot be used: {reason}", "leave it out") from error


def _run(model: SlayerNetwork, levels: Pixels, device: str, first: int) -> Chunk:
    import torch

    spikes: dict[str, npt.NDArray[np.uint8]] = {}

    def pack(name: str, train: Tensor) -> None:
        spikes[name] = _packed(train)

    logits = model(torch.as_tensor(levels.astype(np.int64), device=device), pack)
    return Chunk(first, logits.cpu().numpy().astype(np.int64), spikes)


def _packed(train: Tensor) -> npt.NDArray[np.uint8]:
    """Spikes (N, *shape, T) as `numpy.packbits` of every time step."""
    steps = train.bool().flatten(1, -2).transpose(1, 2)
    return np.packbits(steps.cpu().numpy(), axis=2)
