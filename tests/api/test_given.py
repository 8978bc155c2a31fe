"""Images in memory: whatever form they come in, the same images."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import snnc
from snnc.api.given import in_memory
from snnc.compiler.errors import SnncError

X = np.random.default_rng(0).uniform(size=(10, 1, 4, 4)).astype(np.float32)
Y = np.arange(10) % 3


def same(given: object, limit: int | None = None, *, labels: bool = True) -> None:
    found = in_memory(given, limit)
    np.testing.assert_array_equal(found.x[:limit], X[:limit])
    assert (found.y is not None) == labels
    if labels:
        np.testing.assert_array_equal(found.y[:limit], Y[:limit])


def test_arrays() -> None:
    same(snnc.Data(X, Y))
    same(SimpleNamespace(x=X, y=Y))
    same((X, Y))
    same((X, None), labels=False)
    same(X, labels=False)
    same((X[:2], Y[:2]), 2)


@pytest.mark.parametrize("given", [7, [X, Y], (X, Y, Y), {"x": X}, None, "x"])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(SnncError, match=r"data: it is a \w+; allowed: a path, snnc.Data, \(x, y\)"):
        in_memory(given)


@pytest.mark.torch
def test_tensors_data_sets_and_loaders() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, IterableDataset, TensorDataset

    x, y = torch.tensor(X), torch.tensor(Y)
    pairs = TensorDataset(x, y)
    same((x.requires_grad_(), y))
    same(x, labels=False)
    same(snnc.Data(x, y))
    same(pairs)
    same(DataLoader(pairs, batch_size=4))
    same(DataLoader(x.detach(), batch_size=4), labels=False)
    same(DataLoader(pairs, batch_size=4), 6)

    class Endless(IterableDataset):
        def __iter__(self):
            while True:
                yield from zip(X, Y, strict=True)

    same(Endless(), 5)
    assert len(in_memory(DataLoader(pairs, batch_size=4), 6).x) == 8


@pytest.mark.torch
def test_what_cannot_be_put_together_is_refused() -> None:
    pytest.importorskip("torch")
    from torch.utils.data import DataLoader, Dataset

    class Images(Dataset):
        def __init__(self, *images):
            self.images = images

        def __len__(self):
            return len(self.images)

        def __getitem__(self, index):
            return self.images[index]

    with pytest.raises(SnncError, match="its batches differ in shape"):
        in_memory(Images(X[0], X[1, :, :2]))
    with pytest.raises(SnncError, match="it holds no images"):
        in_memory(DataLoader(Images()))
