"""A small conditional WGAN-GP in the manner of FastCaloGAN.

>>> from fastcaloq_infer.baselines.wgan import WganConfig, WganLearner
>>> config = WganConfig.from_dict({"name": "toy", "particle": "photon", "steps": 100})
>>> fitted = WganLearner(config).fit(train, validation, seed=1, folder=folder)  # doctest: +SKIP

Names are imported when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.lazy import lazy

if TYPE_CHECKING:
    from fastcaloq_infer.baselines.wgan.config import WganConfig
    from fastcaloq_infer.baselines.wgan.fit import FittedWgan, WganLearner, learner
    from fastcaloq_infer.baselines.wgan.generator import ShowerGenerator

_HOME = {
    "FittedWgan": "fit",
    "ShowerGenerator": "generator",
    "WganConfig": "config",
    "WganLearner": "fit",
    "learner": "fit",
}

__all__ = [
    "FittedWgan",
    "ShowerGenerator",
    "WganConfig",
    "WganLearner",
    "learner",
]

__getattr__ = lazy(__name__, _HOME)
