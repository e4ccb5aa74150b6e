"""The folder of one run: whole, or to be done again.

``done.json`` is written last and names the run's fingerprint and the SHA-256 of its other files; a
folder without it, or whose files are not those, is not done. ``fit/`` is the learner's own.
"""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.files import atomic_path, make_folder, sha256_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.study.matrix import Run

__all__ = ["DONE", "FIT", "RunRecord", "RunStore", "RunTimes"]

DONE = "done.json"
FIT = "fit"
_RECORD, _TIMES, _LOG_PROB = "record.json", "times.json", "log_prob.npy"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RunRecord(_Strict):
    """What a run found; equal for equal runs, on one process or many.

    Attributes
    ----------
    n_train, n_validation, n_held_out
        Numbers of showers to learn from, to decide when to stop, to be judged on.
    n_parameters, n_trained, n_conditioner, n_features
        See :class:`~fastcaloq_infer.study.learner.Fitted`.
    aucs
        One per classifier: held-out against generated showers.
    has_likelihood
        Whether the model has one; then ``log_prob.npy`` holds it, nats per held-out shower.
    total_separation, zero_difference, layer_distance
        See :class:`~fastcaloq_infer.study.layer_figures.LayerFigures`; None where not asked for.
    """

    n_train: int
    n_validation: int
    n_held_out: int
    n_parameters: int
    n_trained: int
    n_conditioner: int
    n_features: int
    aucs: tuple[float, ...]
    has_likelihood: bool
    total_separation: float | None = None
    zero_difference: float | None = None
    layer_distance: float | None = None


class RunTimes(_Strict):
    """What a run took, seconds; never twice the same.

    Attributes
    ----------
    fit_cpu, fit_wall
        Of the training; CPU time of one thread. None where the training was interrupted and
        continued, so that nobody knows.
    sample_cpu
        CPU time of drawing ``n_sampled`` showers with the learner's own sampler.
    """

    fit_cpu: float | None
    fit_wall: float | None
    sample_cpu: float
    n_sampled: int


class RunStore:
    """One run's folder."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.run = run

    @property
    def fit_folder(self) -> Path:
        """Folder that the learner may use."""
        return self.folder / FIT

    def begin(self) -> bool:
        """Make room for the run; return whether a killed one left something to go on from.

        What is left of a run that was another one is removed.
        """
        begun = self.folder / "begun.json"
        if _read_json(begun) != {"fingerprint": self.run.fingerprint}:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            make_folder(self.folder, "run folder")
            _write(begun, json.dumps({"fingerprint": self.run.fingerprint}).encode())
        (self.folder / DONE).unlink(missing_ok=True)
        resumed = self.fit_folder.exists()
        make_folder(self.fit_folder, "run folder")
        return resumed

    def finish(
        self, record: RunRecord, times: RunTimes, log_prob: NDArray[np.float64] | None
    ) -> None:
        """Write the results, and that they are whole.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        files = {_RECORD: record.model_dump_json(indent=1).encode() + b"\n"}
        files[_TIMES] = times.model_dump_json(indent=1).encode() + b"\n"
        if log_prob is not None:
            stream = io.BytesIO()
            np.save(stream, log_prob.astype(np.float64))
            files[_LOG_PROB] = stream.getvalue()
        for name, content in files.items():
            _write(self.folder / name, content)
        done = {
            "run": self.run.name,
            "fingerprint": self.run.fingerprint,
            "sha256": {name: sha256_file(self.folder / name) for name in files},
        }
        _write(self.folder / DONE, (json.dumps(done, indent=1) + "\n").encode())

    def is_done(self) -> bool:
        """Whether the run is whole, unchanged since it was written, and the one that is asked for.

        Raises
        ------
        ConfigError
            The folder holds a whole run of this name with other settings or other showers.
        """
        done = _read_json(self.folder / DONE)
        if not isinstance(done, dict) or not isinstance(done.get("sha256"), dict):
            return False
        try:
            whole = all(
                sha256_file(self.folder / str(name)) == digest
                for name, digest in done["sha256"].items()
            )
        except InputError:
            return False
        if whole and done.get("fingerprint") != self.run.fingerprint:
            raise ConfigError(
                f"{self.folder} holds run {self.run.name} of another study, with other settings or "
                "other showers; write to another folder (-o), or remove it to have it done again"
            )
        return whole

    def load(self) -> tuple[RunRecord, RunTimes, NDArray[np.float64] | None]:
        """Read the results of a run that is done.

        Raises
        ------
        InputError
            They are of another version of this package.
        """
        try:
            record = RunRecord.model_validate_json((self.folder / _RECORD).read_bytes())
            times = RunTimes.model_validate_json((self.folder / _TIMES).read_bytes())
        except ValidationError as error:
            raise InputError(
                f"{self.folder} comes from another version of fastcaloq-infer; remove it to have "
                "the run done again"
            ) from error
        if not record.has_likelihood:
            return record, times, None
        return record, times, np.load(self.folder / _LOG_PROB, allow_pickle=False)


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
