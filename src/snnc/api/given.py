"""Images in memory, in whatever form Python users have them.

PyTorch is never imported here: who gives a tensor or a loader has done so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import refusal
from snnc.compiler.options import Images

if TYPE_CHECKING:
    from snnc.runtime.data import Data

GivenImages: TypeAlias = str | Path | Images | Iterable[Any]
"""A DATA.npz; or in memory `snnc.Data`, (x, y), x alone, a data set or a loader of PyTorch."""
ALLOWED = "a path, snnc.Data, (x, y), x alone, or a Dataset or DataLoader of PyTorch"


def in_memory(given: object, limit: int | None = None) -> Data:
    """Images that are given in memory.

    Args:
        given: NumPy arrays or tensors of PyTorch, with x and y or as a pair, or x alone; or a
            `Dataset` or `DataLoader` of PyTorch, of such pairs or of images alone.
        limit: of a data set or a loader take no more than so many images, if not None.

    Raises:
        SnncError: for anything else.
    """
    from snnc.runtime.data import Data

    if isinstance(given, Images):
        return Data(_array(given.x), _labels(given.y))
    if isinstance(given, tuple) and len(given) == 2:
        return Data(_array(given[0]), _labels(given[1]))
    if _is_array(given):
        return Data(_array(given))
    if (batches := _batches(given)) is not None:
        return _joined(batches, limit)
    what = f"it is a {type(given).__name__}; allowed: {ALLOWED}"
    raise refusal("data", what, "give snnc.Data(x, y)")


def _batches(given: Any) -> Iterator[Any] | None:  # noqa: ANN401
    """The batches of a loader, or of a data set each image as a batch; None for anything else."""
    utilities = sys.modules.get("torch.utils.data")
    if utilities is None:
        return None
    if isinstance(given, utilities.DataLoader):
        return (each for each in given)
    if isinstance(given, utilities.IterableDataset):
        return map(_of_one, given)
    if isinstance(given, utilities.Dataset):
        return (_of_one(given[index]) for index in range(len(given)))
    return None


def _of_one(sample: Any) -> Any:  # noqa: ANN401
    """A sample as a batch."""
    if isinstance(sample, tuple | list):
        return tuple(_array(each)[None] for each in sample)
    return _array(sample)[None]


def _joined(batches: Iterator[Any], limit: int | None) -> Data:
    """All batches one behind the other; labels, where each batch has some.

    Raises:
        SnncError: for batches that do not go together.
    """
    from snnc.runtime.data import Data

    x: list[npt.NDArray[Any]] = []
    y: list[npt.NDArray[Any]] = []
    for batch in batches:
        parts = batch if isinstance(batch, tuple | list) else (batch,)
        x.append(_array(parts[0]))
        y += [_array(each) for each in parts[1:2]]
        if limit is not None and sum(map(len, x)) >= limit:
            break
    if not x:
        raise refusal("data", "it holds no images; at least 1 is needed", "give some")
    try:
        return Data(np.concatenate(x), np.concatenate(y) if y else None)
    except ValueError as error:
        raise refusal("data", f"its batches differ in shape: {error}", "make them alike") from None


def _is_array(given: object) -> bool:
    torch = sys.modules.get("torch")
    return isinstance(given, np.ndarray) or (torch is not None and isinstance(given, torch.Tensor))


def _array(given: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    """An array of NumPy; a tensor is taken from wherever it is."""
    return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)


def _labels(given: Any) -> npt.NDArray[Any] | None:  # noqa: ANN401
    return None if given is None else _array(given)
