"""The conditioner that lives elsewhere: features from a service, checked, and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.serving.answers import read_features
from fastcaloq_infer.serving.cache import FeatureCache
from fastcaloq_infer.serving.client import InferenceClient
from fastcaloq_infer.serving.conditions import condition_keys, conditions_of
from fastcaloq_infer.serving.errors import ServiceError
from fastcaloq_infer.serving.settings import ServiceOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ServiceCounters:
    """What a client has done so far.

    ``rows`` were asked for by callers: ``remembered`` of them came from memory. ``requests`` went
    to the service, ``retries`` of them again, ``failures`` without an answer.
    """

    rows: int = 0
    remembered: int = 0
    requests: int = 0
    retries: int = 0
    failures: int = 0


class ServedConditioner:
    """Features of one model's conditioner from a service of the Open Inference Protocol.

    The condition that is asked for is the float32 pair (E_inc, abs(eta)), which is also the key
    under which the answer is remembered: memory never changes a shower. May be used by many
    threads.

    Parameters
    ----------
    url
        ``http://host:port`` or ``https://host:port``.
    model, version, n_features
        What the model's card says; a service of anything else is refused.
    token
        Sent as bearer token.
    eta_everywhere
        Asked for in place of every abs(eta) if the model does not depend on it (see
        `conditions.eta_everywhere`), so that a grid of energies is all there is to ask for.
    options
        Patience and memory.

    Raises
    ------
    InputError
        A URL or token that cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str,
        version: str,
        n_features: int,
        *,
        token: str | None = None,
        eta_everywhere: float | None = None,
        options: ServiceOptions | None = None,
    ) -> None:
        self.options = options or ServiceOptions()
        self.client = InferenceClient(url, token, self.options)
        self.model, self.version, self.n_features = model, version, n_features
        self.evaluated_by = ""
        self._eta_everywhere = eta_everywhere
        self._cache = FeatureCache(self.options.cache_rows, n_features)
        self._lock = Lock()
        self._rows = self._requests = self._retries = self._failures = 0

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.client.url

    @property
    def counters(self) -> ServiceCounters:
        """What was done so far."""
        with self._lock:
            return ServiceCounters(
                rows=self._rows,
                remembered=self._cache.hits,
                requests=self._requests,
                retries=self._retries,
                failures=self._failures,
            )

    def check(self) -> None:
        """Ask the service whether it serves this model.

        Raises
        ------
        ServiceAwayError
            It gives no answer.
        ServiceError
            It serves something else.
        """
        about = self.client.metadata(self.model)
        versions = about.get("versions")
        known = versions if isinstance(versions, list) else []
        if about.get("name") != self.model or self.version not in known:
            self._mismatch(str(about.get("name")), ", ".join(map(str, known[:4])) or "none")

    def features(
        self, incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Features (N, Q) of conditions (N,) float32 each, E_inc in MeV, all of them finite.

        Raises
        ------
        ServiceAwayError
            No answer after all retries, or none expected as it failed before.
        ServiceError
            A refusal, or an answer that this model's conditioner cannot have given.
        """
        with self._lock:
            self._rows += len(eta)
        keys = condition_keys(incident_energy, eta, self._eta_everywhere)
        return self._cache.features(keys, self._ask)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _ask(self, keys: NDArray[np.uint64]) -> NDArray[np.float32]:
        energies, etas = conditions_of(keys)
        step = self.options.request_rows
        parts = [
            self._ask_once(energies[start : start + step], etas[start : start + step])
            for start in range(0, len(keys), step)
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([np.empty((0, self.n_features), dtype=np.float32), *parts])

    def _ask_once(
        self, energies: NDArray[np.float32], etas: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        retries = 0
        try:
            answer = self.client.infer(self.model, energies, etas, self.n_features)
            retries = answer.retries
        except ServiceError:
            with self._lock:
                self._failures += 1
            raise
        finally:
            with self._lock:
                self._requests += 1
                self._retries += retries
        name, version = (str(answer.content.get(k)) for k in ("model_name", "model_version"))
        if name != self.model or version != self.version:
            self._mismatch(name, version)
        parameters = answer.content.get("parameters")
        if isinstance(parameters, dict):
            self.evaluated_by = str(parameters.get("evaluated_by", ""))[:200]
        return read_features(answer, len(energies), self.n_features, self.url)

    def _mismatch(self, name: str, version: str) -> None:
        raise ServiceError(
            f"the service at {self.url} serves {name[:80]} version {version[:80]}, and this model "
            f"is {self.model} version {self.version}: model file and service come from different "
            "trainings; serve the checkpoint the file was exported from"
        )
