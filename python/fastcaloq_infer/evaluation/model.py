"""Evaluate a model against a held-out Geant4 file in one call.

>>> from fastcaloq_infer.evaluation import evaluate_model, summary
>>> evaluation = evaluate_model("photon_energy", "held_out.hdf5", "training.hdf5")  # doctest: +SKIP
>>> print(summary(evaluation))                                              # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.data import LayerEnergies, read_layer_energies
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.layer_energies import evaluate_layer_energies
from fastcaloq_infer.evaluation.samples.sample import as_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning
    from fastcaloq_infer.evaluation.results import Evaluation
    from fastcaloq_infer.evaluation.samples.sample import Sample
    from fastcaloq_infer.sampling import Sampler

    Generate = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[Any]]


@dataclass(frozen=True)
class GeneratedShowers:
    """Generated layer energies: (N,) and (N, L), MeV."""

    incident_energy: NDArray[Any]
    layer_energy: NDArray[Any]


def evaluate_model(
    model: object,
    reference_file: Path | str | LayerEnergies,
    floor_file: Path | str | LayerEnergies,
    *,
    binning: Binning | str | Path | None = None,
    eta: float | None = None,
    seeds: int = 5,
    seed: int = 1,
    multiple: int = 4,
    energy_threshold: float = 0.0,
    distances: bool = True,
) -> Evaluation:
    """Generate showers at the reference's incident energies and eta, and compare.

    Parameters
    ----------
    model
        Name of a shipped model or path of an ``.onnx`` file (sampled by the C++ engine), a
        ``Sampler``, an ``EnergyFlow`` (a torch module, before export), or any function of
        (incident_energy (N,), eta (N,)) that returns layer energies (N, L) in MeV.
    reference_file
        Held-out Geant4 showers: a file, or layer energies already read.
    floor_file
        An independent Geant4 sample for the floor: a file, or layer energies already read.
    binning, eta
        As in ``read_layer_energies``, for files that do not state them.
    seeds, seed, energy_threshold, distances
        As in ``evaluate_layer_energies``; ``seed`` also drives the generation.
    multiple
        Showers generated per reference shower. Zero fractions, response and correlations use all
        of them, so that the generated sample's own fluctuation does not blur the comparison.

    Raises
    ------
    InputError
        Files or samples that cannot be compared.
    ModelError
        A model file that cannot be loaded.
    """
    reference, floor = (
        source
        if isinstance(source, LayerEnergies)
        else read_layer_energies(source, binning, eta=eta)
        for source in (reference_file, floor_file)
    )
    if multiple < 1:
        raise InputError(f"multiple={multiple}: at least one shower per reference shower is needed")
    energy = np.tile(np.asarray(reference.incident_energy, np.float32), multiple)
    etas = np.tile(np.asarray(reference.eta, np.float32), multiple)
    layers = _generate(model, seed)(energy, etas)
    return evaluate_layer_energies(
        reference,
        GeneratedShowers(energy, layers),
        floor,
        seeds=seeds,
        seed=seed,
        energy_threshold=energy_threshold,
        distances=distances,
    )


def draw_like(
    sampler: Sampler, reference: Sample, *, multiple: int, seed: int, voxels: bool
) -> Sample:
    """Draw ``multiple`` showers per reference shower, at its incident energy and eta.

    Parameters
    ----------
    sampler
        A model file, opened.
    reference
        Held-out showers; where they do not state eta, the model's own is used.
    voxels
        Whether to draw whole showers. Layers without voxels in the model's binning are then left
        out, as they are in files of voxels.

    Raises
    ------
    InputError
        Conditions outside of the model's range, voxels of a model that has none, or more than the
        memory holds.
    """
    from fastcaloq_infer.output.voxels import voxel_binning

    energy = np.tile(np.asarray(reference.incident_energy, np.float32), multiple)
    eta = reference.eta
    showers = sampler.sample(
        energy,
        eta=None if eta is None else np.tile(np.asarray(eta, np.float32), multiple),
        seed=seed,
        voxels=voxels,
    )
    sample = replace(as_sample(showers, "generated", level="layers"), name=sampler.card.name)
    ids = sampler.card.layer_ids
    if showers.voxel_energy is None:
        return replace(sample, layer_ids=ids)
    binning = voxel_binning(sampler.card)
    columns = [ids.index(layer) for layer in binning.layer_ids]
    return replace(
        sample,
        layer_energy=sample.layer_energy[:, columns],
        voxel_energy=showers.voxel_energy,
        binning=binning,
        layer_ids=binning.layer_ids,
    )


def _generate(model: Any, seed: int) -> Generate:
    """Return the function that draws layer energies from whatever kind of model this is."""
    if isinstance(model, str | Path):
        from fastcaloq_infer.sampling import Sampler

        model = Sampler(model)
    if hasattr(model, "coupling_blocks"):
        return _flow(model, seed)
    if hasattr(model, "sample"):
        return lambda energy, eta: np.asarray(model.sample(energy, eta=eta, seed=seed).layer_energy)
    if callable(model):
        return lambda energy, eta: np.asarray(model(energy, eta))
    raise InputError(
        f"cannot draw showers from {type(model).__name__}: give a model name, an .onnx file, a "
        "Sampler, an EnergyFlow or a function of (incident_energy, eta)"
    )


def _flow(flow: Any, seed: int) -> Generate:
    import torch

    def generate(energy: NDArray[np.float32], eta: NDArray[np.float32]) -> NDArray[Any]:
        parameter = next(flow.parameters())
        generator = torch.Generator(device=parameter.device).manual_seed(seed)
        rows = []
        for start in range(0, len(energy), 10_000):
            part = slice(start, start + 10_000)
            condition = [torch.as_tensor(values[part]).to(parameter) for values in (energy, eta)]
            rows.append(flow.sample(*condition, generator=generator).cpu().numpy())
        return np.concatenate(rows)

    return generate
