"""The page stands alone, says what was measured, and is written completely or not at all."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser

import pytest

from fastcaloq_infer.errors import OutputError
from fastcaloq_infer.evaluation import target_lines
from fastcaloq_infer.report import Candidate, write_report
from fastcaloq_infer.report.model_pictures import LearningCurve
from fastcaloq_infer.report.pictures import all_pictures


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
def page(tmp_path_factory, evaluation, reference, generated, floor):
    """One model, layer energies, as a page and as a PDF."""
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    return write_report(
        folder,
        reference,
        [Candidate("flow", generated, evaluation)],
        floor=floor,
        title="Photons <b>bold</b>",
        introduction="A test.",
        curve=LearningCurve([1, 2], [9.0, 8.0], [9.0, 8.5]),
        facts=[("digest", "0" * 64)],
        timings=[("train", 1.25), ("draw", 2.0)],
        details=False,
        pdf=True,
    )


FIGURES = [
    "response", "chi_squares", "zero_fractions", "correlations", "features", "separations",
    "classifiers", "calibration",
]  # fmt: skip
ONE = ["total_energy", "layer_energies", *FIGURES, "distances", "manifold", "learning_curve"]
TWO = [
    "total_energy", "average_shower_0", "average_shower_1", "average_shower_2", "layer_energies",
    "centres", "widths", "sparsity", "voxels", "rings", "sectors",
    *FIGURES[:3], "occupancies", *FIGURES[3:], "manifold",  # these few showers have no FPD and KPD
]  # fmt: skip
DETAILS = [
    "voxels_per_energy",
    "layer_0", "layer_1", "layer_2", "layer_3", "layer_12",
    "centres_per_energy", "widths_per_energy", "sparsity_per_energy",
]  # fmt: skip


def check_page(path, pictures):
    html = path.read_text(encoding="utf-8")
    references = References()
    references.feed(html)
    images = [r for r in references.found if r.startswith("data:")]
    links = [r for r in references.found if not r.startswith("data:")]
    assert len(images) == len(pictures)
    assert set(pictures) <= references.anchors
    assert links
    assert all(link.startswith("#") and link[1:] in references.anchors for link in links)
    assert "http" not in html
    assert not {"script", "link", "iframe", "object"} & set(references.tags)
    for image in images:
        kind, data = image.split(",", 1)
        content = base64.b64decode(data)
        if kind == "data:image/png;base64":
            assert content.startswith(b"\x89PNG")
            continue
        assert kind == "data:image/svg+xml;base64"
        svg = content.decode("utf-8")
        # The names of SVG's and XLink's own vocabularies are no addresses that anyone fetches.
        for attribute in ("href=", "src="):
            targets = [part.split('"')[1] for part in svg.split(attribute)[1:]]
            assert all(t.startswith(("#", "data:")) for t in targets)


def test_self_contained(page):
    check_page(page, ONE)


def test_whole_showers_of_two_models(tmp_path, voxel_samples, candidates):
    reference, floor, _ = voxel_samples
    said = []
    path = write_report(
        tmp_path,
        reference,
        candidates,
        floor=floor,
        details=False,
        progress=lambda what, fraction: said.append((what, fraction)),
    )
    check_page(path, TWO)
    assert path.stat().st_size < 4e6
    assert len(said) == len(TWO)
    assert [fraction for _, fraction in said] == sorted(fraction for _, fraction in said)
    html = path.read_text(encoding="utf-8")
    head = html[html.index("<thead>") : html.index("</thead>")]
    assert head.index("flow") < head.index("GAN")
    assert not path.with_name("report.pdf").exists()


def test_details_are_folded(voxels):
    """Every picture is drawn in test_figures; here, what there is and what is shown at once."""
    pictures = all_pictures(voxels)
    assert [picture.name for picture in pictures] == TWO + DETAILS
    assert {p.name for p in pictures if p.folded} == {*DETAILS, "separations", "calibration"}


def test_pdf_has_the_table_and_every_picture(page):
    content = page.with_name("report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", content)) == 1 + len(ONE)
    # The first page is text: two bytes a letter, in pieces between kerning.
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S)
    streams = [zlib.decompressobj().decompress(s) for s in found if s[:1] == b"\x78"]
    first = next(s for s in streams if b"BT" in s)
    letters = b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", first))
    words = letters.replace(b"\x00", b"").replace(b" ", b"")
    for word in (b"Photons", b"Tableof", b"AUC,layers", b"largestzero-fraction", b"digest:0000"):
        assert word in words


def test_says_what_was_measured(page, evaluation):
    html = page.read_text(encoding="utf-8")
    for line in target_lines(evaluation):
        assert line.name in html
    assert "✘ missed" in html  # layer 2 is off by 3 %
    assert "0" * 64 in html
    assert "3.2" in html  # 1.25 s + 2 s in all
    assert "Photons &lt;b&gt;bold&lt;/b&gt;" in html


def test_unwritable_folder(tmp_path, evaluation, reference, generated):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_report(tmp_path / "file" / "x", reference, [Candidate("flow", generated, evaluation)])


def test_import_is_light():
    """Importing evaluation and report loads neither torch nor matplotlib nor scikit-learn."""
    code = (
        "import sys, fastcaloq_infer.report, fastcaloq_infer.evaluation, fastcaloq_infer.demo\n"
        "heavy = {'torch', 'matplotlib', 'sklearn', 'pennylane', 'onnxruntime'}\n"
        "print(*(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
