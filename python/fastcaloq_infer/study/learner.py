"""What a study asks of anything that can be trained: a protocol, and where its makers are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.training.config import DataConfig

__all__ = ["LEARNERS", "Fitted", "Learner", "make_learner", "read_learner"]

LEARNERS: Final = {
    "flow": "fastcaloq_infer.study.flow_learner",
    "wgan": "fastcaloq_infer.baselines.wgan",
    "zuko": "fastcaloq_infer.baselines.zuko_flow",
}
"""``model`` of a configuration to the module whose ``learner(raw, source, folder)`` makes it."""


class Fitted(Protocol):
    """What any learner returns: a sampler, and a density where the model has one."""

    @property
    def n_parameters(self) -> int:
        """All numbers of the model that draws showers, trained or fixed."""
        ...

    @property
    def n_trained(self) -> int:
        """Those of :attr:`n_parameters` that the training changes."""
        ...

    @property
    def n_conditioner(self) -> int:
        """Those of :attr:`n_parameters` that belong to the conditioner; 0 without one."""
        ...

    @property
    def n_features(self) -> int:
        """Features the conditioner hands to the rest of the model; 0 without one."""
        ...

    def sample(
        self, incident_energy: NDArray[np.float64], eta: NDArray[np.float64], *, seed: int
    ) -> NDArray[np.float64]:
        """Draw layer energies (N, L) in MeV for incident energies (N,) in MeV and eta (N,)."""
        ...

    def log_prob(
        self,
        layer_energy: NDArray[np.float64],
        incident_energy: NDArray[np.float64],
        eta: NDArray[np.float64],
    ) -> NDArray[np.float64] | None:
        """Log density (N,) in nats, with respect to dE in MeV; -inf where there is none.

        A layer that is empty counts with its probability, as `EnergyFlow.log_prob` defines it.
        None for a model without a likelihood. The same call gives the same numbers.
        """
        ...


class Learner(Protocol):
    """Trains a model; made from a configuration, used once per seed and training set."""

    @property
    def data(self) -> DataConfig:
        """The configuration's section ``data``: all variants of a study must share it."""
        ...

    def fit(
        self, train: LayerEnergies, validation: LayerEnergies, *, seed: int, folder: Path
    ) -> Fitted:
        """Train on ``train``, choose the moment to stop on ``validation``.

        Everything random follows ``seed``. ``folder`` exists and is the learner's own: what is
        left there may serve to continue a killed fit, with the same result as without the kill.
        The result depends on neither the other learners nor the number of processes.
        """
        ...


def make_learner(raw: dict[str, Any], *, source: str, folder: Path) -> Learner:
    """Build the learner that a configuration describes.

    Parameters
    ----------
    raw
        The configuration as plain data; its key ``model`` (absent: flow) chooses the learner and
        is not handed on.
    source
        What to call it in messages.
    folder
        Folder that relative paths in it are relative to.

    Raises
    ------
    ConfigError
        Unknown ``model``, or what the learner's own configuration refuses.
    """
    settings = dict(raw)
    model = settings.pop("model", "flow")
    if not isinstance(model, str) or model not in LEARNERS:
        raise ConfigError(
            f"{source}: 'model' is {model!r}, but nothing of that name can be trained; choose one "
            f"of {', '.join(LEARNERS)}"
        )
    module = import_module(LEARNERS[model])
    learner: Learner = module.learner(settings, source, folder)
    return learner


def read_learner(configuration: Path | str, overrides: list[str] | None = None) -> Learner:
    """Build the learner of a configuration file, or of a shipped one by its name.

    ``overrides`` are ``key.subkey=value`` settings applied on top.

    Raises
    ------
    ConfigError
        The file is missing, no YAML mapping, or what it says is refused.
    """
    from fastcaloq_infer.training.settings import read_settings

    path, raw = read_settings(configuration, overrides or [])
    return make_learner(raw, source=str(path), folder=path.parent)
