"""A neuron program is its law: the same spikes and states, in every time step and bit for bit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from support.integer_law import evaluate
from support.spiking_networks import (
    CODES,
    behind_a_relay,
    calibrating,
    chain,
    chain_of,
    random_network,
    stream,
)
from support.step_by_step import run_steps

from snnc.compiler.laws import BitSerial, Graded, OffsetSpike, Rate
from snnc.compiler.programs import ProgramNeurons, programs_of
from snnc.compiler.programs.instructions import operations_of, parsed, text_of
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.lava.integrate import OffsetSpikeNeurons
from snnc.runtime.engines.lava.membrane import HIGHEST_STATE, LOWEST_STATE, Membrane, State

THETA, HALF = np.array([700]), np.array([350])
CHAINS = [
    chain(bias=-40),
    chain_of(BitSerial(np.array([100]), 9, lead=2)),
    chain_of(BitSerial(np.array([1]), 1530), schedule="sequential"),
    chain_of(Graded(np.array([100]), 9), bias=50),
    chain_of(Rate(THETA, HALF, 5), bias=-9),
    chain_of(OffsetSpike(THETA, HALF, 5, rho=3, iterations=2), bias=9),
    chain_of(OffsetSpike(THETA, HALF, 2, rho=4, light=True)),
    behind_a_relay(Rate(THETA, HALF, 5)),
    behind_a_relay(OffsetSpike(THETA, HALF, 3, rho=2)),
    stream(),
]
RANDOM = [random_network(seed, code) for code in CODES for seed in range(6)]
CALIBRATING = [calibrating(seed) for seed in range(3)]


def beside_the_simulator(network: SpikingNetwork, images: int = 4) -> None:
    """Run the simulator's neurons, whose planes and potentials must be those of the integer law,
    and beside each population its program, which must do the same in every time step, and as many
    operations as it says.
    """
    require_legal(network)
    source, programs = network.input, programs_of(network)
    levels = np.random.default_rng(1).integers(0, source.levels + 1, (images, *source.shape))
    levels[0], levels[1] = 0, source.levels

    def watch(name: str, law: Membrane) -> None:
        neurons, step = ProgramNeurons(programs[name]), law.step

        def both(now: int, arrived: State) -> State:
            expected, before = step(now, arrived), neurons.operations.total()
            np.testing.assert_array_equal(neurons.step(now, arrived), expected, err_msg=name)
            if not network.is_stock:  # those of Lava forget
                held = neurons.states["v"] + neurons.states.get("u", 0)
                np.testing.assert_array_equal(held, law._v + law._u, err_msg=name)
            if now >= neurons.program.first:
                least, most = neurons.program.operations(
                    (now - neurons.program.first) % period
                ).range
                done = (neurons.operations.total() - before) / expected.size
                assert least <= done <= most, name
            return expected

        law.step = both  # type: ignore[method-assign]

    expected, period = evaluate(network, levels), timing_of(network).period
    potentials, planes = run_steps(network, levels, watch)
    np.testing.assert_array_equal(potentials, expected[network.readout.name])
    for name, law in network.firing.items():
        np.testing.assert_array_equal(planes[name], law.bit_planes(expected[name]), err_msg=name)


@pytest.mark.parametrize("network", [*CHAINS, *RANDOM, *CALIBRATING])
def test_a_program_is_its_law_in_every_time_step(network: SpikingNetwork) -> None:
    beside_the_simulator(network)


@pytest.mark.parametrize("bias", [HIGHEST_STATE - 20_000, 20_000 - HIGHEST_STATE])
def test_a_constant_current_saturates_and_needs_no_wider_register(bias: int) -> None:
    network = chain_of(Rate(np.array([40]), np.array([20]), 9), bias=bias)
    assert "MAX" in str(programs_of(network)["fc"])
    beside_the_simulator(network)


def test_operations_of_a_whole_period_are_those_of_its_steps() -> None:
    for network in RANDOM:
        for program in programs_of(network).values():
            steps = [program.operations(step).range for step in range(program.period)]
            total = tuple(map(sum, zip(*steps, strict=True)))
            assert program.operations_per_image.range == total


def test_bit_serial_is_counted_by_hand() -> None:
    fc, out = programs_of(chain()).values()
    assert [fc.operations(t).range for t in range(3)] == [(8, 11), (4, 6), (5, 7)]
    assert fc.operations(1).most == Counter(
        {"branch": 2, "shift": 1, "compare": 1, "subtract": 1, "spike": 1}
    )
    assert [out.operations(t).range for t in range(3)] == [(3, 3), (3, 3), (8, 8)]
    assert (fc.instructions, out.instructions) == (9, 7)


def test_a_listing_is_its_program() -> None:
    for network in (*CHAINS, *RANDOM):
        for program in programs_of(network).values():
            for block in program.blocks:
                assert parsed(text_of(block.code)) == block.code
                assert text_of(block.code).splitlines()[0] in str(program)


@pytest.mark.parametrize(
    "text",
    [
        *("v = v + a", "v <- v * a", "if v >= 1:", "v <- 1\n    spike", "else:\n    spike"),
        *("        spike\n    v <- 0", "repeat k = 3..1:\n    spike", "spike n now"),
    ],
)
def test_what_is_no_instruction_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no instruction|indented"):
        parsed(text)


def test_a_number_that_its_register_does_not_hold_is_told() -> None:
    (program, _) = programs_of(chain()).values()
    assert program.states[0].bits == 12
    with pytest.raises(OverflowError, match=r"fc: v is 2048; allowed: -2048..2047"):
        ProgramNeurons(program).step(1, np.array([2048]))


def test_no_more_is_counted_than_is_taken() -> None:
    way = operations_of(parsed("if v > 0:\n    v <- 0\n    spike\nelse:\n    v <- v + 1\n"))
    assert way.range == (3, 4)
    assert operations_of(parsed("repeat k = 2..0:\n    v <- v << 1\n")).most == {"shift": 3}


@pytest.mark.parametrize("light", [False, True])
def test_a_calibration_moves_every_neuron_as_the_theorems_say(light: bool) -> None:
    law = OffsetSpike(np.array([4]), np.array([2]), 3, rho=3, light=light)
    grid = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 4)).reshape(4, -1)
    start, v, least, most = grid
    # as a calibration leaves them where no spike was fired, or one in every step
    least = np.where(least == 6, HIGHEST_STATE, least)
    most = np.where(most == -6, LOWEST_STATE, most)
    network = chain_of(law)
    simulator = OffsetSpikeNeurons(
        replace(network.populations[0], shape=start.shape), timing_of(network).slots["fc"], 6
    )
    simulator._start, simulator._v = start.astype(np.int32), v.astype(np.int32)
    simulator._least_fired, simulator._most_silent = least.astype(np.int32), most.astype(np.int32)
    program = replace(programs_of(network)["fc"], shape=start.shape)
    neurons = ProgramNeurons(program)
    neurons.states |= {"start": start, "v": v, "least": least, "most": most}
    (end,) = (each for each in program.blocks if each.when == "a calibration ends")
    neurons._run(end.code, np.ones(start.shape, np.bool_))
    np.testing.assert_array_equal(neurons.states["start"], start + simulator._shift())
