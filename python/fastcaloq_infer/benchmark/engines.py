"""The same model behind the same call: native engine, ONNX Runtime, eager PyTorch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.benchmark.gemm import session_options
from fastcaloq_infer.errors import FastCaloQError
from fastcaloq_infer.sampling.graph_part import graph_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact import Card

    #: (incident energies (N,) MeV, eta (N,), latents (N, L)) -> layer energies (N, L) MeV
    Generate = Callable[
        [NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]
    ]

BATCHES = (1, 100, 10_000)
LARGEST_BATCH = max(BATCHES)


@dataclass(frozen=True)
class Engines:
    """What can be measured here, and why the rest cannot."""

    generate: dict[str, Generate]
    skipped: dict[str, str]


def available(path: Path, threads: int) -> Engines:
    """Load ``path`` into every engine that is installed.

    PyTorch runs the checkpoint ``model.safetensors`` beside the model, in float32, without
    gradients.
    """
    engines = _native(path, threads)
    skipped = {}
    if importlib.util.find_spec("onnxruntime"):
        engines["onnxruntime"] = _onnxruntime(path, threads)
    else:
        skipped["onnxruntime"] = "onnxruntime is not installed"
    checkpoint = path.with_name("model.safetensors")
    if not importlib.util.find_spec("torch"):
        skipped["torch"] = "torch is not installed"
    elif not checkpoint.is_file():
        skipped["torch"] = f"no checkpoint model.safetensors beside {path.name}"
    else:
        try:
            engines["torch"] = _torch(checkpoint, threads)
        except FastCaloQError as error:
            skipped["torch"] = str(error)
    return Engines(engines, skipped)


def conditions(
    card: Card, batch: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return energies (batch,) MeV over the range of validity, eta (batch,), latents (batch, L)."""
    from fastcaloq_infer import _core
    from fastcaloq_infer.output.spectrum import energies_of_validity, eta_of_validity

    event = np.arange(batch, dtype=np.uint64)
    particle = np.zeros(batch, np.uint32)
    return (
        energies_of_validity(*card.validity.incident_energy).draw(0, event),
        eta_of_validity(*card.validity.eta).draw(0, event),
        _core.latents(0, event, particle, card.n_layers),
    )


def disagreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the median over showers of the largest difference of a layer over E_tot.

    Both are layer energies (N, L) in MeV.
    """
    total = np.maximum(one.sum(axis=1), 1.0)
    return float(np.median(np.abs(one - other).max(axis=1) / total))


def _native(path: Path, threads: int) -> dict[str, Generate]:
    """Return the engine on given latents, as the others run, and drawing them as users have it."""
    from fastcaloq_infer import _core

    sampler = _core.Sampler(_core.Model(str(path)), threads=threads)
    event = np.arange(LARGEST_BATCH, dtype=np.uint64)
    particle = np.zeros(LARGEST_BATCH, np.uint32)

    def draw(
        energy: NDArray[np.float32], eta: NDArray[np.float32], z: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        n = len(energy)
        return sampler.sample(energy, eta, 0, event[:n], particle[:n], "refuse")[0]

    return {
        "native": lambda energy, eta, z: sampler.generate(energy, eta, z, "refuse")[0],
        "native, drawing latents": draw,
    }


def _onnxruntime(path: Path, threads: int) -> Generate:
    import onnxruntime

    part = graph_part(path.read_bytes(), "layer_energy")
    session = onnxruntime.InferenceSession(part, session_options(threads))

    def generate(
        energy: NDArray[np.float32], eta: NDArray[np.float32], z: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        inputs = {"incident_energy": energy[:, None], "eta": eta[:, None], "z_energy": z}
        found: NDArray[np.float32] = session.run(["layer_energy"], inputs)[0]
        return found

    return generate


def _torch(checkpoint: Path, threads: int) -> Generate:
    import torch

    from fastcaloq_infer.export.weights import exportable_energies
    from fastcaloq_infer.training.checkpoint import load_flow

    torch.set_num_threads(threads)
    flow = exportable_energies(*load_flow(checkpoint)).float().eval()

    def generate(
        energy: NDArray[np.float32], eta: NDArray[np.float32], z: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        with torch.no_grad():
            found: NDArray[np.float32] = flow.inverse(
                torch.from_numpy(z), torch.from_numpy(energy), torch.from_numpy(eta)
            ).numpy()
        return found

    return generate
