"""What a network costs on cores, from the spikes that it sends for a user's own images."""

from snnc.runtime.studies.cost.measuring import MOST_BATCH, Counter, measure_cost
from snnc.runtime.studies.cost.own import read_energies
from snnc.runtime.studies.cost.report import CostReport, LayerCost

__all__ = ["MOST_BATCH", "CostReport", "Counter", "LayerCost", "measure_cost", "read_energies"]
