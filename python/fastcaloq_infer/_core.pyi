"""C++ core: arrays in, arrays out, nothing converted.

Arrays must have exactly the given dtype, be C-contiguous and of matching length, else
``InputError``. Energies in MeV. All functions release the interpreter lock while they compute.
"""

import os
from typing import final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class Model:
    """A loaded, verified, immutable model; may be shared by threads.

    Raises ``ModelError`` for a file that is missing, damaged, foreign, of a newer schema, or that
    does not reproduce its parity vectors on this machine.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None: ...
    @staticmethod
    def from_bytes(data: bytes, name: str = "the model") -> Model: ...
    @property
    def card(self) -> str:
        """The card as JSON."""
    @property
    def digest(self) -> str:
        """SHA-256 that names the model, 64 hexadecimal characters."""
    @property
    def n_layers(self) -> int:
        """Columns of ``layer_energy``."""
    @property
    def n_voxels(self) -> int:
        """Columns of ``voxel_energy``; 0 for a model of layer energies alone."""
    @property
    def n_features(self) -> int:
        """Columns of ``quantum``: of the energies, then of the shape; 0: no conditioner."""
    @property
    def is_served(self) -> bool:
        """Whether the graph takes features as an input."""
    def check_conditions(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        out_of_range: str = "refuse",
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
        """Energies [MeV] and eta to use, (N,) each, and the number of rows outside the validity.

        Raises ``InputError`` naming the first row that is not finite, not positive, or not allowed
        by ``out_of_range`` ("refuse", "clip", "extrapolate").
        """
    def features(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        out_of_range: str = "refuse",
    ) -> NDArray[np.float32]:
        """Features (N, Q) of what the file itself holds: table, circuit or network.

        Raises ``InputError`` as `check_conditions`, and for a file that holds none: kind ``none``,
        or conditioning that is served without a table to fall back to.
        """

@final
class Sampler:
    """Draws showers; may be used by many threads at once.

    ``threads`` 0 means every processor this process may use; ``instruction_set`` is "auto" or one
    of `instruction_sets`. Raises ``InputError`` for an instruction set this machine lacks.
    """

    def __init__(self, model: Model, threads: int = 0, instruction_set: str = "auto") -> None: ...
    @property
    def threads(self) -> int: ...
    @property
    def instruction_set(self) -> str: ...
    def sample(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        seed: int,
        event: NDArray[np.uint64],
        particle: NDArray[np.uint32],
        out_of_range: str = "refuse",
        quantum: NDArray[np.float32] | None = None,
        voxels: bool = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, int]:
        """Layer energies (N, L) and voxels (N, V) in MeV, and how many are outside the validity.

        Voxels are None where they are not asked for; energies are the same either way.

        ``quantum`` (N, Q) are features to use in place of the model's own, whatever its mode: those
        of the values that are used, so of the clipped ones with "clip". They must be given where
        the conditioning is served and the file has no table. Same key, same features, same bits.

        Raises ``InputError`` as `Model.check_conditions`, and for features that are missing, of
        another shape or not finite, and for voxels of a model without them; ``ModelError`` if an
        energy that is not finite comes out.
        """
    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str = "refuse",
        quantum: NDArray[np.float32] | None = None,
        z_shape: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, int]:
        """As `sample`, from given latents ``z`` (N, L) and, with voxels, ``z_shape`` (N, V)."""

def latents(
    seed: int,
    event: NDArray[np.uint64],
    particle: NDArray[np.uint32],
    n: int,
    stream: int = 0,
) -> NDArray[np.float32]:
    """Draw standard normal latents (N, n) of N keys (seed, event, particle).

    Stream 0 is for energies, 1 for shapes, 2 for incident energies and eta; the bits are the same
    on every machine.
    """

def instruction_sets() -> list[str]:
    """Return the instruction sets this build holds and this machine runs, best first."""
