"""Names and paths of models."""

import shutil

import pytest

from fastcaloq_infer import shipped as packaged
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.sampling import Sampler, models


@pytest.fixture
def shipped(model, tmp_path, monkeypatch):
    folder = tmp_path / "models"
    for name in ("photon", "pion"):
        (folder / name).mkdir(parents=True)
        shutil.copy(model, folder / name / "model.onnx")
    (folder / "configs").mkdir()
    monkeypatch.setattr(packaged, "model_folders", lambda: [tmp_path / "absent", folder])
    return folder


def test_a_name_means_a_shipped_model(shipped, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    (work / "photon").write_bytes(b"something else")
    monkeypatch.chdir(work)
    assert models.shipped() == ("photon", "pion")
    assert models.find("photon") == shipped / "photon" / "model.onnx"
    assert models.folder("pion") == shipped / "pion"
    assert len(Sampler("photon").sample(1000.0, eta=0.1, seed=1)) == 1


def test_a_path_means_itself_and_a_folder_its_model(shipped, model):
    assert models.find(model) == model
    assert models.find(str(model)) == model
    assert models.find(model.parent) == model


def test_a_folder_without_a_model_is_called_one(shipped, tmp_path):
    with pytest.raises(ModelError, match=r"folder .* has no model\.onnx.* photon, pion"):
        models.find(tmp_path)


@pytest.mark.parametrize("bad", ["electron", "absent/model.onnx", "configs", ""])
def test_what_is_neither_is_refused_with_the_names(shipped, bad):
    with pytest.raises(ModelError, match="photon, pion"):
        models.find(bad)


def test_an_installation_without_models_says_so(monkeypatch):
    monkeypatch.setattr(packaged, "model_folders", list)
    with pytest.raises(ModelError, match="none in this installation"):
        models.find("photon")
