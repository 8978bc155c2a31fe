"""Training of the digits network, the same network for the same seed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from examples.digits.data import HIGHEST_PIXEL, Images, load_digits_split
from examples.digits.model import digits_network
from snnc.frontends.torch import bit_l1

EPOCHS = 50
BATCH = 64
LEARNING_RATE = 0.01
WEIGHT_DECAY = 1e-3


def train(levels: int, l1: float = 0.0, seed: int = 0, epochs: int = EPOCHS) -> nn.Module:
    """Train the network of this many levels from scratch, see `fit`."""
    return fit(lambda: digits_network(levels), l1, seed, epochs)


def fit(
    make: Callable[[], nn.Module], l1: float = 0.0, seed: int = 0, epochs: int = EPOCHS
) -> nn.Module:
    """Train from scratch in seconds, on one thread: so sums have one order on every machine.

    Args:
        make: gives the network with weights at random.
        l1: weight of the spikes per image beside the cross entropy of the classes.
        seed: of the weights, the order of the images and their shifts.
        epochs: passes over the training images.

    Returns:
        The network in evaluation mode; it takes pixels divided by 16.
    """
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    images = load_digits_split()[0]
    x, y = normalised(images), torch.from_numpy(images.y)
    model = _fresh(make, seed)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    rounds = -(-len(x) // BATCH)
    schedule = OneCycleLR(optimizer, LEARNING_RATE, epochs=epochs, steps_per_epoch=rounds)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = functional.cross_entropy(model(_shifted(x[chosen], generator)), y[chosen])
            if l1:
                loss = loss + l1 * bit_l1(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def accuracy(model: nn.Module, images: Images) -> float:
    """Share of the images whose digit has the highest logit."""
    with torch.no_grad():
        found = model(normalised(images)).argmax(1)
    return float((found == torch.from_numpy(images.y)).float().mean())


def normalised(images: Images) -> Tensor:
    """The images as the network takes them, pixels from 0 to 1."""
    return torch.from_numpy(images.x) / HIGHEST_PIXEL


def _fresh(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _shifted(x: Tensor, generator: torch.Generator) -> Tensor:
    """Every image moved by up to one pixel, each way as likely as the next."""
    offsets = torch.randint(3, (2, len(x), 1), generator=generator)
    rows, columns = offsets + torch.arange(8)
    padded = functional.pad(x, (1, 1, 1, 1))
    image = torch.arange(len(x))[:, None, None]
    return padded[image, 0, rows[:, :, None], columns[:, None, :]][:, None]
