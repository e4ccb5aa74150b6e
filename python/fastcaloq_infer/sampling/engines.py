"""The two engines that turn latents into showers; both run the same verified bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.sampling.onnxruntime_engine import OnnxRuntimeEngine

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Drawn = tuple[NDArray[np.float32], NDArray[np.float32] | None, int]

EngineName = Literal["native", "onnxruntime"]


class Engine(Protocol):
    """Layer energies (N, L) MeV, voxels (N, V) MeV or None, and how many rows are out of range.

    Arrays are checked by the caller. ``quantum`` (N, Q) are features to use in place of the model's
    own, those of the energies first and then those of the shape: of the values that are used, so of
    the clipped ones with "clip". Layer energies do not depend on whether voxels are asked for.

    Raises ``InputError`` for a condition that ``out_of_range`` does not allow, for features that
    are missing or unusable, and for voxels of a model without them; ``ModelError`` for a result
    that is not finite. The message names the row.
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
        voxels: bool = False,
    ) -> Drawn:
        """Draw from the latents of the keys (seed, event, particle), with voxels or without."""

    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
        z_shape: NDArray[np.float32] | None = None,
    ) -> Drawn:
        """Draw from given latents (N, L) and (N, V); energies only where the latter are None."""


class NativeEngine:
    """The C++ engine of this package; reads the weights out of the file and needs nothing else."""

    def __init__(self, path: Path, threads: int, instruction_set: str) -> None:
        self.model = _core.Model(path)
        sampler = _core.Sampler(self.model, threads=threads, instruction_set=instruction_set)
        self.sample = sampler.sample
        self.generate = sampler.generate


def make_engine(name: str, path: Path, threads: int, instruction_set: str) -> Engine:
    """Load the model at ``path`` into the engine called ``name``.

    Raises
    ------
    InputError
        An unknown engine or instruction set, or a package that is not installed.
    ModelError
        The file is not a usable model.
    """
    if name == "native":
        return NativeEngine(path, threads, instruction_set)
    if name == "onnxruntime":
        return OnnxRuntimeEngine(path, threads)
    raise InputError(f"engine {name!r} is unknown: use one of {', '.join(get_args(EngineName))}")
