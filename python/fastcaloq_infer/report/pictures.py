"""All pictures of a report, in the order of the page, with their captions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastcaloq_infer.report.against_energy import (
    chi_square_figure,
    occupancy_figure,
    response_figure,
    zero_fraction_figure,
)
from fastcaloq_infer.report.correlations import correlation_figure
from fastcaloq_infer.report.likelihood_pictures import likelihood_pictures
from fastcaloq_infer.report.model_pictures import conditioner_figure, learning_curve_figure
from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.profiles import layer_sum_figure, profile_figure
from fastcaloq_infer.report.separations import feature_figure, separation_figure
from fastcaloq_infer.report.shape_likelihood_pictures import shape_likelihood_pictures
from fastcaloq_infer.report.shower_pictures import energies_to_show, shower_pictures
from fastcaloq_infer.report.two_sample import (
    calibration_figure,
    classifier_figure,
    distance_figure,
    manifold_figure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastcaloq_infer.report.lineup import Lineup, Model
    from fastcaloq_infer.report.model_pictures import ConditionerCurves, LearningCurve


def all_pictures(
    lineup: Lineup,
    curve: LearningCurve | None = None,
    conditioner: ConditionerCurves | None = None,
    *,
    details: bool = True,
) -> list[Picture]:
    """Return what there is to draw, in the order of the page; nothing is drawn yet."""
    seen = list(shower_pictures(lineup, details=details))
    return [
        *(picture for picture in seen if not picture.folded),
        *_profile_pictures(lineup.models),
        *_energy_pictures(lineup.models),
        *_test_pictures(lineup.models),
        *likelihood_pictures(lineup.models),
        *shape_likelihood_pictures(lineup.models),
        *_model_pictures(curve, conditioner),
        *(picture for picture in seen if picture.folded),
    ]


def _energy_pictures(models: Sequence[Model]) -> Iterator[Picture]:
    evaluation = models[0].evaluation
    if evaluation.responses:
        yield Picture(
            "response",
            "Response and resolution",
            "Mean of the total over the incident energy, and its standard deviation over the mean; "
            "below, over the reference's, whose statistical error is the grey band.",
            partial(response_figure, models),
        )
    if all(model.evaluation.chi_squares for model in models):
        yield Picture(
            "chi_squares",
            "Chi squares of the total energy",
            "Two-sample chi2 per degree of freedom of E_tot at every incident energy, equal "
            "counts. Two samples of one distribution are expected in the grey band in two cases "
            "of three.",
            partial(chi_square_figure, models),
        )
    if evaluation.zero_fractions:
        yield Picture(
            "zero_fractions",
            "Empty layers",
            "Fraction of showers that leave no energy in a layer, with statistical errors; below, "
            "generated minus reference and the target of 0.02 (grey).",
            partial(zero_fraction_figure, models),
        )
    if all(model.evaluation.occupancies for model in models):
        yield Picture(
            "occupancies",
            "Voxels that hold energy",
            "Fraction of a layer's voxels with energy (after the cut that all samples get), mean "
            "over showers, with statistical errors; below, generated minus reference and the "
            "target of 0.02 (grey).",
            partial(occupancy_figure, models),
        )
    if evaluation.correlations:
        yield Picture(
            "correlations",
            "Correlations between layers",
            "Pearson coefficients of the layer energies. A dash: too few showers reach the layer.",
            partial(correlation_figure, models),
        )


def _profile_pictures(models: Sequence[Model]) -> Iterator[Picture]:
    some = energies_to_show(len(models[0].evaluation.incident_energies))
    axes = {p.axis for p in models[0].evaluation.profiles}
    for axis, name, title, kind in (
        ("r", "rings", "Energy per ring", "ring"),
        ("alpha", "sectors", "Energy per sector in alpha", "sector"),
    ):
        if axis in axes and all(model.evaluation.profiles for model in models):
            yield Picture(
                name,
                title,
                f"Mean energy of every {kind} over the incident energy, layer by layer at "
                f"{len(some)} incident energies; errors follow from the spread between showers. "
                "Dashed in the ratio: a second sample of the reference.",
                partial(profile_figure, models, axis, some),
                kind="palette",
            )
    if all(model.evaluation.layer_sums for model in models):
        yield Picture(
            "layer_sums",
            "Do voxels add up to layers?",
            "Relative difference of the sum of a layer's voxels (before any cut) and the energy "
            "that the generator states for the layer, of its generated showers. What is left is "
            "rounding: voxels come from at most 28 products of float32.",
            partial(layer_sum_figure, models),
        )


def _architectures(models: Sequence[Model]) -> str:
    """Say what every kind of classifier is."""
    known = {
        c.description.partition(";")[0] for model in models for c in model.evaluation.classifiers
    }
    return f"They are: {'; '.join(sorted(known))}."


def _test_pictures(models: Sequence[Model]) -> Iterator[Picture]:
    evaluation = models[0].evaluation
    if evaluation.features:
        yield Picture(
            "features",
            "How far every feature is off",
            "Separation power, and Wasserstein-1 distance in standard deviations of the "
            "reference, over all incident energies, with bootstrap errors. Grey: what two samples "
            "of the reference reach with the same counts, from their mean (line) to their 99 % "
            "quantile.",
            partial(feature_figure, models),
        )
    if evaluation.separations:
        yield Picture(
            "separations",
            "Separation power at every energy",
            "Separation power between generated and reference, in units of its mean between two "
            "samples of the reference with the same counts: 1 is perfect, bold is above the "
            "target of 3.",
            partial(separation_figure, models),
            folded=len({s.feature for s in evaluation.separations}) > 12,
        )
    if evaluation.classifiers:
        yield Picture(
            "classifiers",
            "Classifiers",
            "Classifiers trained to tell generated showers from the reference, tested on showers "
            "that they have not seen; mean over seeds, with their spread or the statistical error, "
            "whichever is larger. An AUC of 0.5 is perfect, and so is "
            "a Jensen-Shannon divergence of 0; the grey squares say what chance makes of that. "
            f"{_architectures(models)}",
            partial(classifier_figure, models),
        )
        yield Picture(
            "calibration",
            "Are the classifiers' scores probabilities?",
            "Share of generated showers among showers of similar score, test parts of all seeds "
            "together: open before, filled after the isotonic calibration from which the "
            "Jensen-Shannon divergence is computed.",
            partial(calibration_figure, models),
            folded=True,
        )
    if evaluation.distances:
        yield Picture(
            "distances",
            "Distances in feature space",
            "Frechet (FPD) and kernel (KPD) physics distance, extrapolated to infinite samples: 0 "
            "within its error is perfect, and values below 0 occur.",
            partial(distance_figure, models),
        )
    if any(model.evaluation.manifold for model in models):
        yield Picture(
            "manifold",
            "Precision and recall",
            "Precision and density: do generated showers lie where the reference's do? Recall and "
            "coverage: are there generated showers wherever there are the reference's? To be "
            "compared with the second sample of the reference (grey), not with 1.",
            partial(manifold_figure, models),
        )


def _model_pictures(
    curve: LearningCurve | None, conditioner: ConditionerCurves | None
) -> Iterator[Picture]:
    if curve is not None and len(curve.epoch):
        yield Picture(
            "learning_curve",
            "Learning curve",
            "Negative log likelihood of a density in MeV, per shower. The validation showers are "
            "set aside from the training file and decide which weights are kept; the held-out "
            "showers of the comparisons come from another run of the simulation.",
            partial(learning_curve_figure, curve),
        )
    if conditioner is not None and conditioner.features.shape[1]:
        yield Picture(
            "conditioner",
            "Conditioner features against energy",
            "What every coupling block is told about the incident energy. Lines: the conditioner "
            "itself; circles: knots of the table in the model file (thinned), between which the "
            "sampler interpolates.",
            partial(conditioner_figure, conditioner),
        )
