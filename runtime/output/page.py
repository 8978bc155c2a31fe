"""A comparison as one page for the browser, which needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader

from snnc.backends.files import write_bytes
from snnc.runtime.engines import ENGINES
from snnc.runtime.output.numbers import points
from snnc.runtime.output.report import loss_of
from snnc.runtime.output.tables import ENGINE_COLUMNS, cells_of, engine_rows
from snnc.runtime.presented import Presentation
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.inspection import Inspection


def fragment_of(shown: Presentation) -> str:
    """A result as a notebook shows it."""
    return _environment().get_template("fragment.html").render(shown=shown)


def write_presentation(path: Path, shown: Presentation) -> None:
    """Write a result as a page.

    Raises:
        SnncError: for a path that cannot be written.
    """
    page = _environment().get_template("result.html").render(shown=shown)
    write_bytes(path, page.encode("utf-8", "backslashreplace"), option="html")


def _environment() -> Environment:
    return Environment(loader=PackageLoader("snnc.runtime.output"), autoescape=True)


def write_page(
    path: Path,
    comparison: Comparison,
    inspection: Inspection,
    *,
    model: str,
    network: str,
    version: str,
    inputs: Sequence[Path] = (),
) -> None:
    """Write the page.

    Args:
        path: an .html.
        comparison: what was measured.
        inspection: the layers of the network.
        model: its file.
        network: its file.
        version: of snnc.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    page = (
        _environment()
        .get_template("compare.html")
        .render(
            model=model,
            network=network,
            version=version,
            images=comparison.source.images,
            remarks=comparison.remarks,
            exact=comparison.is_exact,
            engines=[(ENGINES[k].label, each.spikes) for k, each in comparison.verified.items()],
            missing=[str(each) for each in comparison.missing.values()],
            heads=[column.head for column in ENGINE_COLUMNS],
            rows=[cells_of(ENGINE_COLUMNS, row) for row in engine_rows(comparison)],
            loss_of=loss_of(comparison.code),
            losses=(points(comparison.quantisation_loss), points(comparison.conversion_loss)),
            layers=[row for row in inspection.rows if row.threshold],
            schedule=inspection.as_json()["schedule"],
        )
    )
    write_bytes(path, page.encode("utf-8", "backslashreplace"), option="html", inputs=inputs)
