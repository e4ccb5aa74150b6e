"""The classifiers of an evaluation: every view, the floor by the same procedure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.results import Classifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.evaluation.classifiers.views import View
    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.comparison import Comparison

VIEWS: dict[str, tuple[View, ...]] = {
    "layers": ("layers",),
    "voxels": ("low", "normalised", "high", "layers"),
}
"""What classifiers see at each level."""


def classifiers(
    comparison: Comparison,
    tables: dict[str, Features],
    views: Sequence[View] | None,
    *,
    seeds: int,
    challenge: bool,
    notes: list[str],
    progress: Progress,
) -> tuple[Classifier, ...]:
    """Train the classifiers of every view on the samples of equal counts.

    A view that the level does not allow, or that has too few showers, is left out with a note.
    """
    from fastcaloq_infer.evaluation.classifiers.classify import (
        DEFAULT_ARCHITECTURE,
        FEWEST,
        classify_each,
        description,
    )

    allowed = VIEWS[comparison.level]
    wanted = allowed if views is None else tuple(views)
    found: list[Classifier] = []
    if seeds == 0:
        return ()
    showers = comparison.equal["reference"].n_showers
    if showers < FEWEST:
        notes.append(
            f"the classifiers are left out: {showers} showers per sample are too few to train and "
            f"test them, {FEWEST} are needed"
        )
        return ()
    for view in wanted:
        if view not in allowed:
            if view not in VIEWS["voxels"]:
                raise InputError(
                    f"no classifier view {view!r}: choose from {', '.join(VIEWS['voxels'])}"
                )
            notes.append(f"the classifier view {view!r} is left out: it needs voxels")
            continue
        architecture = DEFAULT_ARCHITECTURE[view]
        if challenge and view != "layers":  # the challenge's script has no such view
            architecture = "challenge"
        scores = classify_each(
            comparison.equal["reference"],
            {role: comparison.equal[role] for role in ("generated", "floor")},
            comparison.groups,
            view=view,
            architecture=architecture,
            seeds=seeds,
            seed=comparison.seed,
            features={"": tables["reference"], **tables},
            progress=partial(progress, f"classifiers ({view})"),
        )
        found.append(
            Classifier(
                view=view,
                architecture=architecture,
                description=description(view, architecture),
                showers_per_sample=showers,
                generated=scores["generated"],
                floor=scores["floor"],
            )
        )
    return tuple(found)
