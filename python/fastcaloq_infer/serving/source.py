"""Where a server's features come from: a conditioner of any kind, evaluated batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.serving.cache import FeatureCache
from fastcaloq_infer.serving.conditions import condition_keys, conditions_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Ranges

#: Rows evaluated at a time. Always as many, the last block padded: a matrix product's last bits
#: depend on its shape, and a feature must not depend on who asked at the same time. 64 distinct
#: rows of 6 qubits take 0.2 ms, one row alone as long.
BLOCK = 64


class Device(NamedTuple):
    """A PennyLane device to run the circuit on; ``shots`` None: exact expectation values."""

    name: str
    shots: int | None
    seed: int


@dataclass(frozen=True)
class Source:
    """A conditioner that can be served.

    Attributes
    ----------
    name, version
        Of the model and of its conditioner, as in the model's card.
    n_features
        Q.
    reach
        Incident energies [MeV] and abs(eta) it may be asked for.
    description
        What evaluates it, for people.
    rows
        (E_inc [MeV], abs(eta)), (block,) float32 each, to features (block, Q).
    eta_everywhere
        Stands for every abs(eta) where features do not depend on it; None: they do.
    block
        Rows that ``rows`` takes.
    reproducible
        Whether the same condition always has the same features.
    memory
        Features of so many conditions are remembered: for devices, which are slow.
    """

    name: str
    version: str
    n_features: int
    reach: Ranges
    description: str
    rows: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.floating]]
    eta_everywhere: float | None = None
    block: int = BLOCK
    reproducible: bool = True
    memory: int = 0

    @cached_property
    def _cache(self) -> FeatureCache:
        return FeatureCache(self.memory, self.n_features)

    def evaluate(
        self, incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Features (N, Q) float32 of conditions (N,) float32 each, E_inc in MeV.

        Equal conditions are evaluated once; a row's features do not depend on the others.

        Raises
        ------
        ModelError
            A feature is not finite.
        """
        conditions = condition_keys(incident_energy, eta, self.eta_everywhere)
        keys, place = np.unique(conditions, return_inverse=True)
        return self._cache.features(keys, self._distinct)[place]

    def _distinct(self, keys: NDArray[np.uint64]) -> NDArray[np.float32]:
        energies, etas = conditions_of(keys)
        features = np.empty((len(keys), self.n_features), dtype=np.float32)
        for start in range(0, len(keys), self.block):
            rows = np.minimum(np.arange(start, start + self.block), len(keys) - 1)
            values = self.rows(energies[rows], etas[rows])
            stop = min(start + self.block, len(keys))
            features[start:stop] = values[: stop - start]
        bad = ~np.isfinite(features).all(axis=1)
        if bad.any():
            raise ModelError(
                f"the conditioner of {self.name} gave no finite features at "
                f"{energies[bad.argmax()]:g} MeV: train it again"
            )
        return features


def open_source(model: str | PathLike[str], device: Device | None = None) -> Source:
    """Open the conditioner of a model file, a checkpoint or a shipped model.

    Parameters
    ----------
    model
        An ``.onnx`` file or the name of a shipped model: what it holds, without torch. A run
        folder, ``model.safetensors`` or ``checkpoint.pt``: the trained conditioner itself.
    device
        Run the circuit on a PennyLane device instead; needs a checkpoint or a shipped model.

    Raises
    ------
    ModelError
        No such model, one without a conditioner, or a file that left its conditioner out.
    ConfigError
        A device for something that is no circuit, or one that is not installed.
    """
    from fastcaloq_infer.sampling.models import find, shipped

    path = Path(model)
    is_file = path.suffix == ".onnx"
    if device is None and (is_file or str(model) in shipped()):
        from fastcaloq_infer.serving.from_file import file_source

        return file_source(find(model))
    if is_file:
        raise ConfigError(
            f"{path} holds what a circuit computes and not its gates, so no device can run it: "
            "give the checkpoint it was exported from, or leave out --device"
        )
    if not path.exists() and str(model) not in shipped():
        find(model)  # says which models there are
    from fastcaloq_infer.serving.from_checkpoint import checkpoint_source

    return checkpoint_source(path if path.exists() else str(model), device)


def nothing_to_serve(name: str) -> ModelError:
    """Return the error for a model without a conditioner."""
    return ModelError(
        f"{name} has no conditioner (kind none), so there is nothing to serve: "
        "its sampler needs no service"
    )
