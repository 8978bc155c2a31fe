"""The mapper beside mappings that were published."""

import pytest
from support.mapping import PUBLISHED, Published

from snnc.compiler.mapping.mapper import MapOptions, map_layers
from snnc.compiler.mapping.mapping import problems_of_mapping


@pytest.mark.parametrize("objective", ["time", "cores"])
@pytest.mark.parametrize("case", PUBLISHED.values(), ids=PUBLISHED)
def test_no_layer_takes_more_cores_than_published(case: Published, objective):
    mapping = map_layers(case.layers, case.core, MapOptions(objective))
    counted = [index for index, cores in enumerate(case.cores) if cores]
    ours = [mapping.first_cores[i + 1] - mapping.first_cores[i] for i in counted]
    assert all(n <= case.cores[i] for n, i in zip(ours, counted, strict=True))
    assert sum(ours) <= case.most
    assert not [*problems_of_mapping(mapping)]


def test_slack_spares_messages():
    """Of the fewest cores alone, some receive every spike: each is sent 13 times."""
    case = PUBLISHED["YOLO-KP"]
    fast, few = (map_layers(case.layers, case.core, MapOptions(each)) for each in ("time", "cores"))
    assert few.cores < fast.cores < few.cores * 1.1
    assert few.cuts[4] == (13, 1, 2)
    assert fast.cuts[4] == (1, 4, 7)
