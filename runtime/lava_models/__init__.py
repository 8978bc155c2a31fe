"""Process models for Lava's own processes that give the same numbers sooner.

Importing this package does not import Lava.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from snnc.compiler.errors import SnncError
from snnc.runtime.engines.installing import missing_library
from snnc.runtime.engines.lava import library

if TYPE_CHECKING:
    from lava.magma.core.model.py.model import AbstractPyProcessModel
    from lava.magma.core.process.process import AbstractProcess


def fast_lava_models() -> dict[type[AbstractProcess], type[AbstractPyProcessModel]]:
    """Process models for any network of Lava's own processes, as lava-dl's netx builds them.

        run_cfg = Loihi2SimCfg(
            select_tag="fixed_pt", exception_proc_model_map=snnc.fast_lava_models()
        )

    They take the place of the fixed-point models of `Conv`, `Dense`, `DelayDense`, `LIF`,
    `LIFReset`, `Sigma`, `Delta` and `SigmaDelta`, and send the same numbers in every time step,
    overflows included. What they cannot compute exactly they leave to Lava's model, and say so in
    a warning.

    Returns:
        A mapping for `exception_proc_model_map` of `Loihi1SimCfg` and `Loihi2SimCfg`. Such a
        mapping outweighs `select_tag`: keep it away from networks in floating point.

    Raises:
        SnncError: Lava is missing.
    """
    if missing := missing_library("Lava", "lava", ("lava",), library.load):
        raise SnncError(missing)
    from snnc.runtime.lava_models.models import MODELS

    return dict(MODELS)
