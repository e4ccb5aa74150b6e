"""The training of a WGAN with gradient penalty (Gulrajani et al., arXiv:1704.00028, algorithm 1).

Of the generator's averaged weights, those are kept under which the spectrum of E_tot is nearest to
that of held-out showers, as FastCaloGAN chooses its checkpoint (arXiv:2109.02551): the
critic's loss does not say when to stop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Generator

from fastcaloq_infer.baselines.wgan.generator import ShowerGenerator, ShowerView
from fastcaloq_infer.baselines.wgan.spectrum import TotalSpectrum
from fastcaloq_infer.training.config import ScheduleConfig
from fastcaloq_infer.training.divergence import TrainingError
from fastcaloq_infer.training.ema import ExponentialMovingAverage
from fastcaloq_infer.training.losses.critic import Critic, critic_step
from fastcaloq_infer.training.schedule import learning_rate_factor
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.baselines.wgan.config import WganConfig

__all__ = ["Deposits", "Look", "draw", "train_generator"]

_DRAWN_AT_ONCE = 8192


@dataclass(frozen=True)
class Deposits:
    """Showers as numbers: deposits (N, D) in MeV, incident energy (N,) in MeV, eta (N,)."""

    deposits: NDArray[np.float64]
    incident_energy: NDArray[np.float64]
    eta: NDArray[np.float64]

    def take(self, rows: NDArray[np.bool_]) -> Deposits:
        """Return the chosen showers: a mask (N,)."""
        return Deposits(self.deposits[rows], self.incident_energy[rows], self.eta[rows])


@dataclass(frozen=True)
class Look:
    """chi2 per degree of freedom of E_tot after so many steps, and the critic's distance."""

    step: int
    chi2: float
    distance: float


@torch.no_grad()
def draw(
    generator: ShowerGenerator,
    incident_energy: NDArray[np.float64],
    eta: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """Draw deposits (N, D) in MeV at energies (N,) in MeV and eta (N,)."""
    random = Generator().manual_seed(seed)
    energies = torch.as_tensor(incident_energy, dtype=torch.float32)
    etas = torch.as_tensor(eta, dtype=torch.float32)
    rows = []
    for start in range(0, len(energies), _DRAWN_AT_ONCE):
        part = slice(start, start + _DRAWN_AT_ONCE)
        e, at = energies[part], etas[part]
        latent = torch.randn((len(e), generator.latent), generator=random)
        rows.append(generator(latent, e, at).double().numpy())
    return np.concatenate(rows)


def train_generator(
    config: WganConfig,
    train: Deposits,
    validation: Deposits,
    *,
    seed: int,
    layers: Sequence[slice] = (),
    on_look: Callable[[Look], None] | None = None,
) -> tuple[ShowerGenerator, list[Look]]:
    """Train; return the chosen generator and all looks at the held-out showers.

    ``layers`` are the columns of every layer where the deposits are voxels. The same seed gives
    the same generator on the same type of machine.

    Raises
    ------
    TrainingError
        No look found a finite spectrum.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, Stream.WEIGHTS))
        view = ShowerView(train.deposits, train.incident_energy, train.eta, config, layers)
        generator = ShowerGenerator(view, config.latent, config.generator).float()
        critic = Critic(view.n_inputs, config.critic)
    loop = _Loop(config, generator, critic, train, seed)
    spectrum = TotalSpectrum(validation.deposits.sum(axis=1), validation.incident_energy)
    validation_seed = stream_seed(seed, Stream.VALIDATION_NOISE)
    looks: list[Look] = []
    best: dict[str, Tensor] = {}
    for step in range(1, config.steps + 1):
        distance = loop.take_step(step - 1)
        if step % config.evaluate_every == 0 or step == config.steps:
            drawn = draw(
                loop.ema.model, spectrum.incident_energy, spectrum.tile(validation.eta),
                validation_seed,
            )  # fmt: skip
            look = Look(step, spectrum.chi2(drawn.sum(axis=1)), distance)
            if math.isfinite(look.chi2) and all(look.chi2 < other.chi2 for other in looks):
                best = {k: v.clone() for k, v in loop.ema.model.state_dict().items()}
            looks.append(look)
            if on_look is not None:
                on_look(look)
    if not best:
        raise TrainingError("the WGAN never gave finite showers; lower lr or raise n_critic")
    generator.load_state_dict(best)
    return generator.eval().requires_grad_(False), looks


class _Loop:
    """Both networks, their optimisers, and a random stream for each use."""

    def __init__(
        self,
        config: WganConfig,
        generator: ShowerGenerator,
        critic: Critic,
        train: Deposits,
        seed: int,
    ) -> None:
        self._config = config
        self._generator, self._critic = generator, critic
        self._optimisers = [
            torch.optim.Adam(network.parameters(), lr=config.lr, betas=config.betas, fused=True)
            for network in (generator, critic)
        ]
        self._schedule = ScheduleConfig(
            kind="cosine", warm_up=config.warm_up, end_factor=config.end_factor
        )
        self.ema = ExponentialMovingAverage(generator, config.ema_decay)
        self._noise = Generator().manual_seed(stream_seed(seed, Stream.NOISE))
        self._order = Generator().manual_seed(stream_seed(seed, Stream.ORDER))
        energy = torch.as_tensor(train.incident_energy)
        with torch.no_grad():
            self._real = generator.view.see(torch.as_tensor(train.deposits), energy).float()
        self._energy = energy.float()
        self._eta = torch.as_tensor(train.eta).float()

    def _fake(self, rows: Tensor) -> Tensor:
        """Draw showers (B, K) as the critic sees them, at the conditions of these rows."""
        latent = torch.randn((len(rows), self._generator.latent), generator=self._noise)
        energy = self._energy[rows]
        return self._generator.view.see(self._generator(latent, energy, self._eta[rows]), energy)

    def _rows(self) -> tuple[Tensor, Tensor]:
        """Random showers' row numbers (B,) and their conditions (B, 2)."""
        rows = torch.randint(len(self._real), (self._config.batch_size,), generator=self._order)
        return rows, self._generator.view.condition(self._energy[rows], self._eta[rows])

    def take_step(self, step: int) -> float:
        """Take the critic's steps, then one of the generator; return the critic's distance."""
        config = self._config
        factor = learning_rate_factor(self._schedule, step, config.steps)
        for optimiser in self._optimisers:
            optimiser.param_groups[0]["lr"] = config.lr * factor
        of_generator, of_critic = self._optimisers
        distance = math.nan
        for _ in range(config.n_critic):
            rows, condition = self._rows()
            real = self._real[rows]
            with torch.no_grad():
                fake = self._fake(rows)
            distance = critic_step(
                self._critic, of_critic, real, fake, condition,
                penalty=config.gradient_penalty, random=self._noise,
            )  # fmt: skip
        rows, condition = self._rows()
        loss = -self._critic(self._fake(rows), condition).mean()
        of_generator.zero_grad(set_to_none=True)
        loss.backward()
        of_generator.step()
        self.ema.update()
        return distance
