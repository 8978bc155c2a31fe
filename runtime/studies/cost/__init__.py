"""What a network costs on cores, from the spikes that it sends for a user's own images."""

from snnc.runtime.studies.cost.measuring import measure_cost
from snnc.runtime.studies.cost.own import read_energies
from snnc.runtime.studies.cost.report import CostReport, LayerCost

__all__ = ["CostReport", "LayerCost", "measure_cost", "read_energies"]
