"""What a file of generated showers contains, one row per shower, and where it comes from.

====================== ======= ==== ============================================================
column                 dtype   unit meaning
====================== ======= ==== ============================================================
``event``              uint64       event number; with seed and particle it fixes the shower
``particle``           uint32       number of the particle within the event (0: one per event)
``seed``               uint64       seed of the random numbers
``pdg_id``             int32        what entered the calorimeter
``incident_energy``    float32 MeV  energy at the calorimeter surface
``eta``                float32      pseudorapidity there
``total_energy``       float32 MeV  sum over layers, added in double precision
``layer_energy_<id>``  float32 MeV  energy in the layer with CaloSampling number <id>, one column
                                    per layer, in the order of the model
====================== ======= ==== ============================================================

One column per layer rather than one array column: the name carries the CaloSampling number (the
tile layer 12 of a photon would be element 4 of an array), reading one layer reads a fifth of the
bytes, and ``tree.Draw("layer_energy_2/incident_energy")``, an RDataFrame expression and
``tree["layer_energy_2"].array()`` all work without knowing the model. In uproot,
``tree.arrays(filter_name="layer_energy_*")`` gives them all; the one thing an array would make
easier, the sum, is stored.

Whole showers have voxels besides, in one of two forms (`voxels`). Sparse, the default in ROOT:

====================== ========= ==== ==========================================================
``n_voxels``           int32          number of voxels with energy, the length of the next three
``voxel_layer``        uint16[]       CaloSampling number of the voxel's layer
``voxel_index``        uint16[]       number of the voxel in the shower, ascending: its column in
                                      a CaloChallenge file (r fastest, then alpha, then layer)
``voxel_energy``       float32[] MeV  its energy, more than 0
====================== ========= ==== ==========================================================

Dense: ``voxel_energies``, float32[V] in MeV, one array of every voxel; HDF5 files call it
``showers``, as the CaloChallenge does. The voxels of a layer add up to its layer energy within 1e-5
of it. The binning lies beside the rows: ``binning_xml``, in the challenge's XML dialect.

The seed is a column so that merged files still tell every shower's key; compressed, it is free.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import fastcaloq_infer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.output.voxels import VoxelStorage

#: Version of the columns and of the provenance record; raised when a column changes its meaning.
SCHEMA_VERSION = 1
#: Name of the TTree, or RNTuple, in a ROOT file.
TREE_NAME = "showers"
#: Name of the JSON provenance: a TObjString in ROOT files, an attribute in HDF5 files.
PROVENANCE_NAME = "provenance"

OutOfRange = Literal["refuse", "clip", "extrapolate"]


#: Name of the binning's XML: a TObjString in ROOT files, an attribute in HDF5 files.
BINNING_NAME = "binning_xml"
#: Column with the number of voxels in sparse ROOT files.
COUNTER = "n_voxels"
#: The voxels (N, V) among the columns of `columns`, in either form of the file.
VOXELS = "voxel_energies"


class ShowersLike(Protocol):
    """A batch of N showers with L layers, as ``sampling.Showers`` holds it.

    Those of whole showers have ``voxel_energy`` (N, V) float32 MeV too.
    """

    @property
    def incident_energy(self) -> NDArray[np.float32]:
        """Incident energies (N,) in MeV."""

    @property
    def eta(self) -> NDArray[np.float32]:
        """Pseudorapidities (N,)."""

    @property
    def layer_energy(self) -> NDArray[np.float32]:
        """Layer energies (N, L) in MeV."""

    @property
    def event(self) -> NDArray[np.uint64]:
        """Event numbers (N,)."""

    @property
    def n_out_of_range(self) -> int:
        """How many conditions lay outside of the model's range of validity."""


class Provenance(BaseModel):
    """Where a file of showers comes from; stored as one JSON object in every file.

    With the model of this digest, the seed, the event numbers and the laws of energy and eta (as
    given to ``--energies`` and ``--eta``), the same showers can be drawn again. ``conditioning``
    says where the features came from, ``n_fallback`` for how many showers a service was away and
    the model's own features stood in. ``voxels`` says in which form the file holds
    them, ``binning`` is the name of their binning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = SCHEMA_VERSION
    generator: str = "fastcaloq-infer"
    version: str = Field(default_factory=lambda: fastcaloq_infer.__version__)
    model: str
    model_sha256: str
    pdg_id: int
    layers: tuple[int, ...]
    voxels: Literal["none", "sparse", "dense"] = "none"
    binning: str | None = None
    units: dict[str, str] = {"energy": "MeV"}
    n_showers: int
    first_event: int
    particle_number: int = 0
    seed: int
    energy_law: str
    eta_law: str
    out_of_range: OutOfRange
    n_out_of_range: int
    engine: str = "native"
    conditioning: str = "model"
    n_fallback: int = 0
    command: str = ""
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def layer_column(layer_id: int) -> str:
    """Return the column of one layer, by CaloSampling number."""
    return f"layer_energy_{layer_id}"


def column_types(layers: tuple[int, ...]) -> dict[str, np.dtype[Any]]:
    """Return name and dtype of every column, in the order of the file."""
    types = {
        "event": np.uint64,
        "particle": np.uint32,
        "seed": np.uint64,
        "pdg_id": np.int32,
        "incident_energy": np.float32,
        "eta": np.float32,
        "total_energy": np.float32,
        **{layer_column(layer): np.float32 for layer in layers},
    }
    return {name: np.dtype(dtype) for name, dtype in types.items()}


def voxel_types(voxels: VoxelStorage | None) -> dict[str, Any]:
    """Return name and type of the columns of voxels, as uproot takes them."""
    if voxels is None:
        return {}
    if voxels.form == "dense":
        return {VOXELS: np.dtype((np.float32, (voxels.binning.n_voxels,)))}
    return {
        "voxel_layer": "var * uint16",
        "voxel_index": "var * uint16",
        "voxel_energy": "var * float32",
    }


def columns(
    showers: ShowersLike,
    *,
    layers: tuple[int, ...],
    seed: int,
    pdg_id: int,
    particle: int = 0,
    voxels: VoxelStorage | None = None,
) -> dict[str, NDArray[Any]]:
    """Arrange N showers as columns of shape (N,) with the dtypes of :func:`column_types`.

    Voxels, where they are wanted, are one more column `VOXELS` of shape (N, V), float32.
    """
    n = len(showers.event)
    values: dict[str, NDArray[Any]] = {
        "event": showers.event,
        "particle": np.full(n, particle, np.uint32),
        "seed": np.full(n, seed, np.uint64),
        "pdg_id": np.full(n, pdg_id, np.int32),
        "incident_energy": showers.incident_energy,
        "eta": showers.eta,
        "total_energy": showers.layer_energy.sum(axis=1, dtype=np.float64),
    }
    for position, layer in enumerate(layers):
        values[layer_column(layer)] = showers.layer_energy[:, position]
    types = column_types(layers)
    found = {name: np.ascontiguousarray(values[name], dtype) for name, dtype in types.items()}
    if voxels is not None:
        voxel_energy: NDArray[np.float32] = showers.voxel_energy  # type: ignore[attr-defined]
        found[VOXELS] = np.ascontiguousarray(
            np.ascontiguousarray(voxel_energy, np.float32), np.float32
        )
    return found
