"""A look through a whole file, before a link in it is followed or a number of it is read.

What a file declares decides: nothing outside it is opened, no filter of a stranger is run, and no
more is declared than the limits of a network allow (compiler/limits.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5t, h5z

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import fault
from snnc.compiler.limits import MOST_ATTRIBUTE, MOST_NAME, MOST_TEXT

MOST_OBJECTS = 1 << 18
"""Groups and arrays: more than the layers and projections of the largest network have."""
MOST_DEPTH = 6
MOST_ATTRIBUTES = 64
MOST_CHUNK = 1 << 24
"""Bytes that are decompressed at once."""
FILTERS = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE)


@dataclass
class Budget:
    """What was declared so far."""

    objects: int = 0
    numbers: int = 0
    seen: set[int] = field(default_factory=set)
    """Addresses of objects."""


def require_plain(file: h5py.File) -> None:
    """Refuse a file that is more than groups and arrays of its own, or larger than a network.

    Raises:
        SnncError: naming the first thing that is.
    """
    budget = Budget()
    _attributes(file, "", file.id)
    groups = [(file, 1)]
    while groups:
        group, depth = groups.pop()
        budget.objects += len(group)
        if budget.objects > MOST_OBJECTS:
            what = f"it holds {budget.objects} groups and arrays; allowed: up to {MOST_OBJECTS}"
            raise fault(file["/"], what)
        for key in group:
            if _is_group(group, key, budget):
                if depth == MOST_DEPTH:
                    what = f"a group below {MOST_DEPTH} others; allowed: up to {MOST_DEPTH}"
                    raise fault(group, what, key)
                groups.append((group[key], depth + 1))


def _is_group(group: h5py.Group, key: str | bytes, budget: Budget) -> bool:
    """Whether a group stands under a key; an array is looked at here."""
    if isinstance(key, bytes):  # what h5py cannot read as text
        raise fault(group, "its name is no UTF-8", key.decode("ascii", "backslashreplace"))
    name = key.encode("utf-8", "surrogateescape")
    if group.id.links.get_info(name).type != h5l.TYPE_HARD:
        raise fault(group, "it is a link to another place; allowed: what stands here", key)
    found = h5o.open(group.id, name)
    address = h5o.get_info(found).addr
    if address in budget.seen:
        raise fault(group, "it stands in the file twice; allowed: once", key)
    budget.seen.add(address)
    _attributes(group, key, found)
    if isinstance(found, h5g.GroupID):
        return True
    if not isinstance(found, h5d.DatasetID):
        raise fault(group, "it is neither a group nor an array", key)
    _require_own(group, key, found)
    _require_small(group, key, found, budget)
    return False


def _require_own(group: h5py.Group, key: str, found: h5d.DatasetID) -> None:
    """An array's numbers stand in the file itself, behind filters that every HDF5 library has."""
    declared = found.get_create_plist()
    layout = declared.get_layout()
    if layout == h5d.VIRTUAL or declared.get_external_count():
        raise fault(group, "its numbers stand in another file; allowed: in this one", key)
    filters = [declared.get_filter(i)[0] for i in range(declared.get_nfilters())]
    if any(each not in FILTERS for each in filters):
        raise fault(group, f"filters {filters}; allowed: shuffle and gzip", key)
    if layout == h5d.CHUNKED:
        size = prod(declared.get_chunk()) * found.get_type().get_size()
        if size > MOST_CHUNK:
            raise fault(group, f"chunks of {size} bytes; allowed: up to {MOST_CHUNK}", key)


def _require_small(group: h5py.Group, key: str, found: h5d.DatasetID, budget: Budget) -> None:
    """An array on its own, and all of them together, fit into memory."""
    shape, size = found.shape or (), found.get_type().get_size()
    numbers = prod(shape)
    if found.get_type().get_class() == h5t.STRING:
        most = MOST_TEXT if shape else MOST_NAME
        if numbers * size > most:
            raise fault(group, f"{numbers * size} bytes of text; allowed: up to {most}", key)
        return
    if numbers > schema.MAX_NUMBERS:
        what = f"it declares {numbers} numbers; allowed: {schema.MAX_NUMBERS}"
        raise fault(group, what, key)
    budget.numbers += numbers
    if budget.numbers > schema.MAX_NUMBERS:
        what = f"the file declares {budget.numbers} numbers up to here"
        raise fault(group, f"{what}; allowed: {schema.MAX_NUMBERS}", key)


def _attributes(group: h5py.Group, key: str, found: h5o.ObjectID) -> None:
    """The attributes of what stands under a key are few and small.

    Those in a heap may be compressed, and are read as soon as one is asked for.
    """
    if h5o.get_info(found).meta_size.attr.heap_size:
        raise fault(group, "its attributes stand in a heap; allowed: in its header", key)
    count = h5a.get_num_attrs(found)
    if count > MOST_ATTRIBUTES:
        raise fault(group, f"{count} attributes; allowed: up to {MOST_ATTRIBUTES}", key)
    for index in range(count):
        each = h5a.open(found, index=index)
        numbers, size = prod(each.shape or ()), each.get_type().get_size()
        is_text = each.get_type().get_class() == h5t.STRING
        if numbers > MOST_ATTRIBUTE or (is_text and numbers * size > MOST_NAME):
            where = "/".join(filter(None, (key, each.name.decode("ascii", "backslashreplace"))))
            what = f"{numbers} values of {size} bytes; allowed: up to {MOST_ATTRIBUTE} numbers"
            raise fault(group, f"{what}, or {MOST_NAME} bytes of text", where)
