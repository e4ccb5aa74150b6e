"""A sampler whose showers are a plain function of (seed, event), to test writing by itself."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

LAYERS = (0, 1, 2, 3, 12)


@dataclass(frozen=True)
class FakeShowers:
    incident_energy: np.ndarray
    eta: np.ndarray
    layer_energy: np.ndarray
    event: np.ndarray
    n_out_of_range: int


@dataclass
class FakeSampler:
    """Refuses nothing itself; counts what is outside of 256 MeV to 65,536 MeV."""

    fail_after: int | None = None
    calls: list = field(default_factory=list)
    digest: str = "ab" * 32
    card: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(
            name="photon",
            pdg_id=22,
            layer_ids=LAYERS,
            validity=SimpleNamespace(incident_energy=(256.0, 65536.0), eta=(0.2, 0.2)),
            extrapolation=SimpleNamespace(incident_energy=(128.0, 131072.0), eta=(0.0, 0.4)),
        )
    )

    def sample(self, incident_energies, *, eta, seed, first_event, out_of_range):
        self.calls.append(len(incident_energies))
        if self.fail_after is not None and len(self.calls) > self.fail_after:
            raise RuntimeError("the sampler failed")
        event = np.uint64(first_event) + np.arange(len(incident_energies), dtype=np.uint64)
        noise = (event[:, None] * np.uint64(2654435761) + np.arange(5, dtype=np.uint64)) % 997
        layer_energy = (incident_energies[:, None] * noise / 997 / 5).astype(np.float32)
        outside = (incident_energies < 256) | (incident_energies > 65536)
        return FakeShowers(incident_energies, eta, layer_energy, event, int(outside.sum()))


@pytest.fixture
def sampler():
    return FakeSampler()


@pytest.fixture
def failing_sampler():
    return FakeSampler(fail_after=1)
