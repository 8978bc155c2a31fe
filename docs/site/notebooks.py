"""The notebooks of docs/notebooks, run: `python -m docs.site.notebooks` stores what they print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "notebooks"
SECONDS = 600
"""For one cell: Lava on a machine that is busy."""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(path: Path) -> NotebookNode:
    """A notebook with what its cells give now, started where it lies.

    Raises:
        CellExecutionError: where a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    here = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, timeout=SECONDS, resources=here, record_timing=False, coalesce_streams=True
    )
    client.execute()
    notebook.metadata = METADATA
    return notebook


def main() -> None:
    """Run the notebooks that are named, or all, and store them."""
    import nbformat

    for path in sorted(FOLDER.glob("*.ipynb")):
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            print(path.stem, flush=True)
            nbformat.write(executed(path), path)


if __name__ == "__main__":
    main()
