"""Running a model file's bytes in ONNX Runtime and holding them against float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.export.parity import Reference


class Runner:
    """An ONNX Runtime session on one thread, from the bytes of a model file."""

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # it warns of the fall-back table, which no node reads
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )

    def __call__(
        self,
        incident_energy: NDArray[np.floating],
        eta: NDArray[np.floating],
        z_energy: NDArray[np.floating],
        quantum: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float32]:
        """Layer energies (N, L) MeV of energies (N,) MeV, eta (N,) and latents (N, L).

        ``quantum`` (N, Q) are the features, for a graph that has them as an input.
        """
        feed = {
            "incident_energy": np.asarray(incident_energy, np.float32).reshape(-1, 1),
            "eta": np.asarray(eta, np.float32).reshape(-1, 1),
            "z_energy": np.asarray(z_energy, np.float32),
        }
        if quantum is not None:
            feed["quantum"] = np.asarray(quantum, np.float32)
        result: NDArray[np.float32] = self._session.run(["layer_energy"], feed)[0]
        return result


def parity_error(runner: Runner, card: Card) -> float:
    """Largest deviation of the parity vectors over their tolerance; at most 1 for a good model."""
    parity = card.parity
    expected = np.array(parity.layer_energy)
    energies, etas, z = map(np.array, (parity.incident_energy, parity.eta, parity.z_energy))
    found = runner(energies, etas, z, None if parity.quantum is None else np.array(parity.quantum))
    allowed = parity.absolute_tolerance + parity.relative_tolerance * expected
    return float((np.abs(found - expected) / allowed).max())


def require_agreement(excess: float, what: str) -> None:
    """Raise ``ModelError`` unless ``excess`` (deviation over tolerance) is a number up to 1."""
    if not excess <= 1.0:
        raise ModelError(
            f"ONNX Runtime and the trained flow disagree on {what} by {excess:.3g} times the "
            "tolerance, so the file was not written; please report this with the checkpoint"
        )


def worst_excess(
    runner: Runner, reference: Reference, floor: float, *, served: bool = False
) -> float:
    """Largest deviation of random showers over the bound of float32 (see `Reference.excess`).

    With ``served`` the graph is given the reference's features.
    """
    inputs = (reference.incident_energy, reference.eta, reference.z_energy)
    found = runner(*inputs, reference.quantum if served else None)
    return float(reference.excess(found, floor).max())
