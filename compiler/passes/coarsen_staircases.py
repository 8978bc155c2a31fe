"""Fewer time steps than bits: each staircase gets fewer levels over the same range."""

from __future__ import annotations

import numpy as np

from snnc.compiler.errors import refusal
from snnc.compiler.laws import bits_for
from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Affine, Staircase


def coarsen_staircases(network: Network, time_steps: int | None) -> Network:
    """Keep 2^T' − 1 levels where there are more.

    Level n stands for n − ½ < x − ½ < n + ½, so the coarse level is
    n' = clip(⌊(x − ½)·N'/N + ½⌋, 0, N'), worth N/N' fine ones. This is no longer error-free.

    Raises:
        SnncError: for more time steps than any activation has bits, which would all be silent.
    """
    if time_steps is None:
        return network
    _require_use(network, time_steps)
    highest = (1 << time_steps) - 1
    wide = [n for n in network if isinstance(n.operator, Staircase) and n.operator.levels > highest]
    if not wide:
        return network
    names = {node.name for node in wide}
    builder = Builder()
    renamed: dict[str, str] = {}
    for node in network:
        sources = tuple(renamed[each] for each in node.sources)
        if isinstance(node.operator, Staircase) and node.name in names:
            renamed[node.name] = _coarse(
                builder, node.name, node.operator.levels, highest, sources[0]
            )
        else:
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    bits = max(bits_for(n.operator.levels) for n in wide if isinstance(n.operator, Staircase))
    remark = (
        f"{len(wide)} of the activations need up to {bits} time steps and got {time_steps}: "
        "their staircases are coarser, and the network is no longer error-free"
    )
    return network.replaced(builder.nodes(renamed[network.output.name]), remark)


def _require_use(network: Network, time_steps: int) -> None:
    bits = [bits_for(n.operator.levels) for n in network if isinstance(n.operator, Staircase)]
    if time_steps > max(bits, default=0):
        found = (
            f"no activation has more than {max(bits)} bits" if bits else "there is no activation"
        )
        allowed = f"; allowed: 1 to {max(bits)}" if bits else ""
        what = f"{time_steps} with the code 'bit-serial', and {found}{allowed}"
        raise refusal("`timesteps`", what, "leave it out to keep every level")


def _coarse(builder: Builder, name: str, levels: int, highest: int, source: str) -> str:
    ratio, zero = np.array(highest / levels), np.array(0.0)
    scaled = builder.add(f"{name}.coarse", Affine(ratio, 0.5 - 0.5 * ratio), source)
    node = builder.add(name, Staircase(highest), scaled)
    return builder.add(f"{name}.fine", Affine(1 / ratio, zero), node)
