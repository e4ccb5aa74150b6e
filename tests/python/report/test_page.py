"""The page stands alone, says what was measured, and is written completely or not at all."""

from __future__ import annotations

import base64
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from fastcaloq_infer.errors import OutputError
from fastcaloq_infer.evaluation import Evaluation, target_lines
from fastcaloq_infer.report import write_report
from fastcaloq_infer.report.model_pictures import LearningCurve


class References(HTMLParser):
    """Collects everything a browser would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster"):
                self.found.append(value)
            if name == "id":
                self.anchors.add(value)


@pytest.fixture(scope="module")
def page(tmp_path_factory, evaluation, reference, generated):
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    return write_report(
        folder,
        evaluation,
        reference,
        generated,
        title="Photons <b>bold</b>",
        introduction="A test.",
        curve=LearningCurve([1, 2], [9.0, 8.0], [9.0, 8.5]),
        facts=[("digest", "0" * 64)],
        timings=[("train", 1.25), ("draw", 2.0)],
        details=False,
    )


def test_self_contained(page):
    html = page.read_text(encoding="utf-8")
    references = References()
    references.feed(html)
    images = [r for r in references.found if r.startswith("data:")]
    links = [r for r in references.found if not r.startswith("data:")]
    assert len(images) == 7
    assert links
    assert all(link.startswith("#") and link[1:] in references.anchors for link in links)
    assert "http" not in html
    assert not {"script", "link", "iframe", "object"} & set(references.tags)
    for image in images:
        kind, data = image.split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        svg = base64.b64decode(data).decode("utf-8")
        # The names of SVG's and XLink's own vocabularies are no addresses that anyone fetches.
        for attribute in ("href=", "src="):
            targets = [part.split('"')[1] for part in svg.split(attribute)[1:]]
            assert all(t.startswith(("#", "data:")) for t in targets)


def test_says_what_was_measured(page, evaluation):
    html = page.read_text(encoding="utf-8")
    for line in target_lines(evaluation):
        assert line.name in html
    assert "✘ missed" in html  # layer 2 is off by 3 %
    assert "0" * 64 in html
    assert "3.2" in html  # 1.25 s + 2 s in all
    assert "Photons &lt;b&gt;bold&lt;/b&gt;" in html


def test_figures_beside_it(page, evaluation):
    text = page.with_name("figures.json").read_text()
    assert Evaluation.from_json(text) == evaluation


def test_unwritable_folder(tmp_path, evaluation, reference, generated):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_report(tmp_path / "file" / "x", evaluation, reference, generated)


def test_import_is_light():
    """Importing evaluation and report loads neither torch nor matplotlib nor scikit-learn."""
    code = (
        "import sys, fastcaloq_infer.report, fastcaloq_infer.evaluation, fastcaloq_infer.demo\n"
        "heavy = {'torch', 'matplotlib', 'sklearn', 'pennylane', 'onnxruntime'}\n"
        "print(*(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
