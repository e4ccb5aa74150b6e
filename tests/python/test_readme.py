"""What the documents tell a reader to run exists and works: commands, snippets, links.

The C++ example of the README is compiled and run by the C++ tests (``tests/cpp/CMakeLists.txt``).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fastcaloq_infer.cli import main
from fastcaloq_infer.data import packaged_sample

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for folder in (
        ROOT,
        ROOT / "docs",
        ROOT / "models",
        ROOT / "python/fastcaloq_infer/data/samples",
    )
    for path in folder.glob("*.md" if folder == ROOT else "**/*.md")
)


def commands(text: str) -> list[str]:
    """Every ``fastcaloq`` or ``export-onnx`` command with its arguments, in prose or in a block."""
    inline = re.findall(r"`(?:\S+/)?((?:fastcaloq|export-onnx) [^`\n]+)`", text)
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [part for block in blocks for line in block.splitlines() for part in line.split("&&")]
    starts = [re.match(r"\s*(?:\S+/)?((?:fastcaloq|export-onnx) .+)", line) for line in lines]
    return [*inline, *(start[1] for start in starts if start)]


def options_beside_commands() -> list[tuple[str, str]]:
    """Options that a row of the README's table of commands names outside of the command."""
    rows = re.findall(r"^\| `fastcaloq (\S+)[^`]*` \|(.*)\|$", README, re.MULTILINE)
    return [(verb, option) for verb, text in rows for option in re.findall(r"`(--[a-z-]+)`", text)]


COMMANDS = sorted(
    {
        (path.relative_to(ROOT).as_posix(), command)
        for path in DOCUMENTS
        for command in commands(path.read_text(encoding="utf-8"))
        if "<" not in command
    }
)


@pytest.fixture(scope="module")
def verbs():
    main._register()
    return typer.main.get_command(main.app).commands


def test_every_verb_is_in_the_readme_and_the_other_way_round():
    named = {shlex.split(command)[1] for command in commands(README)}
    assert named == set(main.VERBS)


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_commands_name_verbs_and_options_that_exist(verbs, document, command):
    program, *arguments = shlex.split(command)
    name = program if program == "export-onnx" else arguments.pop(0)
    assert name in verbs
    if arguments:  # without, it is the verb's name in a sentence
        # Parses as the command line does, refuses what the verb does not know, runs nothing.
        verbs[name].make_context(name, arguments)


def test_options_named_beside_a_command_are_its_options(verbs):
    found = options_beside_commands()
    assert ("train", "--resume") in found
    for verb, option in found:
        assert any(option in parameter.opts for parameter in verbs[verb].params), (verb, option)


# Names that stand for something in the README's commands, and arguments that make a run short.
# The verbs left out take longer or need a server; their own tests run them: fetch (data), report
# and demo (report), bench (benchmark).
PLACEHOLDERS = {
    "FILE": str(packaged_sample()),
    "CONFIG.yaml": str(ROOT / "models/configs/demo_energy.yaml"),
    "RUN": "photon_energy",
}
SHORT = {"train": ["--set", "steps=2"]}


@pytest.mark.parametrize("verb", ["inspect", "plot", "train", "export-onnx", "sample"])
def test_commands_of_the_readme_run(tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    main._register()
    chosen = [command for command in commands(README) if shlex.split(command)[1] == verb]
    assert chosen
    for command in chosen:
        arguments = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
        result = CliRunner().invoke(
            main.app, [*arguments, *SHORT.get(verb, [])], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        output = arguments[arguments.index("-o") + 1] if "-o" in arguments else "."
        assert (tmp_path / output).exists()


def test_python_examples_run():
    examples = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        names: dict[str, object] = {}
        exec(compile(example, "README.md", "exec"), names)  # noqa: S102
        showers = names["showers"]
        assert showers.layer_energy.shape == (2, 5)  # as the comment beside it says
        # E_tot/E_inc is 1.02 with a spread of 8 % and 1 % (PROVENANCE.md).
        assert abs(showers.total_energy / showers.incident_energy - 1.02).max() < 0.5


@pytest.mark.parametrize("command", ["fastcaloq", "export-onnx"])
def test_commands_are_installed(command):
    program = Path(sys.executable).with_name(command)
    assert program.exists() or shutil.which(command)
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_extras_in_install_commands_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for path in DOCUMENTS:
        for names in re.findall(r'"?\.\[([a-z,]+)\]"?', path.read_text(encoding="utf-8")):
            assert set(names.split(",")) <= set(project["optional-dependencies"]), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_paths_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)
    for link in links:
        assert (document.parent / link).exists(), link
    # Paths in code spans: below the repository, or below the Python or C++ sources as in prose.
    roots = (ROOT, ROOT / "python", ROOT / "python/fastcaloq_infer", ROOT / "cpp")
    for path in re.findall(r"`([A-Za-z_.]+/[A-Za-z_./]*[A-Za-z_])`", text):
        if not path.startswith("demo/"):  # what a run leaves
            assert any((root / path).exists() for root in roots), path
