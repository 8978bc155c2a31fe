import ast
import json
from pathlib import Path

from mutation.edits import edits_of

SOURCE = '''
def shares(values, top=1):
    """Text."""
    assert top > 0, f"{top + 1}"
    if not values or min(values) < 0:
        raise KeyError
    return [each / top for each in values if each > -1]
'''
CHANGES = (
    *("1 -> 2", "not values or min(values) < 0 -> not values and min(values) < 0"),
    *("not values -> values", "min(values) < 0 -> min(values) <= 0", "min -> max", "0 -> 1"),
    *("each / top -> each * top", "each > -1 -> each >= -1", "-1 -> 1"),
    "for each in values if each > -1 -> for each in values",
    "return [each / top for each in values if each > -1] -> return None",
    "raise KeyError -> pass",
    "if not values or min(values) < 0: raise KeyError -> "
    "if not (not values or min(values) < 0): raise KeyError",
)


def test_each_edit_is_one_slip() -> None:
    edits = [(edit, ast.unparse(tree)) for edit, tree in edits_of(SOURCE)]
    original = ast.unparse(ast.parse(SOURCE))
    assert sorted(edit.name.split(" | ")[-1] for edit, _ in edits) == sorted(CHANGES)
    assert original not in {text for _, text in edits}
    assert [edit.name for edit, _ in edits if edit.at_import] == [
        "shares | def shares(values, top=1): | 1 -> 2"
    ]


def test_what_is_listed_as_equivalent_is_there() -> None:
    listed = json.loads((Path(__file__).parent / "equivalent.json").read_text())
    for path, names in ((p, n) for files in listed.values() for p, n in files.items()):
        assert {*names} <= {edit.name for edit, _ in edits_of(Path(path).read_text())}, path
