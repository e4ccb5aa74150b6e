"""``fastcaloq sample`` with real model files, from the command line to the rows in the file."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
import typer
import uproot
from typer.testing import CliRunner

from fastcaloq_infer.cli.sample import sample
from fastcaloq_infer.errors import FastCaloQError, InputError, ModelError, OutputError
from fastcaloq_infer.output import parse_energies, produce
from fastcaloq_infer.sampling import Sampler

app = typer.Typer()
app.command()(sample)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from models import write_random_model

    path = tmp_path_factory.mktemp("model") / "model.onnx"
    write_random_model(path, 3)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def read(path):
    with uproot.open(path) as file:
        rows = file["showers"].arrays(library="np")
        return rows, json.loads(str(file["provenance"]))


def layers(rows):
    return np.stack([v for k, v in rows.items() if k.startswith("layer_energy_")], axis=1)


def test_rows_are_what_the_sampler_draws(model, tmp_path):
    out = tmp_path / "out.root"
    done = run(model, "-n", 500, "--energies", "1000,2000", "--seed", 9, "-o", out,
               "--first-event", 7, "--threads", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    rows, provenance = read(out)
    energies = parse_energies("1000,2000").draw(9, rows["event"])
    want = Sampler(model, threads=1).sample(energies, eta=0.2, seed=9, first_event=7)
    np.testing.assert_array_equal(layers(rows), want.layer_energy)
    np.testing.assert_array_equal(rows["event"], np.arange(7, 507))
    assert set(rows["seed"]) == {9}
    assert provenance["model_sha256"] == Sampler(model).digest
    assert provenance["seed"] == 9
    assert "500" in done.output
    assert "showers/s" in done.output


def test_hdf5_and_both_root_containers_hold_the_same(model, tmp_path):
    for name, options in (("a.root", []), ("b.root", ["--rntuple"]), ("c.hdf5", [])):
        done = run(model, "-n", 300, "-o", tmp_path / name, "--chunk", 128, *options)
        assert done.exit_code == 0, done.output
    (a, _), (b, _) = read(tmp_path / "a.root"), read(tmp_path / "b.root")
    for name, values in a.items():
        np.testing.assert_array_equal(values, b[name], err_msg=name)
    with h5py.File(tmp_path / "c.hdf5") as file:
        np.testing.assert_array_equal(file["layer_energies"][()], layers(a))
        np.testing.assert_array_equal(file["incident_energies"][:, 0], a["incident_energy"])
    # Without --energies: the whole range of the model.
    assert a["incident_energy"].min() < 500
    assert a["incident_energy"].max() > 30_000


def test_showers_do_not_depend_on_chunk_threads_or_split(model, tmp_path):
    """The same bits, as the sampler promises for one instruction set."""
    law = parse_energies("256:65536")
    produce(Sampler(model, threads=1), 1000, tmp_path / "a.root", energies=law, seed=4)
    whole, _ = read(tmp_path / "a.root")
    parts = []
    for first, n, chunk, threads in ((0, 333, 100, 2), (333, 667, 13, 1)):
        part = tmp_path / f"{first}.root"
        produce(Sampler(model, threads=threads), n, part, energies=law, seed=4,
                first_event=first, chunk=chunk)  # fmt: skip
        parts.append(read(part)[0])
    for name, values in whole.items():
        np.testing.assert_array_equal(
            np.concatenate([part[name] for part in parts]), values, err_msg=name
        )


def test_onnxruntime_draws_the_same_conditions(model, tmp_path):
    for engine in ("native", "onnxruntime"):
        done = run(model, "-n", 50, "-o", tmp_path / f"{engine}.root", "--engine", engine)
        assert done.exit_code == 0, done.output
    (a, _), (b, provenance) = (read(tmp_path / f"{e}.root") for e in ("native", "onnxruntime"))
    np.testing.assert_array_equal(a["incident_energy"], b["incident_energy"])
    assert provenance["engine"] == "onnxruntime"


def test_out_of_range_is_refused_or_counted(model, tmp_path):
    out = tmp_path / "out.root"
    refused = run(model, "-n", 10, "--energies", "100,1000", "-o", out)
    assert isinstance(refused.exception, InputError)
    assert not out.exists()
    clipped = run(model, "-n", 10, "--energies", "100,1000", "-o", out, "--out-of-range", "clip")
    assert clipped.exit_code == 0, clipped.output
    rows, provenance = read(out)
    assert provenance["n_out_of_range"] == 5
    assert sorted(set(rows["incident_energy"])) == [256.0, 1000.0]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["-n", "0"], InputError),
        (["-n", "5", "--energies", "x"], InputError),
        (["-n", "5", "--eta", "x"], InputError),
        (["-n", "5", "--seed", "-1"], InputError),
        (["-n", "5", "--first-event", "-1"], InputError),
        (["-n", "5", "--chunk", "-1"], InputError),
        (["-n", "5", "--threads", "-1"], InputError),
        (["-n", "5", "--voxels", "sparse"], InputError),
    ],
)
def test_bad_options_are_one_line_and_leave_nothing(model, tmp_path, options, error):
    done = run(model, "-o", tmp_path / "out.root", *options)
    assert isinstance(done.exception, error), done.output
    assert "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_bad_destination_or_model(model, tmp_path):
    cases = [
        (model, tmp_path / "out.csv", OutputError),
        (model, tmp_path / "missing" / "out.root", OutputError),
        ("no-such-model", tmp_path / "out.root", ModelError),
    ]
    for name, out, error in cases:
        done = run(name, "-n", 5, "-o", out)
        assert isinstance(done.exception, error), done.output
        assert isinstance(done.exception, FastCaloQError)
    assert not list(tmp_path.iterdir())
    wrong = run(model, "-n", 5, "-o", tmp_path / "out.hdf5", "--rntuple")
    assert isinstance(wrong.exception, OutputError | InputError)
    assert run(model, "-n", 5, "-o", tmp_path / "o.root", "--engine", "magic").exit_code == 2


def test_an_existing_file_needs_force(model, tmp_path):
    out = tmp_path / "out.root"
    out.write_text("precious")
    assert isinstance(run(model, "-n", 5, "-o", out).exception, OutputError)
    assert out.read_text() == "precious"
    assert run(model, "-n", 5, "-o", out, "--force").exit_code == 0
    assert len(read(out)[0]["event"]) == 5


def test_sampling_to_a_file_loads_no_training_packages(model, tmp_path):
    code = (
        "import sys; from fastcaloq_infer.output import produce; "
        "from fastcaloq_infer.sampling import Sampler; "
        f"produce(Sampler({str(model)!r}), 5, {str(tmp_path / 'o.root')!r}); "
        "heavy = {'torch', 'pennylane', 'onnx', 'onnxruntime', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
