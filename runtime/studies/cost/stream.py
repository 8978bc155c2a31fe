"""How long the time steps of a stream of images take: each as long as its slowest core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snnc.compiler.laws import Floats
from snnc.compiler.mapping.constants import EventCosts
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.runtime.studies.cost.events import Arrivals


class StepTimes:
    """Adds up the work of each core in each time step, and ends the steps that are complete.

    A core has two stages that work at once, on neurons and on what arrives: a step takes as long as
    the slower stage of the slowest core, and a barrier.
    """

    def __init__(
        self, mapping: CoreMapping, costs: EventCosts, neurons: Floats, period: int, end: int
    ) -> None:
        """Begin a stream.

        Args:
            mapping: of the network.
            costs: times of events.
            neurons: those that each core updates in every step; (cores,).
            period: steps from an image to the next.
            end: steps that an image takes.
        """
        self._firsts, self._costs = mapping.first_cores, costs
        self._every_step = neurons * costs.neuron.time
        self._barrier = costs.barrier(mapping.routers)
        self._period, self._end = period, end
        self._own = self._arriving = np.zeros((0, mapping.cores))
        self._ended: list[Floats] = []

    def begin(self, images: int) -> None:
        """Make room for a batch of images, which follows those before."""
        room = (images - 1) * self._period + self._end - len(self._own)
        more = np.zeros((max(room, 0), self._own.shape[1]))
        self._own = np.concatenate([self._own, more])
        self._arriving = np.concatenate([self._arriving, more])

    def add(
        self, layer: int, step: int, sent: tuple[Floats, Floats], arrivals: Sequence[Arrivals]
    ) -> None:
        """Add what a layer sends in one step of every image of the batch.

        Args:
            layer: that sends; the first is the input, whose spikes come from outside.
            step: counted from the first of an image.
            sent: its spikes and its messages.
            arrivals: what they cause.
        """
        costs, (spikes, messages) = self._costs, sent
        steps = step + self._period * np.arange(len(spikes))
        firing = costs.spike.time if layer else 0.0
        own = firing * spikes + costs.message_out.time * messages
        self._own[steps, self._cores(layer)] += own
        for each in arrivals:
            synapse = costs.dense_synapse if each.is_dense else costs.convolution_synapse
            work = costs.message_in.time * each.messages + synapse.time * each.operations
            self._arriving[steps, self._cores(each.index)] += work

    def end(self, images: int) -> None:
        """End the steps before those of the image that follows a batch."""
        self._close(images * self._period)

    def all_steps(self) -> Floats:
        """The ns of each step, all that were begun."""
        if len(self._own):
            self._close(len(self._own))
        return np.concatenate(self._ended) if self._ended else np.zeros(0)

    def _close(self, count: int) -> None:
        own, arriving = self._own[:count], self._arriving[:count]
        self._own, self._arriving = self._own[count:], self._arriving[count:]
        slowest = np.maximum((own + self._every_step).max(axis=1), arriving.max(axis=1))
        self._ended.append(slowest + self._barrier)

    def _cores(self, layer: int) -> slice:
        return slice(self._firsts[layer], self._firsts[layer + 1])
