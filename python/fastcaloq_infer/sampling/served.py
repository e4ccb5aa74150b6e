"""An engine whose features come from a service, with the model's own to fall back to if allowed."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal, get_args

from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.serving.conditions import eta_everywhere
from fastcaloq_infer.serving.errors import ServiceAwayError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer import _core
    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.sampling.engines import Drawn, Engine
    from fastcaloq_infer.serving.conditioner import ServedConditioner
    from fastcaloq_infer.serving.settings import ServiceOptions

Conditioning = Literal["model", "served"]


@dataclass(frozen=True)
class ServedConditioning:
    """Where features come from, and what to do when nobody answers.

    Attributes
    ----------
    url
        ``http://host:port`` or ``https://host:port`` of the service.
    token
        Sent as bearer token; never shown.
    fallback
        Whether the features inside the model file (its table) may stand in for a service that is
        away. Their showers agree within the file's stated tolerance, and are counted.
    options
        Patience and memory of the client.
    """

    url: str
    token: str | None = None
    fallback: bool = False
    options: ServiceOptions | None = None

    def __repr__(self) -> str:
        """Show all but the token."""
        return f"ServedConditioning(url={self.url!r}, fallback={self.fallback})"


class ServedEngine:
    """Asks for features, then lets another engine draw; see `engines.Engine`.

    Raises
    ------
    InputError
        A model without a conditioner, or a fall-back that the file does not have.
    ModelError
        A file from before conditioners had versions.
    ServiceError
        The service is away (and may not be), or serves something else.
    """

    def __init__(self, engine: Engine, card: Card, served: ServedConditioning) -> None:
        self._engine = engine
        self._fallback = served.fallback
        self._lock = Lock()
        self.fallback_rows = 0
        self.conditioner = _connect(card, served)
        self._has_own = all(
            section.mode != "served" or section.table is not None for section in card.conditionings
        )
        if served.fallback and not self._has_own:
            raise InputError(
                f"the model {card.name} has no table to fall back to: export it with one, or leave "
                "out the fall-back"
            )
        try:
            self.conditioner.check()
        except ServiceAwayError as error:
            if not served.fallback:
                raise self._advised(error) from error

    @property
    def model(self) -> _core.Model:
        """See `Engine`."""
        return self._engine.model

    def sample(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        seed: int,
        event: NDArray[np.uint64],
        particle: NDArray[np.uint32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
        voxels: bool = False,
    ) -> Drawn:
        """See `Engine`."""
        if quantum is None:
            quantum = self._features(incident_energy, eta, out_of_range)
        return self._engine.sample(
            incident_energy, eta, seed, event, particle, out_of_range, quantum, voxels
        )

    def generate(
        self,
        incident_energy: NDArray[np.float32],
        eta: NDArray[np.float32],
        z: NDArray[np.float32],
        out_of_range: str,
        quantum: NDArray[np.float32] | None = None,
        z_shape: NDArray[np.float32] | None = None,
    ) -> Drawn:
        """See `Engine`."""
        if quantum is None:
            quantum = self._features(incident_energy, eta, out_of_range)
        return self._engine.generate(incident_energy, eta, z, out_of_range, quantum, z_shape)

    def _features(
        self, incident_energy: NDArray[np.float32], eta: NDArray[np.float32], out_of_range: str
    ) -> NDArray[np.float32] | None:
        """Features of the values that are used; None: those of the file."""
        energies, etas, _ = self.model.check_conditions(incident_energy, eta, out_of_range)
        try:
            return self.conditioner.features(energies, etas)
        except ServiceAwayError as error:
            if not self._fallback:
                raise self._advised(error) from error
        with self._lock:
            self.fallback_rows += len(etas)
        return None

    def _advised(self, error: ServiceAwayError) -> ServiceAwayError:
        if not self._has_own:
            return error
        return ServiceAwayError(
            f"{error}; the model file has features of its own, which may stand in if you allow it "
            "(fallback=True, --fallback)"
        )


def _connect(card: Card, served: ServedConditioning) -> ServedConditioner:
    if not card.n_features:
        raise InputError(
            f"the model {card.name} has no conditioner, so there is nothing to ask a service for: "
            "leave out conditioning 'served'"
        )
    if card.feature_version is None:
        raise ModelError(
            f"the model {card.name} was exported before conditioners had versions, so no service "
            "can be held to it: export it again"
        )
    try:
        from fastcaloq_infer.serving.conditioner import ServedConditioner
    except ModuleNotFoundError as error:
        raise InputError(
            f"conditioning 'served' needs the package {error.name}, which is not installed: "
            "pip install 'fastcaloq-infer[served]'"
        ) from None
    return ServedConditioner(
        served.url,
        card.name,
        card.feature_version,
        card.n_features,
        token=served.token,
        eta_everywhere=eta_everywhere(card.condition, card.validity),
        options=served.options,
    )


def read_token(path: Path | None) -> str | None:
    """Return the token in a file: the first of those a server would read from it.

    Raises
    ------
    InputError
        The file cannot be read, or is empty.
    """
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(
            f"the token file {path} cannot be read "
            f"({getattr(error, 'strerror', None) or 'no text'}): check the path"
        ) from None
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            return line.split()[0]
    raise InputError(f"the token file {path} is empty: write the token into it")


def check_conditioning(
    conditioning: str, url: str | None, token: str | None, fallback: bool
) -> None:
    """Refuse arguments about features that are unknown or contradict each other.

    Raises
    ------
    InputError
        One line that names the argument.
    """
    if conditioning not in get_args(Conditioning):
        raise InputError(
            f"conditioning {conditioning!r} is unknown: use one of "
            f"{', '.join(get_args(Conditioning))}"
        )
    if conditioning == "served" and not url:
        raise InputError(
            "conditioning 'served' needs the address of the service: give url, such as "
            "http://127.0.0.1:8000"
        )
    if conditioning == "model" and (url is not None or token is not None or fallback):
        raise InputError(
            "url, token and fallback belong to conditioning 'served': give that, or leave them out"
        )
