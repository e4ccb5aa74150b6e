"""What ``fastcaloq sample`` does with ``--workers`` or ``--scheduler``: many parts in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastcaloq_infer.farm import Manifest
    from fastcaloq_infer.output import Spectrum
    from fastcaloq_infer.output.voxels import VoxelForm
    from fastcaloq_infer.sampling import Sampler

SHOWERS_PER_PART = (100_000, 1_000_000)
"""Fewest (reading many small files is slow) and most (a lost worker costs so many) by default."""
WITH_VOXELS = 10
"""As many times fewer whole showers, which take that much longer to draw at least."""


@dataclass(frozen=True)
class FarmOptions:
    """The options of ``fastcaloq sample`` that concern workers."""

    workers: int
    scheduler: str | None
    shard: int
    suffix: Literal[".root", ".hdf5"]
    resume: bool


def default_shard(n: int, workers: int, *, voxels: bool = False) -> int:
    """Return showers per part: eight parts a worker, so that the last ones end together."""
    from fastcaloq_infer.farm import MOST_PARTS

    low, high = (size // (WITH_VOXELS if voxels else 1) for size in SHOWERS_PER_PART)
    return max(min(max(-(-n // (8 * workers)), low), high), -(-n // MOST_PARTS))


def check_options(
    on_farm: bool, *, both: bool, of_one: dict[str, object], of_many: dict[str, object]
) -> None:
    """Refuse options that would be ignored.

    Parameters
    ----------
    on_farm
        Whether workers do the work.
    both
        Whether workers were asked for and a scheduler that has its own.
    of_one, of_many
        Options for one process and for workers, with what they were given.

    Raises
    ------
    InputError
        An option does not belong to the way the work is done.
    """
    from fastcaloq_infer.errors import InputError

    if both:
        raise InputError(
            "--workers starts processes here, --scheduler uses those that run already: give one"
        )
    given = [name for name, value in (of_one if on_farm else of_many).items() if value]
    if given and on_farm:
        raise InputError(
            f"{', '.join(given)} cannot be had with workers, which draw on one core each and never "
            "overwrite a part: leave it out"
        )
    if given:
        raise InputError(
            f"{', '.join(given)} is for a production on workers: give --workers or --scheduler too"
        )


def check_folder(output: Path, options: FarmOptions) -> None:
    """Refuse what only a single file can be told.

    Raises
    ------
    InputError
        The output has the suffix of a file, or a number is impossible.
    """
    from fastcaloq_infer.errors import InputError
    from fastcaloq_infer.output.destination import SUFFIXES

    if output.suffix in SUFFIXES:
        raise InputError(
            f"a production on workers leaves a folder of parts, but {output} is named like a file; "
            "name a folder, then: fastcaloq merge FOLDER -o FILE"
        )
    if options.shard < 0:
        raise InputError(f"--shard {options.shard} is negative; give showers per part, or 0")


def produce_on_farm(
    sampler: Sampler,
    model: str,
    n: int,
    folder: Path,
    options: FarmOptions,
    *,
    energies: Spectrum | None,
    eta: Spectrum | None,
    voxels: VoxelForm | None,
    progress: Callable[[int], None],
    **plan: Any,
) -> Manifest:
    """Plan and run a production; ``plan`` holds the other fields of `farm.Plan`."""
    from pathlib import Path

    from fastcaloq_infer.farm import Farm, Plan, run_farm
    from fastcaloq_infer.output.request import check_request
    from fastcaloq_infer.output.voxels import choose_form

    form = choose_form(voxels, getattr(sampler, "n_voxels", 0), options.suffix)
    laws = check_request(
        sampler.card, n, energies, eta, plan["seed"], plan["first_event"], plan["out_of_range"]
    )
    whole = Plan(
        model=sampler.card.name,
        model_sha256=sampler.digest,
        n_showers=n,
        energy_law=str(laws[0]),
        eta_law=str(laws[1]),
        suffix=options.suffix,
        voxels=form,
        shard=options.shard or default_shard(n, options.workers, voxels=form != "none"),
        **plan,
    )
    where = str(Path(model).resolve()) if Path(model).is_file() else model
    farm = Farm(options.workers, options.scheduler)
    try:
        return run_farm(whole, where, folder, farm, resume=options.resume, progress=progress)
    except KeyboardInterrupt:
        typer.echo("interrupted; complete parts are kept: go on with --resume", err=True)
        raise typer.Exit(130) from None
