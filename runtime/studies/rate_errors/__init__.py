"""Where a rate network errs: layer by layer, against the mean current that each neuron got.

A neuron that fires c spikes in T steps says r = c/T. With x̄ the mean current of a step, bias
included, in thresholds, what it should say is relu(x̄). The difference has three parts:

    clipping       clip(x̄, 0, 1) − relu(x̄)       one spike a step is the most
    quantisation   q(x̄) − clip(x̄, 0, 1)          q(x̄) = clip(⌊T·x̄ + ½⌋, 0, T)/T, the staircase
    unevenness     r − q(x̄)                      the order in which spikes came

They are the errors of QCFS (Bu et al., ICLR 2022), here of one neuron for the very input that it
got, so that errors of the layers before count once. A network that was trained with a ceiling
clips as its source does: of its conversion only the other two are errors. Papers that hold the
whole network against the float network print other shares, of the same three causes.

The offset of a neuron is ψ = desired − fired spikes (Hao et al., ICLR 2023), in two ways. Its own
is T·(q(x̄) − r), for the input that it got. The accumulated one asks for the spikes of the network
in which every layer gets its input evenly: c = clip(⌊(Σ w·c_source + T·B + v(0))/θ⌋, 0, T), which
are those of `snnc.compiler.passes.spike_at_once`; its square over T² is the unevenness of a neuron
and of all before it. All sums are exact.
"""

from snnc.runtime.studies.rate_errors.analysis import analyse, report_of
from snnc.runtime.studies.rate_errors.layer import RateLayer, errors_of
from snnc.runtime.studies.rate_errors.question import Question, codes_of, problems_of_question
from snnc.runtime.studies.rate_errors.result import (
    OFFSETS,
    PARTS,
    Analysis,
    ErrorReport,
    Errors,
    LayerErrors,
)
from snnc.runtime.studies.rate_errors.variants import variants_of, without_relays

__all__ = [
    "OFFSETS",
    "PARTS",
    "Analysis",
    "ErrorReport",
    "Errors",
    "LayerErrors",
    "Question",
    "RateLayer",
    "analyse",
    "codes_of",
    "errors_of",
    "problems_of_question",
    "report_of",
    "variants_of",
    "without_relays",
]
