"""The examples, built against the installed library."""

from __future__ import annotations

import sys
from pathlib import Path

from programs import energies, run

from fastcaloq_infer.sampling.models import find

ROOT = Path(__file__).resolve().parents[3]


def test_example_draws_the_showers_of_its_python_twin(consumer: Path) -> None:
    arguments = (find("photon_energy"), 65536, 3)
    printed = run(consumer / "examples" / "generate", *arguments)
    twin = run(sys.executable, ROOT / "examples" / "generate.py", *arguments)
    *_, n_hits = energies(printed.splitlines()).T
    assert not n_hits.any()  # a model of layer energies alone
    assert [line.rsplit(" ", 1)[0] for line in printed.splitlines()] == twin.splitlines()
    refused = run(
        consumer / "examples" / "generate", *(find("photon_energy"), 1e9, 1), failing=True
    )
    assert refused.startswith("error: incident energy 1e+09 MeV is outside")


def test_example_event_loop_does_not_depend_on_its_threads(consumer: Path) -> None:
    command = (consumer / "examples" / "event_loop", find("photon_energy"), 50)
    alone, together = (run(*command, threads) for threads in (1, 3))
    assert alone == together
    energy, *_ = alone.split()
    # Four photons of 1 to 50 GeV in each of 50 events; the response is 1.02.
    assert 0.95 < float(energy) / (50 * 4 * 25500) < 1.1
    assert "0 particles without a shower" in alone


def test_page_about_cpp_shows_the_example() -> None:
    page = (ROOT / "docs" / "cpp.md").read_text()
    shown = page.split("```cpp\n")[1].split("```")[0]
    assert shown in (ROOT / "examples" / "generate.cpp").read_text()
