"""The page of a report: it is whole in itself, escapes all names, and a browser shows it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph
from support.reports import CLASSES, MARKUP, written

import snnc
from snnc.compiler.errors import Problem
from snnc.compiler.inputs import GradedInput
from snnc.runtime.engines import installing
from snnc.runtime.output.report_page import page_of
from snnc.runtime.output.report_page.pictures import picture, png
from snnc.runtime.studies.report import Report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installing, "find_spec", lambda name: None)
        return written(tmp_path_factory.mktemp("report"))[0]


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return page_of(report)


class Tags(HTMLParser):
    """Every tag with its attributes, every text, and whether all that opens is closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_every_section_is_there_and_every_tag_closed(page: str, report: Report) -> None:
    found = Tags(page)
    assert not found.open
    places = {attrs["id"] for tag, attrs in found.tags if tag == "h2" and "id" in attrs}
    links = {attrs["href"] for tag, attrs in found.tags if tag == "a"}
    assert {f"#{each}" for each in places} == links
    text = " ".join(found.texts)
    for each in report.files:
        assert each.sha256 in text
    assert "Not verified: no engine of spikes ran." in text
    assert f"{report.placement.mapping.cores} cores on 1 chip" in text  # type: ignore[union-attr]


def test_it_asks_nobody_for_anything(page: str) -> None:
    for _, attributes in Tags(page).tags:
        for name in ("src", "href", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"https?:|@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_names_stay_text(page: str) -> None:
    found = Tags(page)
    assert not [tag for tag, _ in found.tags if tag in ("b", "i")]
    assert not [
        each for _, attributes in found.tags for each in attributes if each.startswith("on")
    ]
    text = "".join(found.texts)
    assert MARKUP in text
    assert all(each in text for each in CLASSES)


def test_changed_images_are_shown(page: str, report: Report) -> None:
    pillow = pytest.importorskip("PIL.Image")
    shown = [a for tag, a in Tags(page).tags if tag == "img"]
    assert report.decisions is not None
    changes = sorted(report.decisions.changes, key=lambda each: -each.margin)[:24]
    assert [each["alt"] for each in shown] == [f"image {each.image}" for each in changes]
    content = b64decode((shown[0]["src"] or "").split(",")[1])
    pixels = np.asarray(pillow.open(BytesIO(content)))
    expected = np.rint(report.data.x[changes[0].image] * 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels, np.moveaxis(expected, 0, -1))


@pytest.mark.parametrize("code", ["offset-spike", "one-spike", "graded", "delta"])
def test_every_code_has_a_page(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    found, _ = written(tmp_path, code=code, weight_bits=8)
    page = page_of(found)
    assert not Tags(page).open
    assert f"<dd>{code}" in page


@pytest.mark.parametrize("outputs", [1, 3])
def test_one_logit_or_many_decisions_have_a_page(
    outputs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3, name="conv")
    graph.qcfs(3)
    if outputs > 1:
        graph.conv(outputs, 2, 1, 1)
    else:
        graph.node("Flatten")
        graph.dense(1, 8)
    model = graph.save(tmp_path)
    net = snnc.compile(model).path
    images = np.random.default_rng(0).uniform(size=(6, 1, 4, 4)).astype(np.float32)
    found = snnc.report(model, net, snnc.Data(images, None))
    page = page_of(found)
    assert not Tags(page).open
    assert ("An image has many decisions" in page) == (outputs > 1)
    assert "in memory" in page


@pytest.mark.parametrize("shape", [(3, 5, 4), (1, 5, 4), (2, 5, 4), (7,), (3, 1, 600)])
def test_images_of_any_shape_are_pictures(shape: tuple[int, ...]) -> None:
    pillow = pytest.importorskip("PIL.Image")
    source = GradedInput("x", shape, 255, -1.0, 2 / 255)
    image = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
    content = b64decode(picture(image, source).split(",")[1])
    pixels = np.asarray(pillow.open(BytesIO(content)))
    assert pixels.min() == 0
    assert max(pixels.shape) <= 256
    assert (pixels.ndim == 3) == (shape[0] == 3)
    assert png(np.zeros((1, 1, 1), np.uint8)).startswith(b"\x89PNG")


def test_what_does_not_fit_is_told(report: Report) -> None:
    problem = Problem("<conv>", "17 words; allowed: 16", "use less")
    page = page_of(replace(report, placement=None, cost=None, unplaced=(problem,)))
    assert "It does not fit as it is:" in page
    assert "&lt;conv&gt;: 17 words; allowed: 16; use less" in page


PROBE_FIRST = """<script>
const wrong = [];
addEventListener("error", e => wrong.push(String(e.message)));
addEventListener("securitypolicyviolation", e => wrong.push(e.violatedDirective));
for (const kind of ["error", "warn"]) console[kind] = (...words) => wrong.push(words.join(" "));
</script>"""
PROBE_LAST = """<script>
const shade = color => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const below = element => {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (color !== "rgba(0, 0, 0, 0)") return color;
  }
  return "rgb(255, 255, 255)";
};
const written = "h1, h2, h3, p, li, dt, dd, td, th button, figcaption, a";
const texts = [...document.querySelectorAll(written)];
const faint = texts.filter(e => contrast(shade(getComputedStyle(e).color), shade(below(e))) < 4.5);
const sorted = [...document.querySelectorAll("table.sorts")].map(table => {
  const heads = [...table.tHead.rows[0].cells];
  const column = heads.findIndex(c => /^(synapses|operations|accuracy)$/.test(c.textContent));
  if (column < 0) return null;
  const number = row => parseFloat(row.cells[column].textContent.replaceAll(",", ""));
  const read = () => [...table.tBodies[0].rows].map(number);
  const button = heads[column].firstElementChild;
  button.click();
  const up = read();
  button.click();
  return [up, read()];
}).filter(each => each);
parent.postMessage(JSON.stringify({
  wrong, sorted, dark: matchMedia("(prefers-color-scheme: dark)").matches,
  faint: faint.map(e => e.textContent.slice(0, 40)),
  width: document.documentElement.scrollWidth,
  room: document.documentElement.clientWidth,
  frame: innerWidth,
  empty: [...document.querySelectorAll("svg")].filter(e => !e.clientHeight).length,
}), "*");
</script>"""


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def seen(page: str, folder: Path, width: int, *, dark: bool) -> dict[str, Any]:
    """What a browser says of a page in a frame of some width."""
    probed = page.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{PROBE_FIRST}', 1)
    probed = probed.replace("</body>", f"{PROBE_LAST}</body>")
    frame = f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{html.escape(probed)}">'
    told = "<script>onmessage = e => document.querySelector('pre').textContent = e.data</script>"
    place = folder / "frame.html"
    place.write_text(f'<meta charset="utf-8"><pre id="told"></pre>{told}{frame}</iframe>')
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    options = ["--headless", "--no-sandbox", "--disable-gpu", scheme, "--virtual-time-budget=20000"]
    browser = chromium()
    assert browser is not None
    home = f"--user-data-dir={folder / 'home'}"
    command = [browser, *options, home, "--dump-dom", place.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    match = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert match is not None, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


@pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")
@pytest.mark.parametrize(("width", "dark"), [(420, False), (1100, True)])
def test_a_browser_shows_it(page: str, tmp_path: Path, width: int, dark: bool) -> None:
    found = seen(page, tmp_path, width, dark=dark)
    assert found["wrong"] == []
    assert found["faint"] == []
    assert found["dark"] == dark
    assert found["frame"] == width
    assert found["width"] <= found["room"]
    assert found["empty"] == 0
    assert found["sorted"]
    for up, down in found["sorted"]:
        assert up == sorted(up)
        assert down == sorted(down, reverse=True)
