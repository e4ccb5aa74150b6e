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

DEPENDENT = 5.0
"""Standard errors below 0.5 from which samples are called dependent."""


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
        FEWEST,
        JUDGES,
        classify_each,
        description,
    )

    if seeds == 0:
        return ()
    showers = comparison.equal["reference"].n_showers
    if showers < FEWEST:
        notes.append(
            f"the classifiers are left out: {showers} showers per sample are too few to train and "
            f"test them, {FEWEST} are needed"
        )
        return ()
    found: list[Classifier] = []
    for view in _allowed(comparison.level, views, notes):
        # The challenge's script has no classifier on layer energies.
        judges = ("challenge",) if challenge and view != "layers" else JUDGES[view]
        for judge in judges:
            scores = classify_each(
                comparison.equal["reference"],
                {role: comparison.equal[role] for role in ("generated", "floor")},
                comparison.groups,
                view=view,
                architecture=judge,
                seeds=seeds,
                seed=comparison.seed,
                features={"": tables["reference"], **tables},
                progress=partial(progress, f"classifiers ({view}, {judge})"),
            )
            found.append(
                Classifier(
                    view=view,
                    architecture=judge,
                    description=description(view, judge),
                    showers_per_sample=showers,
                    generated=scores["generated"],
                    floor=scores["floor"],
                )
            )
    _dependent(found, notes)
    return tuple(found)


def _dependent(found: Sequence[Classifier], notes: list[str]) -> None:
    """Note classifiers that do worse than guessing: only samples that share something make them.

    What a classifier learns of showers in its training part is then wrong of their partners in the
    test part: of generated showers made from the reference's own layer energies, say.
    """
    for classifier in found:
        auc = classifier.generated.auc
        if auc.mean < 0.5 - DEPENDENT * auc.error:
            notes.append(
                f"the classifier {classifier.view} ({classifier.architecture}) does worse than "
                f"guessing, {(0.5 - auc.mean) / auc.error:.1f} standard errors: the generated "
                "showers are not independent of the reference (were they made from its layer "
                "energies?), and every AUC is too low"
            )


def _allowed(level: str, views: Sequence[View] | None, notes: list[str]) -> list[View]:
    """Return the views that were asked for and that the level has."""
    chosen = []
    for view in VIEWS[level] if views is None else views:
        if view in VIEWS[level]:
            chosen.append(view)
        elif view in VIEWS["voxels"]:
            notes.append(f"the classifier view {view!r} is left out: it needs voxels")
        else:
            raise InputError(
                f"no classifier view {view!r}: choose from {', '.join(VIEWS['voxels'])}"
            )
    return chosen
