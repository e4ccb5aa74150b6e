"""What an HDF5 file says about itself: particle, binning, eta, units."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.data.binning_xml import BINNINGS, binning, parse_binning
from fastcaloq_infer.data.particles import KNOWN_NAMES, Particle, agree, particle
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

    from fastcaloq_infer.data.voxelisation import Binning

ETA_DATASETS = ("eta", "center_eta")  # the latter in ATLAS voxel files


@dataclass(frozen=True)
class Stated:
    """What the caller states about a file; None where the file must say it itself."""

    binning: Binning | str | Path | None = None
    particle: str | int | None = None
    eta: float | None = None

    def given_binning(self) -> Binning | None:
        """Return the binning the caller chose, if any."""
        if self.binning is None:
            return None
        name = None if self.particle is None else particle(self.particle).name
        return binning(self.binning, particle=name)


def text_attribute(file: h5py.File, key: str) -> str | None:
    """Return a text attribute (h5py gives str, bytes or a NumPy scalar), or None."""
    value = file.attrs.get(key)
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def find_particle(file: h5py.File, stated: Stated, which: Binning | None) -> Particle:
    """Combine the caller's word, the attributes ``pdg_id`` and ``particle``, and the binning.

    Raises
    ------
    InputError
        Nobody says, or they contradict each other.
    """
    sources: list[tuple[str, Particle]] = []
    if "pdg_id" in file.attrs:
        sources.append(
            (
                "the file's attribute 'pdg_id'",
                particle(int(_scalar(file.attrs["pdg_id"], "pdg_id"))),
            )
        )
    # Files of generated showers number the particles of an event in this attribute.
    named = isinstance(file.attrs.get("particle"), (str, bytes))
    name = text_attribute(file, "particle") if named else None
    if name is not None and (name.strip().lower() in KNOWN_NAMES or not sources):
        # A free text such as "single photons" beside a number is a remark, not a contradiction.
        sources.append(("the file's attribute 'particle'", particle(name)))
    if stated.particle is not None:
        sources.append(("the caller", particle(stated.particle)))
    if which is not None:
        sources.append((f"binning {which.name!r}", Particle(which.particle, which.pdg_id)))
    return agree(sources)


def find_binning(file: h5py.File, stated: Stated, n_voxels: int | None) -> Binning | None:
    """Return the binning given, else the one named or held by the file, else the only fit.

    Parameters
    ----------
    file
        An open file; its attributes ``binning`` (a built-in name) and ``binning_xml`` are read.
    stated
        What the caller states.
    n_voxels
        Voxels of a shower in the file, or None if it holds layer energies only.

    Raises
    ------
    InputError
        The number of voxels contradicts the binning.
    """
    found = stated.given_binning()
    if found is None and "binning_xml" in file.attrs:
        found = parse_binning(
            text_attribute(file, "binning_xml") or "",
            name=text_attribute(file, "binning") or "from file",
        )
    if found is None and text_attribute(file, "binning") in BINNINGS:
        found = binning(text_attribute(file, "binning") or "")
    if found is None and n_voxels is not None:
        known = find_particle(file, stated, None)
        fits = [
            candidate
            for candidate in map(binning, BINNINGS)
            if candidate.n_voxels == n_voxels and candidate.pdg_id == abs(known.pdg_id)
        ]
        if not fits:
            raise InputError(
                f"no built-in binning of a {known.name} has {n_voxels} voxels; give the binning's "
                "name or XML file (binning=..., --binning)"
            )
        found = fits[0]
    if found is not None and n_voxels is not None and found.n_voxels != n_voxels:
        raise InputError(
            f"showers have {n_voxels} voxels but binning {found.name!r} has {found.n_voxels}: "
            "the voxels could not be assigned to layers; choose the binning they were made with"
        )
    return found


def find_eta(file: h5py.File, stated: Stated, n: int) -> tuple[float | None, str | None]:
    """Return (constant eta or None, name of a dataset with one eta per shower or None).

    Raises
    ------
    InputError
        The caller's eta contradicts the file, or eta is malformed.
    """
    for name in ETA_DATASETS:
        if name in file:
            if file[name].shape not in ((n,), (n, 1)):
                raise InputError(
                    f"dataset {name!r} has shape {file[name].shape} but there are {n} showers"
                )
            if stated.eta is not None:
                raise InputError(
                    f"eta was given as {stated.eta:g} but the file has one per shower in "
                    f"{name!r}; leave out the given one"
                )
            return None, name
    if "eta" in file.attrs:
        eta = _scalar(file.attrs["eta"], "eta")
        if stated.eta is not None and not np.isclose(stated.eta, eta, rtol=0, atol=1e-6):
            raise InputError(
                f"eta was given as {stated.eta:g} but the file says {eta:g}; leave out one of them"
            )
        return eta, None
    if stated.eta is not None and not np.isfinite(stated.eta):
        raise InputError(f"eta was given as {stated.eta}, must be finite")
    return stated.eta, None


def check_units(file: h5py.File) -> None:
    """Refuse a file whose attribute ``units`` is neither MeV nor JSON with ``energy`` in MeV.

    Raises
    ------
    InputError
        The file says it is in other units.
    """
    units = text_attribute(file, "units")
    with suppress(ValueError):
        parsed = json.loads(units or "")
        if isinstance(parsed, dict):
            units = str(parsed.get("energy", "MeV"))
    if units is not None and units.strip().lower() != "mev":
        raise InputError(
            f"the file says its energies are in {units!r}; every energy here is in MeV, so convert "
            "them and set the attribute 'units' to 'MeV'"
        )


def _scalar(value: Any, name: str) -> float:
    try:
        number = float(np.asarray(value).reshape(()))
    except (ValueError, TypeError) as error:
        raise InputError(f"the file's attribute {name!r} is {value!r}, not one number") from error
    if not np.isfinite(number):
        raise InputError(f"the file's attribute {name!r} is {number}, must be finite")
    return number
