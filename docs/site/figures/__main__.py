"""Draw all pictures into docs/figures."""

from docs.site.figures import neuron, residual, schedule
from docs.site.figures.paper import ROOT

FOLDER = ROOT / "docs" / "figures"

for each in (neuron, schedule, residual):
    name = each.__name__.rpartition(".")[2]
    each.draw(FOLDER / f"{name}.svg")
