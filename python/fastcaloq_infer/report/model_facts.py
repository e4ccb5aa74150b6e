"""What a report says about a training and the model file that came out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.export import ExportResult
    from fastcaloq_infer.output import Summary
    from fastcaloq_infer.report.model_pictures import ConditionerCurves
    from fastcaloq_infer.training import TrainedModel


CONDITIONERS = {
    "conditioner": "quantum circuit",
    "classical": "classical network",
    "multilinear": "multilinear table",
    "fourier": "random Fourier features",
    "none": "incident energy and eta alone",
}
"""What conditions the flow, by the configuration's ``quantum.kind``."""


def conditioner_curves(trained: TrainedModel, exported: ExportResult) -> ConditionerCurves | None:
    """Evaluate the conditioner between and at the knots of its table, at the lowest |eta|."""
    import numpy as np

    from fastcaloq_infer.export.table import exact_features
    from fastcaloq_infer.report.model_pictures import ConditionerCurves

    table = exported.table
    if table is None:
        return None
    low, high = table.card.log_energy
    log_energy = np.linspace(low, high, 400)
    knots = np.linspace(low, high, table.card.n_energy)
    features = exact_features(trained.flow, log_energy, np.array([table.card.eta[0]]))
    return ConditionerCurves(
        energy=np.exp(log_energy),
        features=features[:, 0, :],
        table_energy=np.exp(knots),
        table_features=table.values[:, 0, :].astype(np.float64),
        kind=CONDITIONERS[trained.metadata.quantum.kind],
    )


def describe_training(trained: TrainedModel) -> str:
    """Say how likely the validation showers are and how large the network is."""
    best = trained.history.best
    conditioner = sum(p.numel() for p in trained.flow.conditioner.parameters())
    total = sum(p.numel() for p in trained.flow.parameters())
    quality = f"{best.validation_nll:.3f} nats per validation shower, " if best else ""
    return f"{quality}{total:,} parameters, {conditioner} of them in the conditioner"


def describe_table(exported: ExportResult) -> str:
    """Say how well the precomputed table stands for the conditioner."""
    if exported.table is None:
        return "no table"
    error = exported.table.relative_error
    return f"interpolation error {error:.1e} of the features' range"


def model_facts(
    trained: TrainedModel,
    exported: ExportResult,
    production: Summary,
    reference: LayerEnergies,
    floor: LayerEnergies,
    seed: int,
) -> list[tuple[str, str]]:
    """List what made the showers: the model, the samples, the production, the seed."""
    from fastcaloq_infer import __version__

    return [
        ("model", f"{exported.card.name} ({exported.size / 1e3:.0f} kB)"),
        ("SHA-256 of the model", exported.digest),
        ("network", describe_training(trained)),
        ("conditioned by", CONDITIONERS[trained.metadata.quantum.kind]),
        ("conditioner table", describe_table(exported)),
        ("training showers (Geant4)", f"{len(floor):,}; also the sample of the floor"),
        ("held-out showers (Geant4)", f"{len(reference):,}, an independent run"),
        ("generated showers", f"{production.provenance.n_showers:,}"),
        (
            "drawn at",
            f"{production.provenance.n_showers / production.generation_seconds:,.0f} showers/s",
        ),
        ("seed", str(seed)),
        ("version", f"fastcaloq-infer {__version__}"),
    ]
