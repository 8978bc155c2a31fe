"""When each population listens and fires, by one of two schedules."""

from __future__ import annotations

from dataclasses import replace

from snnc.compiler.spiking import Schedule, SpikingNetwork


def schedule_populations(network: SpikingNetwork, schedule: Schedule) -> SpikingNetwork:
    """Choose the schedule; `snnc.compiler.timing` derives every window from it.

    Pipelined, a new image enters every max(T) steps; sequential, one image is in flight at a time.
    """
    return network if network.schedule == schedule else replace(network, schedule=schedule)
