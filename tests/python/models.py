"""Random models for tests: flows with trained-like weights, and model files made of them.

Import it as ``from models import random_energy_flow`` (``tests/python/conftest.py`` puts this
folder on the path).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from fastcaloq_infer.artefact.provenance import Training, TrainingData
from fastcaloq_infer.artefact.sections import (
    BinningLayer,
    CardBinning,
    CardPreprocessing,
    Coordinate,
    Ranges,
)
from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.flow import EnergyFlow, FlowConfig
from fastcaloq_infer.flow.shape import ShapeConfig
from fastcaloq_infer.training.build import build_flow
from fastcaloq_infer.training.metadata import ModelMetadata, ShapeMetadata

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.export import ExportResult
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

Kind = Literal["conditioner", "classical", "none"]


def random_metadata(
    seed: int = 0,
    *,
    kind: Kind = "conditioner",
    n_layers: int = 5,
    bounds: bool = True,
    n_absolute: int = 0,
    eta: tuple[float, float] = (0.2, 0.2),
    n_knots: int = 9,
    quantum: dict[str, Any] | None = None,
    **flow: Any,
) -> ModelMetadata:
    """What a random model is made of; ``flow`` and ``quantum`` go to FlowConfig, QuantumConfig.

    With ``bounds`` the coordinates cycle through: lower, both, upper, none (those that are no
    fractions have a lower bound at most).
    """
    random = np.random.default_rng(seed)
    low, high = 256.0, 65536.0
    knots = np.linspace(math.log(low), math.log(high), n_knots) if n_knots > 1 else [math.log(low)]
    coordinates = []
    for k in range(n_layers):
        has_lower = bounds and k % 4 in (0, 1)
        has_upper = bounds and k > n_absolute and k % 4 in (1, 2)
        coordinates.append(
            Coordinate(
                mean=tuple(random.normal(0.0 if k == 0 else -1.0, 0.3, len(knots)).tolist()),
                scale=tuple(random.uniform(0.05 if k == 0 else 0.5, 0.9, len(knots)).tolist()),
                lower=float(random.uniform(-2.2, -0.8) - (k == 0)) if has_lower else None,
                upper=float(random.uniform(0.8, 2.2)) if has_upper else None,
                ceiling=float(random.uniform(0.8, 2.2)) if bounds and not has_upper else None,
                sharpness=float(random.uniform(1.0, 4.0)),
            )
        )
    return ModelMetadata(
        name=f"random-{seed}",
        particle="photon",
        pdg_id=22,
        binning=CardBinning(
            name="random",
            layers=tuple(
                BinningLayer(id=i, r_edges=(0.0, 10.0, 50.0), n_alpha=2) for i in range(n_layers)
            ),
        ),
        validity=Ranges(incident_energy=(low, high), eta=eta),
        preprocessing=CardPreprocessing(
            layer_order=tuple(random.permutation(n_layers).tolist()),
            n_absolute=n_absolute,
            energy_threshold=1e-3,
            zero_width=1.0,
            zero_gap=0.2,
            knots=tuple(map(float, knots)),
            coordinates=tuple(coordinates),
        ),
        flow=FlowConfig(**{"n_blocks": 4, "hidden": (32, 32), **flow}),
        quantum=QuantumConfig(**{"n_qubits": 4, **(quantum or {})}, kind=kind),
        training=Training(
            version="0.0.0",
            seed=seed,
            data=(TrainingData(name="none", sha256="0" * 64, showers=0),),
            steps=0,
            epochs=0,
            validation_nll=0.0,
            seconds=0.0,
        ),
    )


def random_energy_flow(
    seed: int = 0, *, scale: float = 1.0, **options: Any
) -> tuple[EnergyFlow, ModelMetadata]:
    """A float64 flow with random weights representable in float32, and its metadata.

    ``scale`` is the size of the last layers' outputs: 1 looks like a trained model, 3 is wild.
    ``options`` are those of `random_metadata`.
    """
    metadata = random_metadata(seed, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        flow = build_flow(metadata)
        with torch.no_grad():
            for block in flow.coupling_blocks:
                *_, last = block.coupling.subnet.linears
                last.weight.normal_(0.0, scale / math.sqrt(last.in_features))
                last.bias.normal_(0.0, 0.3 * scale)
                block.actnorm.shift.normal_(0.0, 0.2)
                block.actnorm.log_scale.normal_(0.0, 0.2)
            flow.double().eval()
            _standardise(flow, metadata)
            for parameter in flow.parameters():
                parameter.copy_(parameter.float().double())
    return flow, metadata


def _standardise(flow: EnergyFlow, metadata: ModelMetadata) -> None:
    """Shift and scale the coordinates as a training does: zeros and energies both occur."""
    n = 1000
    energy = torch.linspace(*map(math.log, metadata.validity.incident_energy), n).double().exp()
    eta = torch.linspace(*metadata.validity.eta, n).double()
    context = flow.context(energy, eta)
    x, _ = flow.blocks.inverse(torch.randn(n, flow.n_layers).double(), context)
    mean, deviation = x.mean(dim=0), x.std(dim=0)
    actnorm = flow.coupling_blocks[0].actnorm
    actnorm.shift.copy_((actnorm.shift + mean) / deviation)
    actnorm.log_scale.add_(deviation.log())


TINY_LAYERS = ((3, 1), (3, 4), (2, 3), (1, 1))
"""Rings and bins in alpha of layers that hold every kind of chain: 3 + 12 + 6 + 1 voxels."""


def random_binning(layers: tuple[tuple[int, int], ...] = TINY_LAYERS) -> CardBinning:
    """A binning of any rings and bins in alpha; rings of 10, 20, 30 mm and so on."""
    return CardBinning(
        name="random",
        layers=tuple(
            BinningLayer(
                id=i,
                r_edges=tuple(5.0 * j * (j + 1) for j in range(rings + 1)) if rings else (),
                n_alpha=alpha,
            )
            for i, (rings, alpha) in enumerate(layers)
        ),
    )


def random_shape_flow(
    metadata: ModelMetadata,
    *,
    kind: Kind = "conditioner",
    quantum: dict[str, Any] | None = None,
    atoms: float = 1.0,
    **shape: Any,
) -> tuple[VoxelFlow, ShapeMetadata]:
    """A float64 shape flow with random weights that goes with the energies of ``metadata``.

    ``shape`` goes to ShapeConfig; ``atoms`` is the spread of the logits of empty voxels.
    """
    seed = metadata.training.seed if metadata.training else 0
    described = ShapeMetadata(
        **{
            name: getattr(metadata, name)
            for name in ("name", "particle", "pdg_id", "binning", "validity", "eta_dependent")
        },
        training=metadata.training,
        quantum=QuantumConfig(**{"n_qubits": 3, **(quantum or {})}, kind=kind),
        shape=ShapeConfig(**shape),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        flow = build_flow(described)
        with torch.no_grad():
            network = flow.network
            network.head2.normal_(0.0, 0.5 / math.sqrt(network.head2.shape[1]))
            network.head2_bias.normal_(0.0, 0.3)
            network.head2_bias[..., :2].normal_(-0.5, atoms)
            flow.double().eval()
            for parameter in flow.parameters():
                parameter.copy_(parameter.float().double())
    return flow, described


def random_flows(
    seed: int = 0,
    *,
    layers: tuple[tuple[int, int], ...] | CardBinning = TINY_LAYERS,
    shape: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[EnergyFlow, ModelMetadata, tuple[VoxelFlow, ShapeMetadata]]:
    """Flows of energies and voxels: what `export_flow` takes; options as for its parts."""
    binning = layers if isinstance(layers, CardBinning) else random_binning(layers)
    small = {"n_blocks": 2, "hidden": (8,), "n_absolute": 1, **options}
    flow, metadata = random_energy_flow(seed, n_layers=len(binning.layers), **small)
    metadata = metadata.model_copy(update={"binning": binning})
    return flow, metadata, random_shape_flow(metadata, **(shape or {}))


def write_random_model(
    path: Path,
    seed: int = 0,
    *,
    conditioning: Literal["precomputed", "embedded", "served"] = "precomputed",
    whole: bool = False,
    **options: Any,
) -> ExportResult:
    """Export a random flow to ``path``; returns what `fastcaloq_infer.export.export_flow` does.

    With ``whole`` a model of whole showers: options are those of `random_flows`.
    """
    from fastcaloq_infer.export import export_flow

    if whole:
        flow, metadata, shape = random_flows(seed, **options)
    else:
        flow, metadata = random_energy_flow(seed, **options)
        shape = None
    return export_flow(flow, metadata, path, shape=shape, conditioning=conditioning, overwrite=True)
