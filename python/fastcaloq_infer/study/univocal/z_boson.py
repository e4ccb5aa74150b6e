"""Lepton pairs from Z bosons, out of the formulas alone: what an invertible network should learn.

The published example generates pp -> Z j -> l+ l- j with full matrix elements. What made it hard is
kept: the mass is a narrow peak in no single coordinate.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["FEATURES", "MASS", "draw_pairs", "invariant_mass"]

FEATURES = 4
MASS, WIDTH = 91.1876, 2.4955  # GeV, Particle Data Group
_WINDOW = (66.0, 116.0)  # GeV
_MEAN_PT, _RAPIDITY = 30.0, 1.2  # GeV, and the deviation of the Z's rapidity


def draw_pairs(events: int, seed: int) -> torch.Tensor:
    """Draw coordinates (events, 4), float64, of lepton pairs.

    The mass squared is Breit-Wigner inside 66 to 116 GeV, the Z's transverse momentum exponential,
    its rapidity normal, its decay isotropic. Coordinates: log pT (GeV) of l- and l+, difference of
    their pseudorapidities, logit of their angle in the transverse plane over pi.
    """
    random = np.random.default_rng(seed)
    low, high = (np.arctan((m**2 - MASS**2) / (MASS * WIDTH)) for m in _WINDOW)
    mass = np.sqrt(MASS**2 + MASS * WIDTH * np.tan(random.uniform(low, high, events)))
    pt = random.exponential(_MEAN_PT, events)
    rapidity = random.normal(0.0, _RAPIDITY, events)
    cosine = random.uniform(-1.0, 1.0, events)
    phi = random.uniform(-np.pi, np.pi, events)
    sine = np.sqrt(1.0 - cosine**2)
    # Momentum of l- in the rest frame; the lepton mass is nothing beside it. The Z flies along x.
    one = 0.5 * mass * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    transverse = np.hypot(mass, pt)
    z = np.stack([pt, np.zeros(events), transverse * np.sinh(rapidity)])
    energy = transverse * np.cosh(rapidity)
    leptons = [_boost(sign * one, 0.5 * mass, z, energy, mass) for sign in (1.0, -1.0)]
    pts = [np.hypot(lepton[0], lepton[1]) for lepton in leptons]
    eta = [np.arcsinh(lepton[2] / p) for lepton, p in zip(leptons, pts, strict=True)]
    dot = leptons[0][0] * leptons[1][0] + leptons[0][1] * leptons[1][1]
    angle = np.arccos(np.clip(dot / (pts[0] * pts[1]), -1.0, 1.0)) / np.pi
    angle = np.clip(angle, 1e-9, 1.0 - 1e-9)
    columns = [np.log(pts[0]), np.log(pts[1]), eta[0] - eta[1], np.log(angle / (1.0 - angle))]
    return torch.from_numpy(np.stack(columns, axis=1))


def invariant_mass(x: torch.Tensor) -> torch.Tensor:
    """Mass (N,) in GeV of coordinates (N, 4): m^2 = 2 pT pT' (cosh(d eta) - cos(d phi))."""
    angle = torch.pi * torch.sigmoid(x[:, 3])
    squared = 2.0 * (x[:, 0] + x[:, 1]).exp() * (torch.cosh(x[:, 2]) - torch.cos(angle))
    return squared.clamp(min=1e-12).sqrt()


def _boost(
    momentum: np.ndarray, energy: np.ndarray, z: np.ndarray, z_energy: np.ndarray, mass: np.ndarray
) -> np.ndarray:
    """Momentum (3, N) from the rest frame of (z, z_energy) to the frame in which that is given."""
    along = (z * momentum).sum(axis=0)
    boosted: np.ndarray = momentum + z * (along / (mass * (z_energy + mass)) + energy / mass)
    return boosted
