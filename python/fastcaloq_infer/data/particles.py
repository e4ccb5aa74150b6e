"""Which particle a file is about: stated by the file, its binning or the caller, never guessed."""

from __future__ import annotations

from typing import NamedTuple

from fastcaloq_infer.errors import InputError

# Particle Data Group numbering scheme; names as calorimeter parametrisations use them.
_NAMES = {
    11: "electron",
    13: "muon",
    22: "photon",
    111: "pi0",
    130: "K0L",
    211: "pion",
    321: "kaon",
    2112: "neutron",
    2212: "proton",
}
_ALIASES = {
    "gamma": 22,
    "e-": 11,
    "e+": -11,
    "positron": -11,
    "mu-": 13,
    "mu+": -13,
    "pi+": 211,
    "pi-": -211,
    "pi0": 111,
    "k+": 321,
    "k-": -321,
} | {name.lower(): number for number, name in _NAMES.items()}
KNOWN_NAMES = frozenset(_ALIASES)
"""Every name understood, in lower case."""


class Particle(NamedTuple):
    """A particle's name and Particle Data Group number."""

    name: str
    pdg_id: int


def particle(which: str | int) -> Particle:
    """Return a particle by name (``photon``, ``gamma``, ``pi+``, ...) or PDG number (``22``).

    A particle and its antiparticle share the name: showers of both are voxelised alike.

    Raises
    ------
    InputError
        The name is not known.
    """
    text = str(which).strip()
    try:
        number = int(text)
    except ValueError:
        found = _ALIASES.get(text.lower())
        if found is None:
            raise InputError(
                f"unknown particle {text!r}: give one of {', '.join(_NAMES.values())}, or a "
                "Particle Data Group number"
            ) from None
        number = found
    if number == 0:
        raise InputError("0 is not a Particle Data Group number; a photon is 22")
    return Particle(_NAMES.get(abs(number), f"pdg{abs(number)}"), number)


def agree(stated: list[tuple[str, Particle]]) -> Particle:
    """Return the particle that all sources state; the first source decides the sign.

    Parameters
    ----------
    stated
        Pairs of where it is stated (for the message) and what.

    Raises
    ------
    InputError
        Nothing is stated, or two sources contradict each other.
    """
    if not stated:
        raise InputError(
            "the particle is not stated in the file: name it (particle=..., --particle) or give "
            "its binning; it is never guessed from a file name"
        )
    first_source, first = stated[0]
    for source, other in stated[1:]:
        if abs(other.pdg_id) != abs(first.pdg_id):
            raise InputError(
                f"{first_source} says {first.name} ({first.pdg_id}) but {source} says "
                f"{other.name} ({other.pdg_id}); a model trained on the wrong label would be "
                "useless, so correct one of them"
            )
    return first
