"""ONNX Runtime on the graph in a model file: independent code, the oracle of the native engine."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.sampling.graph_part import graph_part

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.sampling.engines import Drawn

_WHOLE_SHOWERS = 1024
"""Rows at a time: what the graph holds between its nodes is 30 kB for each whole shower."""


class OnnxRuntimeEngine:
    """See `engines.Engine`."""

    def __init__(self, path: Path, threads: int) -> None:
        content = _read(path)
        self._path, self._threads = path, threads
        self.model = _core.Model.from_bytes(content, str(path))
        self._session = _session(content, threads, path)
        self._content = content if self.model.n_voxels else b""  # for `_energies`

    @cached_property
    def _energies(self) -> Any:
        """A session that makes layer energies alone; ONNX Runtime skips no nodes by itself."""
        if not self.model.n_voxels:
            return self._session
        return _session(graph_part(self._content, "layer_energy"), self._threads, self._path)

    def sample(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        seed: int,
        event: NDArray[np.uint64],
        particle: NDArray[np.uint32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
        voxels: bool = False,
    ) -> Drawn:
        """See `Engine`."""
        z = _core.latents(seed, event, particle, self.model.n_layers)
        z_shape = None
        if voxels:
            self._require_voxels()
            z_shape = _core.latents(seed, event, particle, self.model.n_voxels, stream=1)
        return self.generate(incident_energy, eta, z, out_of_range, quantum, z_shape)

    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
        z_shape: NDArray[np.float32] | None = None,
    ) -> Drawn:
        """See `Engine`."""
        energies, etas, n_outside = self.model.check_conditions(incident_energy, eta, out_of_range)
        inputs = {"incident_energy": energies[:, None], "eta": etas[:, None], "z_energy": z}
        if z_shape is not None:
            self._require_voxels()
            inputs["z_shape"] = z_shape
        for latents in (z, z_shape):
            if latents is not None:
                bad = ~np.isfinite(latents)
                _refuse_first(bad, InputError, "a latent that is not finite was given")
        if self.model.is_served or quantum is not None:
            inputs["quantum"] = self._features(energies, etas, quantum)
        layer_energy, voxel_energy = self._run(inputs, len(energies))
        for result in (layer_energy, voxel_energy):
            if result is not None:
                bad = ~(np.isfinite(result) & (result >= 0))
                _refuse_first(bad, ModelError, "an energy that is not finite and positive came out")
        return layer_energy, voxel_energy, n_outside

    def _run(
        self, inputs: dict[str, NDArray[np.float32]], n: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Run the graph, whole showers some at a time, into arrays of the whole batch."""
        layer_energy = np.empty((n, self.model.n_layers), dtype=np.float32)
        if "z_shape" not in inputs:
            if n:
                (layer_energy,) = self._energies.run(["layer_energy"], inputs)
            return layer_energy, None
        voxel_energy = np.empty((n, self.model.n_voxels), dtype=np.float32)
        for start in range(0, n, _WHOLE_SHOWERS):
            rows = slice(start, start + _WHOLE_SHOWERS)
            layer_energy[rows], voxel_energy[rows] = self._session.run(
                ["layer_energy", "voxel_energy"], {name: a[rows] for name, a in inputs.items()}
            )
        return layer_energy, voxel_energy

    def _require_voxels(self) -> None:
        if not self.model.n_voxels:
            raise InputError(
                "voxels were asked of a model that makes layer energies alone: ask for energies "
                "only (voxels=False), or take a model of whole showers"
            )

    def _features(
        self,
        energies: NDArray[np.float32],
        etas: NDArray[np.float32],
        quantum: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """Features for the graph's input: those given, else of the file's fall-back table."""
        if quantum is None:
            return self.model.features(energies, etas, "extrapolate")
        if not self.model.is_served:
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
