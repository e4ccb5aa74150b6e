"""The file that ATLAS FastCaloSim loads, and the bins beside it.

``TFCSMLCalorimeterSimulator`` gives the network 10 * abs(eta), the energy and standard normal
numbers, one shower at a time, and reads voxel energies in MeV. Nobody looks at the range of
validity there, so the graph takes particles outside the range of extrapolation to its edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fastcaloq_infer.artefact.bins import write_bins
from fastcaloq_infer.artefact.file import ModelFile, read_model, serialise
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.export.fold import fold
from fastcaloq_infer.export.graph import Graph
from fastcaloq_infer.export.shape_parity import shape_floor
from fastcaloq_infer.export.verify import (
    Runner,
    n_checked,
    random_showers,
    require_agreement,
    voxel_excess,
    worst_voxel_excess,
)
from fastcaloq_infer.export.whole import shower_nodes
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray
    from onnx import ModelProto

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.export.model import Model
    from fastcaloq_infer.export.trained import Trained

KEY: Final = "fastcaloq.fastcalosim"
"""Where the card stands among the metadata: this file is not for our own sampler."""
INPUTS: Final = ("inn_eta_in", "inn_einc_in", "inn_z_energy", "cfm_z_shape")
OUTPUT: Final = "voxel_energy"
_ETA_FACTOR = 10.0


def bins_path(path: Path) -> Path:
    """Return the name of the bins file beside a model file."""
    return path.with_name(f"{path.stem}_bins.hdf5")


def check_contract(trained: Trained, conditioning: str) -> None:
    """Raise ``InputError`` where FastCaloSim could not use the model."""
    if trained.shape is None:
        raise InputError(
            f"{trained.metadata.name} has energies of layers alone, but FastCaloSim wants voxels: "
            "give the run of the shapes, too (--shape)"
        )
    if conditioning == "served":
        raise InputError(
            "FastCaloSim asks no service, so the conditioning must be inside the graph: choose "
            "precomputed or embedded"
        )
    empty = [layer.id for layer in trained.metadata.binning.layers if not layer.n_voxels]
    if empty:
        raise InputError(
            f"layer {empty[0]} has no voxels, and FastCaloSim counts layers by their voxels: train "
            "on layers with voxels only"
        )


def fastcalosim_graph(
    card: Card, initialisers: Mapping[str, np.ndarray], batch: str | int = 1
) -> ModelProto:
    """Build the graph, with all that is constant computed.

    Inputs ``inn_eta_in`` [1, 1] (10 * abs(eta)), ``inn_einc_in`` [1, 1] MeV, ``inn_z_energy``
    [1, L], ``cfm_z_shape`` [1, V]; output ``voxel_energy`` [1, V] MeV; all float32. With a name in
    place of the 1 that dimension is dynamic.
    """
    g = Graph(KEY, initialisers, batch)
    widths = (1, 1, card.n_layers, card.n_voxels)
    eta, energy, *latents = (
        g.input(name, width) for name, width in zip(INPUTS, widths, strict=True)
    )
    g.scope("particle")
    eta = g.op("Abs", g.op("Div", eta, g.constant(_ETA_FACTOR)))
    reach = card.extrapolation
    eta, energy = (
        g.op("Clip", value, *(g.constant(float(np.float32(bound))) for bound in bounds))
        for value, bounds in ((eta, reach.eta), (energy, reach.incident_energy))
    )
    voxels = shower_nodes(g, card, energy, eta, latents)[-1]
    g.scope("output")
    g.output(voxels, OUTPUT, card.n_voxels)
    model = g.model()
    fold(model, "shape.group")
    return model


def inputs_of(
    incident_energy: ArrayLike, eta: ArrayLike, z_energy: ArrayLike, z_shape: ArrayLike
) -> dict[str, Any]:
    """Name the inputs of energies (N,) MeV, eta (N,) and latents (N, L) and (N, V)."""
    columns = (
        _ETA_FACTOR * np.abs(np.asarray(eta)).reshape(-1, 1),
        np.asarray(incident_energy).reshape(-1, 1),
        z_energy,
        z_shape,
    )
    return dict(zip(INPUTS, columns, strict=True))


def write_fastcalosim(
    trained: Trained, model: Model, path: Path
) -> tuple[bytes, str, tuple[float, float]]:
    """Write model and bins file after checking the graph; returns content, digest and errors.

    Raises
    ------
    ModelError
        ONNX Runtime disagrees with the flow.
    OutputError
        A file cannot be written.
    """
    card = model.card
    content, digest = serialise(fastcalosim_graph(card, model.initialisers), card, KEY)
    errors = _check(content, trained, model)
    with atomic_path(path) as temporary, atomic_path(bins_path(path)) as bins:
        temporary.write_bytes(content)
        write_bins(bins, card, digest)
    return content, digest, errors


def _check(content: bytes, trained: Trained, model: Model) -> tuple[float, float]:
    """Run the file on the parity vectors, and its graph with a dynamic N on random showers."""
    card = model.card
    parity = card.shape.parity  # type: ignore[union-attr]  # `check_contract` has looked
    single = Runner(content)
    rows = zip(parity.incident_energy, parity.eta, parity.z_energy, parity.z_shape, strict=True)
    found = np.vstack([_run(single, *([value] for value in row)) for row in rows])
    on_parity = voxel_excess(found, parity)
    require_agreement(on_parity, "the parity vectors")
    many = Runner(fastcalosim_graph(card, model.initialisers, "N").SerializeToString())
    showers = random_showers(trained, model, np.linspace(0.0, 1.0, n_checked(card)))
    energy = showers.energy
    voxels = _run(many, energy.incident_energy, energy.eta, energy.z_energy, showers.z_shape)
    floor = shape_floor(trained.shape.flow)  # type: ignore[union-attr]
    on_check = worst_voxel_excess(voxels, showers, floor)
    require_agreement(on_check, "random showers")
    return on_parity, on_check


def _run(runner: Runner, *inputs: ArrayLike) -> NDArray[np.float32]:
    return runner.run(inputs_of(*inputs))[0]


def read_fastcalosim(path: str | PathLike[str]) -> ModelFile:
    """Read a file written for FastCaloSim and check its digest and card.

    Raises
    ------
    ModelError
        If it cannot be read, is damaged, or is no such file.
    """
    return read_model(path, KEY)
