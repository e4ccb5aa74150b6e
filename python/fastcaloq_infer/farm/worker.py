"""What one worker does: draw the showers of one range of events into a file of their own."""

from __future__ import annotations

import secrets
import signal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.farm.manifest import Part, Plan
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.output import parse_energies, parse_eta, produce

if TYPE_CHECKING:
    from fastcaloq_infer.output import Spectrum
    from fastcaloq_infer.sampling import Sampler

__all__ = ["draw_part"]


def draw_part(plan: Plan, model: str, folder: str, first_event: int, n_showers: int) -> Part:
    """Draw a part on one thread and return its entry for the manifest.

    Parameters
    ----------
    plan
        The production.
    model
        Name of a shipped model, or a path that this worker sees.
    folder
        Folder of the production, as this worker sees it.
    first_event, n_showers
        Range of events.

    Raises
    ------
    InputError
        The model this worker finds is not the plan's.
    OutputError
        The part cannot be written.
    """
    sampler = _sampler(model, plan.engine)
    if sampler.digest != plan.model_sha256:
        raise InputError(
            f"this worker's model {model} has SHA-256 {sampler.digest[:12]}, the production's is "
            f"{plan.model_sha256[:12]}: its showers would be others; give all workers the same file"
        )
    path = Path(folder) / f"events-{first_event:012d}-{secrets.token_hex(4)}{plan.suffix}"
    energies, eta = _laws(plan.energy_law, plan.eta_law)
    summary = produce(
        sampler,
        n_showers,
        path,
        energies=energies,
        eta=eta,
        seed=plan.seed,
        first_event=first_event,
        out_of_range=plan.out_of_range,
        container=plan.container,
        compression=plan.compression,
        voxels=plan.voxels,
        command="fastcaloq sample",
    )
    return Part(
        file=path.name,
        first_event=first_event,
        n_showers=n_showers,
        sha256=sha256_file(path),
        size=summary.size,
        n_out_of_range=summary.provenance.n_out_of_range,
    )


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the one that runs the production.

    Dask calls this by its name when a worker starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@lru_cache(maxsize=2)
def _sampler(model: str, engine: str) -> Sampler:
    from fastcaloq_infer.sampling import Sampler

    return Sampler(model, engine=engine, threads=1)  # type: ignore[arg-type]


@lru_cache(maxsize=2)
def _laws(energies: str, eta: str) -> tuple[Spectrum, Spectrum]:
    return parse_energies(energies), parse_eta(eta)
