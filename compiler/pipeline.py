"""The order of the passes: one tuple of stages, and the function that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from snnc.compiler.codes import Code, code_of, problems_of_options
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.inputs import Input, PlanesInput
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.options import (
    CompileOptions,
    Encoding,
    encoding_of,
    problems_of_encoding,
    problems_of_labels,
)
from snnc.compiler.passes.coarsen_staircases import coarsen_staircases
from snnc.compiler.passes.compose_chains import compose_chains
from snnc.compiler.passes.drop_repeats import drop_repeats
from snnc.compiler.passes.encode_input import encode_input
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.join_curves import join_curves
from snnc.compiler.passes.lower_max_pools import lower_max_pools
from snnc.compiler.passes.quantize_weights import choose_widths, quantize_weights
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.passes.shift_biases import shift_biases
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.compiler.passes.split_max_pools import split_max_pools
from snnc.compiler.passes.sum_average_pools import sum_average_pools
from snnc.compiler.quantization.layer import Precision
from snnc.compiler.quantization.observer import Observer
from snnc.compiler.quantization.widths import WORD_BITS
from snnc.compiler.rules.float_ir import (
    COMPOSED,
    FOLDED,
    JOINED,
    MODEL,
    POOLED,
    RECOGNIZED,
    SHIFTED,
    NetworkRule,
    require_rules,
)
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import SpikingNetwork, planar
from snnc.compiler.target import Target, find_target

AnyNetwork: TypeAlias = Network | SpikingNetwork
Watcher: TypeAlias = Callable[[str, AnyNetwork], None]


@dataclass(frozen=True, eq=False)
class CalibrationHooks:
    """What calibration data teach, as functions of the network at the stage they are about."""

    calibrate: Callable[[Network, bool], Network] = lambda network, uneven: network
    """Gives activations levels, in a network without batch norms; uneven ones, where the code can
    send them."""
    observe: Callable[[Network, Input], Observer | None] = lambda network, _: None
    """Sends images through a composed network, whose pixels are sent by this input, while its
    weights are rounded."""


@dataclass(frozen=True, eq=False)
class Job:
    """What every stage may know: the options, each in the form that the passes take."""

    options: CompileOptions
    target: Target
    code: Code
    encoding: Encoding
    pixels: Input
    """What the input sends in one step."""
    hooks: CalibrationHooks = field(default_factory=CalibrationHooks)


@dataclass(frozen=True)
class Stage:
    """A pass, and the rules that hold after it: those of the IR that it leaves."""

    name: str
    run: FloatPass | LoweringPass | SpikingPass
    holds: tuple[NetworkRule, ...] = ()


@dataclass(frozen=True)
class FloatPass:
    """From the network IR to itself."""

    run: Callable[[Network, Job], Network]


@dataclass(frozen=True)
class LoweringPass:
    """From the network IR to the spiking IR."""

    run: Callable[[Network, Job], SpikingNetwork]


@dataclass(frozen=True)
class SpikingPass:
    """From the spiking IR to itself."""

    run: Callable[[SpikingNetwork, Job], SpikingNetwork]


def _recognize(network: Network, job: Job) -> Network:
    return recognize_staircases(network, calibrated=job.options.calibration is not None)


def _encode(network: Network, job: Job) -> Network:
    return encode_input(network, job.encoding, planes=isinstance(job.pixels, PlanesInput))


def _coarsen(network: Network, job: Job) -> Network:
    """What quantises pixels on their own grid costs no time step, however many levels it has."""
    return coarsen_staircases(drop_repeats(network, job.pixels.levels), job.code.coarsest)


def _compose(network: Network, job: Job) -> Network:
    return compose_chains(network, shifted=job.code.limits(job.target).max_weight_exponent > 0)


def _quantize(network: Network, job: Job) -> SpikingNetwork:
    """Choose what the user left open about the code, then lower every layer."""
    code = job.code.settled(_most_levels(network))
    shape = job.pixels.pixel_shape
    source = code.input(job.encoding, job.options.input_of(job.target), job.pixels.name, shape)
    observer = job.hooks.observe(network, job.pixels)
    limits, options = code.limits(job.target), job.options
    if options.weight_bits != "auto":
        precision = Precision(limits, options.weight_bits)
        spiking = quantize_weights(network, source, precision, observer, code)
        return replace(spiking, target=job.target)
    precision = Precision(limits, limits.weight_bits)
    assert observer is not None
    assert options.budget is not None
    widths = choose_widths(network, source, precision, observer, code, options.budget)
    # the images set out again, through layers that are rounded
    observer = job.hooks.observe(network, job.pixels)
    spiking = quantize_weights(network, source, precision, observer, code, widths.bits)
    remark = f"the weights take {widths.words} of {options.budget} words of {WORD_BITS} bits"
    return replace(spiking, target=job.target).remarked(remark)


def _schedule(network: SpikingNetwork, job: Job) -> SpikingNetwork:
    """What it leaves is written as it is, so it must be legal."""
    scheduled = schedule_populations(network, job.options.schedule)
    require_legal(scheduled)
    return scheduled


PIPELINE: tuple[Stage, ...] = (
    # first: the algebra of staircases knows affine maps alone
    Stage("fold_batch_norms", FloatPass(lambda n, job: fold_batch_norms(n)), FOLDED),
    # so that a chain of parts is one chain, wherever it is flattened
    Stage("sink_reshapes", FloatPass(lambda n, job: sink_reshapes(n)), FOLDED),
    # once chains are whole: what exporters write in many operators is one activation
    Stage("join_curves", FloatPass(lambda n, job: join_curves(n)), JOINED),
    # before levels are given: the differences of what falls somewhere need some of their own
    Stage("split_max_pools", FloatPass(lambda n, job: split_max_pools(n)), JOINED),
    # with calibration data alone: before anything asks where the levels are
    Stage(
        "calibrate_activations",
        FloatPass(lambda n, job: job.hooks.calibrate(n, job.code.has_uneven_levels)),
        JOINED,
    ),
    # before any chain is composed: what is left between staircases is linear
    Stage("recognize_staircases", FloatPass(_recognize), RECOGNIZED),
    # right after: nothing behind it has to know that levels are rounded
    Stage("shift_biases", FloatPass(lambda n, job: shift_biases(n)), SHIFTED),
    # normalisation becomes one more affine map for the first chain
    Stage(
        "encode_input",
        FloatPass(_encode),
        SHIFTED,
    ),
    # while levels are still free of weights
    Stage(
        "coarsen_staircases",
        FloatPass(_coarsen),
        SHIFTED,
    ),
    # once levels are final: a max pool of levels is exact, and linear but for its relus
    Stage(
        "lower_max_pools", FloatPass(lambda n, job: lower_max_pools(n, job.pixels.levels)), POOLED
    ),
    # what is quantised again on its own grid, perhaps behind a pool
    Stage("drop_repeats", FloatPass(lambda n, job: drop_repeats(n, job.pixels.levels)), POOLED),
    # before they are composed with what follows: those that cost less on their own
    Stage(
        "sum_average_pools",
        FloatPass(
            lambda n, job: sum_average_pools(
                n,
                job.code.average_pool(job.options.average_pool),
                job.options.schedule,
                job.pixels.levels,
            )
        ),
        POOLED,
    ),
    # last of the floats: the bias collects every offset, the shifts of the staircases included
    Stage("compose_chains", FloatPass(_compose), COMPOSED),
    # a layer is whole numbers from here on
    Stage("quantize_weights", LoweringPass(_quantize)),
    # before the schedule: copies fire in one step where the rate network takes many
    Stage("spike_at_once", SpikingPass(lambda n, job: job.code.rewritten(n))),
    # last: relays depend on the turns of all others
    Stage("schedule_populations", SpikingPass(_schedule)),
)
"""Every pass in its order, from the model as it was read to the network as it is written."""

PASSES: tuple[str, ...] = ("read", *(stage.name for stage in PIPELINE))
"""The names that a watcher sees, in their order."""


def ignore(name: str, network: AnyNetwork) -> None:
    """Watch nothing."""


def lower(
    network: Network,
    options: CompileOptions,
    watch: Watcher = ignore,
    hooks: CalibrationHooks | None = None,
) -> SpikingNetwork:
    """Run every pass, verifying after each; the result fits the target.

    `watch` is called with the name of each pass and what it left: dumps and timings are watchers.

    Raises:
        SnncError: with every problem that the first failing pass or rule finds.
    """
    job = job_of(network, options, hooks)
    found = run_stages(PIPELINE, network, job, watch)
    assert isinstance(found, SpikingNetwork)
    return found


def recognize(
    network: Network,
    options: CompileOptions | None = None,
    hooks: CalibrationHooks | None = None,
) -> Network:
    """Run the passes up to `shift_biases`: what a model is before it is fitted to a chip.

    Raises:
        SnncError: for every activation that has no levels.
    """
    return _up_to("shift_biases", network, options or CompileOptions(), hooks)


def composed(network: Network, options: CompileOptions) -> Network:
    """Run the passes up to `compose_chains`: what is rounded to whole numbers.

    Raises:
        SnncError: with every problem that the first failing pass finds.
    """
    return _up_to("compose_chains", network, options, None)


def _up_to(
    stage: str, network: Network, options: CompileOptions, hooks: CalibrationHooks | None
) -> Network:
    last = next(i for i, each in enumerate(PIPELINE) if each.name == stage)
    found = run_stages(PIPELINE[: last + 1], network, job_of(network, options, hooks), ignore)
    assert isinstance(found, Network)
    return found


def sending_pixels(network: Network, options: CompileOptions) -> Network:
    """A recognised network that reads level numbers, without what would only repeat them."""
    encoding = encoding_of(options, network)
    return drop_repeats(encode_input(network, encoding), encoding.levels)


def job_of(network: Network, options: CompileOptions, hooks: CalibrationHooks | None) -> Job:
    """What the stages need to know about a network and its options.

    Raises:
        SnncError: with everything that is wrong with the options.
    """
    target = find_target(options.target)
    encoding = encoding_of(options, network)
    _check(options, target, network)
    code = code_of(options, target)
    pixels = pixels_of(network, options, code)
    return Job(options, target, code, encoding, pixels, hooks or CalibrationHooks())


def pixels_of(network: Network, options: CompileOptions, code: Code) -> Input:
    """What the input of a network sends, as far as one time step tells."""
    pixels, target = network.input, find_target(options.target)
    wanted = options.input_of(target)
    shape = planar(pixels.shape)
    return code.settled(1).input(encoding_of(options, network), wanted, pixels.name, shape)


def run_stages(stages: Sequence[Stage], network: Network, job: Job, watch: Watcher) -> AnyNetwork:
    """Run some stages from the first on, holding each to its rules.

    Raises:
        SnncError: with every problem that a pass finds.
        RuntimeError: if a pass breaks a rule, which is a bug of snnc.
    """
    require_rules(network, MODEL, "read")
    watch("read", network)
    found: AnyNetwork = network
    for stage in stages:
        found = _run(stage, found, job)
        watch(stage.name, found)
    return found


def _run(stage: Stage, network: AnyNetwork, job: Job) -> AnyNetwork:
    run = stage.run
    if isinstance(run, SpikingPass):
        assert isinstance(network, SpikingNetwork)
        return run.run(network, job)
    assert isinstance(network, Network)
    if isinstance(run, LoweringPass):
        return run.run(network, job)
    floats = run.run(network, job)
    require_rules(floats, stage.holds, stage.name)
    return floats


def _most_levels(network: Network) -> int:
    levels = [n.operator.levels for n in network if isinstance(n.operator, Staircase)]
    return max(levels, default=1)


def _check(options: CompileOptions, target: Target, network: Network) -> None:
    problems = [*problems_of_options(options, target), *problems_of_numbers(options, network)]
    if problems:
        raise SnncError(*problems)


def problems_of_numbers(options: CompileOptions, network: Network) -> Iterator[Problem]:
    """What is wrong with the options of any code: known before an image is looked at.

    Raises:
        SnncError: for a target that is none.
    """
    yield from problems_of_encoding(encoding_of(options, network), network.input.shape)
    yield from problems_of_labels(options.labels)
    yield from _problems_of_weights(options, find_target(options.target).weight_bits)


def _problems_of_weights(options: CompileOptions, most: int) -> Iterator[Problem]:
    """What is wrong with the bits of weights, and with a budget for them."""
    bits, budget = options.weight_bits, options.budget
    if bits == "auto":
        if options.calibration is None:
            what = "'auto', and no images to find out which layers need more"
            yield Problem("`weight_bits`", what, "give some with `calibration='images.npz'`")
        if budget is None:
            what = "'auto', and no budget to share out"
            yield Problem("`weight_bits`", what, "give the words of 64 bits with `budget`")
        elif budget < 1:
            yield Problem("`budget`", f"{budget} words; allowed: 1 or more", "give more")
        return
    if not (2 <= bits <= most or bits == 2 * most):
        what = f"{bits} bits; allowed: 2 to {most}, {2 * most} as two synapses, or 'auto'"
        yield Problem("`weight_bits`", what, f"use {most}")
    if budget is not None:
        what = f"{budget} words, for weights that all have {bits} bits"
        yield Problem("`budget`", what, "leave it out, or use `weight_bits='auto'`")
