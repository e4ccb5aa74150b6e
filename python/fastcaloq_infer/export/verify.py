"""Running a model file's bytes in ONNX Runtime and holding them against float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.export.parity import draw
from fastcaloq_infer.export.shape_parity import draw_showers, shape_floor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.artefact.shape import ShapeParity
    from fastcaloq_infer.export.model import Model
    from fastcaloq_infer.export.parity import Reference
    from fastcaloq_infer.export.shape_parity import ShapeReference
    from fastcaloq_infer.export.trained import Trained

_CHECKED = 512
_CHECKED_WHOLE = 256  # of which each costs as much as a thousand layers
_CHECK_SEED = 1_000_003
_MOST_NEAR_EDGES = 0.2  # of the showers; of a trained model it is less than one in twenty


def n_checked(card: Card) -> int:
    """Return how many random showers of a model are compared."""
    return _CHECKED if card.shape is None else _CHECKED_WHOLE


class Showers(NamedTuple):
    """Layer energies (N, L) and voxels (N, V), MeV; None of a model of energies."""

    layer_energy: NDArray[np.float32]
    voxel_energy: NDArray[np.float32] | None


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

    def run(self, feed: dict[str, Any]) -> list[NDArray[np.float32]]:
        """All outputs for inputs by name."""
        arrays = {name: np.asarray(value, np.float32) for name, value in feed.items()}
        results: list[NDArray[np.float32]] = self._session.run(None, arrays)
        return results

    def showers(
        self,
        incident_energy: ArrayLike,
        eta: ArrayLike,
        z_energy: ArrayLike,
        z_shape: ArrayLike | None = None,
        quantum: ArrayLike | None = None,
    ) -> Showers:
        """Whole showers of energies (N,) MeV, eta (N,) and latents (N, L) and (N, V).

        ``quantum`` (N, Q) are the features, for a graph that has them as an input.
        """
        feed: dict[str, Any] = {
            "incident_energy": np.asarray(incident_energy).reshape(-1, 1),
            "eta": np.asarray(eta).reshape(-1, 1),
            "z_energy": z_energy,
        }
        if z_shape is not None:
            feed["z_shape"] = z_shape
        if quantum is not None:
            feed["quantum"] = quantum
        layers, *voxels = self.run(feed)
        return Showers(layers, voxels[0] if voxels else None)

    def __call__(
        self,
        incident_energy: NDArray[np.floating],
        eta: NDArray[np.floating],
        z_energy: NDArray[np.floating],
        quantum: NDArray[np.floating] | None = None,
    ) -> NDArray[np.float32]:
        """Layer energies (N, L) MeV of a model of energies alone (see `showers`)."""
        return self.showers(incident_energy, eta, z_energy, quantum=quantum).layer_energy


def parity_error(runner: Runner, card: Card) -> float:
    """Largest deviation of the parity vectors over their tolerance; at most 1 for a good model."""
    parity = card.parity
    if card.shape is not None:
        return max(_energy_error(runner, card), _shape_error(runner, card))
    found = runner.showers(
        parity.incident_energy, parity.eta, parity.z_energy, quantum=parity.quantum
    )
    return _excess(found.layer_energy, parity.layer_energy, parity)


def _energy_error(runner: Runner, card: Card) -> float:
    """Error of the energies' own parity vectors, with latents of the shape that do not matter."""
    parity = card.parity
    rows = len(parity.incident_energy)
    features = np.zeros((rows, card.n_features))
    if parity.quantum is not None:
        features[:, : card.conditioning.features] = parity.quantum
    found = runner.showers(
        parity.incident_energy,
        parity.eta,
        parity.z_energy,
        np.zeros((rows, card.n_voxels)),
        features if card.served else None,
    )
    return _excess(found.layer_energy, parity.layer_energy, parity)


def _shape_error(runner: Runner, card: Card) -> float:
    parity = card.shape.parity  # type: ignore[union-attr]
    found = runner.showers(
        parity.incident_energy, parity.eta, parity.z_energy, parity.z_shape, parity.quantum
    )
    return np.inf if found.voxel_energy is None else voxel_excess(found.voxel_energy, parity)


def voxel_excess(found: NDArray[np.float32], parity: ShapeParity) -> float:
    """Largest deviation of the voxels (N, V) of parity vectors over their tolerance.

    Infinite where a voxel is empty in one alone.
    """
    if ((found == 0) != (np.array(parity.voxel_energy) == 0)).any():
        return np.inf
    return _excess(found, parity.voxel_energy, parity)


def _excess(found: NDArray[np.float32], wanted: ArrayLike, parity: Any) -> float:
    expected = np.array(wanted)
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
    """Largest deviation of random layer energies over the bound of float32.

    With ``served`` the graph is given the reference's features (see `Reference.excess`).
    """
    found = runner.showers(
        reference.incident_energy,
        reference.eta,
        reference.z_energy,
        quantum=reference.quantum if served else None,
    )
    return float(reference.excess(found.layer_energy, floor).max())


def worst_voxel_excess(
    voxel_energy: NDArray[np.float32], reference: ShapeReference, floor: float
) -> float:
    """Largest deviation of random voxels (N, V) over the bound of float32.

    ``floor`` [MeV] is the absolute tolerance.

    Raises
    ------
    ModelError
        If rounding may decide about too many showers.
    """
    unsure = reference.near_edge.mean()
    if not unsure <= _MOST_NEAR_EDGES:
        raise ModelError(
            f"rounding may decide which voxels are empty in {100 * unsure:.0f} % of the showers: "
            "the flow is too steep to be run in single precision; train it longer"
        )
    return float(reference.excess(voxel_energy, floor).max())


def check(content: bytes, trained: Trained, model: Model) -> tuple[float, float]:
    """Run a file; returns the errors of parity vectors and random showers over their bounds.

    Raises
    ------
    ModelError
        If one is larger than 1.
    """
    card, runner = model.card, Runner(content)
    on_parity = parity_error(runner, card)
    require_agreement(on_parity, "the parity vectors")
    place = np.linspace(0.0, 1.0, n_checked(card))
    floor = card.parity.absolute_tolerance
    if trained.shape is None:
        reference = draw(
            trained.flow, trained.validity, place, _CHECK_SEED, model.feature_errors[0]
        )
        on_check = worst_excess(runner, reference, floor, served=card.served)
    else:
        showers = random_showers(trained, model, place)
        energy = showers.energy
        found = runner.showers(
            energy.incident_energy,
            energy.eta,
            energy.z_energy,
            showers.z_shape,
            showers.quantum if card.served else None,
        )
        voxels = found.voxel_energy
        on_check = max(
            float(energy.excess(found.layer_energy, floor).max()),
            worst_voxel_excess(voxels, showers, shape_floor(trained.shape.flow)),  # type: ignore[arg-type]
        )
    require_agreement(on_check, "random showers")
    return on_parity, on_check


def random_showers(
    trained: Trained, model: Model, place: NDArray[np.float64], seed: int = _CHECK_SEED
) -> ShapeReference:
    """Draw whole reference showers at ``place`` (N,) in the range of validity."""
    flows = (trained.flow, trained.shape.flow)  # type: ignore[union-attr]
    errors = (model.feature_errors[0], model.feature_errors[1])
    return draw_showers(flows, trained.validity, place, seed, errors)
