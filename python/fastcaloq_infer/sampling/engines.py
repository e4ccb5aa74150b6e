"""The two engines that turn latents into layer energies; both run the same verified bytes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Engine(Protocol):
    """Layer energies (N, L) MeV and the number of rows out of range, from checked arrays.

    ``quantum`` (N, Q) are features to use in place of the model's own: those of the values that are
    used, so of the clipped ones with "clip".

    Raises ``InputError`` for a condition that ``out_of_range`` does not allow and for features that
    are missing or unusable, ``ModelError`` for a result that is not finite; both name the row.
    """

    @property
    def model(self) -> _core.Model:
        """The verified model."""

    def sample(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        seed: int,
        event: NDArray[np.uint64],
        particle: NDArray[np.uint32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], int]:
        """Draw from the latents of the keys (seed, event, particle)."""

    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], int]:
        """Draw from given latents (N, L)."""


class NativeEngine:
    """The C++ engine of this package; reads the weights out of the file and needs nothing else."""

    def __init__(self, path: Path, threads: int, instruction_set: str) -> None:
        self.model = _core.Model(path)
        sampler = _core.Sampler(self.model, threads=threads, instruction_set=instruction_set)
        self.sample = sampler.sample
        self.generate = sampler.generate


class OnnxRuntimeEngine:
    """ONNX Runtime on the graph in the file: independent code, the oracle of the native engine."""

    def __init__(self, path: Path, threads: int) -> None:
        content = _read(path)
        self.model = _core.Model.from_bytes(content, str(path))
        self._session = _session(content, threads, path)
        self._served = "quantum" in (value.name for value in self._session.get_inputs())

    def sample(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        seed: int,
        event: NDArray[np.uint64],
        particle: NDArray[np.uint32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], int]:
        """See `Engine`."""
        z = _core.latents(seed, event, particle, self.model.n_layers)
        return self.generate(incident_energy, eta, z, out_of_range, quantum)

    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], int]:
        """See `Engine`."""
        energies, etas, n_outside = self.model.check_conditions(incident_energy, eta, out_of_range)
        _refuse_first(~np.isfinite(z), InputError, "a latent that is not finite was given")
        if len(energies) == 0:
            return np.empty((0, self.model.n_layers), dtype=np.float32), 0
        inputs = {"incident_energy": energies[:, None], "eta": etas[:, None], "z_energy": z}
        if self._served or quantum is not None:
            inputs["quantum"] = self._features(energies, etas, quantum)
        result: NDArray[np.float32] = self._session.run(["layer_energy"], inputs)[0]
        bad = ~(np.isfinite(result) & (result >= 0))
        _refuse_first(bad, ModelError, "a layer energy that is not finite and positive came out")
        return result, n_outside

    def _features(
        self,
        energies: NDArray[np.float32],
        etas: NDArray[np.float32],
        quantum: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """Features for the graph's input: those given, else of the file's fall-back table."""
        if quantum is None:
            return self.model.features(energies, etas, "extrapolate")
        if not self._served:
            raise InputError(
                "the graph of this model computes its features and has no input for given ones: "
                "use engine 'native', or a model exported with --conditioning served"
            )
        shape = (len(energies), self.model.n_features)
        if quantum.dtype != np.float32 or quantum.shape != shape:
            raise InputError(
                f"quantum is {quantum.dtype} of shape {quantum.shape} where float32 of shape "
                f"{shape} belongs, the features of each shower: convert it first"
            )
        _refuse_first(~np.isfinite(quantum), InputError, "a feature that is not finite was given")
        return quantum


def _refuse_first(bad: NDArray[np.bool_], error: type[Exception], what: str) -> None:
    if bad.any():
        row = int(bad.any(axis=1).argmax())
        raise error(
            f"row {row}: {what}, so the batch is not usable: stay inside the range of validity"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from None


def _session(content: bytes, threads: int, path: Path) -> Any:
    try:
        runtime = import_module("onnxruntime")
    except ImportError:
        raise InputError(
            "engine 'onnxruntime' needs the package onnxruntime, which is not installed: "
            "pip install 'fastcaloq-infer[onnxruntime]', or use engine 'native'"
        ) from None
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings about a graph are for its exporter, not its user
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class of their own
        reason = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{path}: ONNX Runtime cannot run this graph ({reason}): use engine 'native' or "
            "another version of onnxruntime"
        ) from error
