"""The engines that run compiled networks, and those that run source models."""

from collections.abc import Mapping
from types import MappingProxyType

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Engine, Pixels
from snnc.runtime.engines.golden import GoldenEngine
from snnc.runtime.engines.lava.engine import LAVA_MODELS, LavaEngine
from snnc.runtime.engines.slayer.engine import SlayerEngine

LAVA_ENGINES: Mapping[str, Engine] = MappingProxyType(
    {each: LavaEngine(each) for each in LAVA_MODELS}
)
ENGINES: Mapping[str, Engine] = MappingProxyType(
    {each.name: each for each in (GoldenEngine(), LAVA_ENGINES["layers"], SlayerEngine())}
)
"""Every engine by its name; golden is what the others are held against."""


def engines_with(lava_model: str) -> Mapping[str, Engine]:
    """Every engine, with Lava as told, by default in layers (`LavaModel`).

    Raises:
        SnncError: for a model that Lava does not have.
    """
    if lava_model not in LAVA_ENGINES:
        what = f"{lava_model!r}; allowed: {', '.join(LAVA_ENGINES)}"
        raise refusal("`lava_model`", what, "leave it out for layers")
    return MappingProxyType({**ENGINES, LavaEngine.name: LAVA_ENGINES[lava_model]})


def find_engine(name: str, lava_model: str = "layers") -> Engine:
    """Look an engine up by its name.

    Raises:
        SnncError: for a name that no engine has.
    """
    if name not in ENGINES:
        what = f"{name!r} is no engine; allowed: {', '.join(ENGINES)}"
        raise refusal("`engine`", what, "leave it out for lava")
    return engines_with(lava_model)[name]


def require(engine: Engine, network: SpikingNetwork | None = None) -> None:
    """Make sure that an engine can run, and that it can run a network.

    Raises:
        SnncError: for what is missing, or what the network has that the engine does not know.
    """
    missing = engine.missing()
    problems = [missing] if missing else [*(engine.problems(network) if network else ())]
    if problems:
        raise SnncError(*problems)


__all__ = ["ENGINES", "Chunk", "Engine", "Pixels", "engines_with", "find_engine", "require"]
