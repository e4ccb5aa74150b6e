"""All pictures of a report, in the order of the page, with their captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.groups import energy_groups
from fastcaloq_infer.evaluation.sample import as_sample
from fastcaloq_infer.report.histograms import (
    all_layers_figure,
    layer_energy_figure,
    total_energy_figure,
)
from fastcaloq_infer.report.model_pictures import (
    ConditionerCurves,
    LearningCurve,
    conditioner_figure,
    learning_curve_figure,
)
from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.style import picture
from fastcaloq_infer.report.summaries import (
    correlation_figure,
    response_figure,
    separation_figure,
    zero_fraction_figure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastcaloq_infer.evaluation import Evaluation
    from fastcaloq_infer.evaluation.sample import LayerEnergyTable

_READING = (
    "Grey: Geant4 with its statistical error (hatched; in the ratio a band). Blue: generated, "
    "with statistical error bars in the ratio. Triangles mark ratios outside of the panel."
)


def model_pictures(
    curve: LearningCurve | None, conditioner: ConditionerCurves | None
) -> Iterator[Picture]:
    """Yield the pictures of the model, where there is something to draw."""
    if curve is not None and len(curve.epoch):
        yield Picture(
            "learning_curve",
            "Learning curve",
            "Negative log likelihood of a density in MeV, per shower. The validation showers are "
            "set aside from the training file and decide which weights are kept; the held-out "
            "showers of the comparisons come from another run of Geant4.",
            picture(learning_curve_figure(curve)),
        )
    if conditioner is not None and conditioner.features.shape[1]:
        yield Picture(
            "conditioner",
            "Conditioner features against energy",
            "What every coupling block is told about the incident energy. Lines: the conditioner "
            "itself; circles: knots of the table in the model file (thinned), between which the "
            "sampler interpolates.",
            picture(conditioner_figure(conditioner)),
        )


def comparison_pictures(
    evaluation: Evaluation,
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    *,
    details: bool = True,
) -> Iterator[Picture]:
    """Yield the pictures that compare generated showers with Geant4."""
    threshold = evaluation.energy_threshold
    ref = as_sample(reference, "reference", threshold=threshold)
    gen = as_sample(generated, "generated", threshold=threshold)
    groups = energy_groups(ref)
    layers = evaluation.layer_ids
    yield Picture(
        "total_energy",
        "Total energy at every incident energy",
        f"Sum of the layer energies over the incident energy. {_READING}",
        picture(total_energy_figure(ref, gen, groups)),
    )
    yield Picture(
        "layer_energies",
        "Energy of every layer",
        "All incident energies together; the teeth are the discrete incident energies. Showers "
        "that leave the layer empty are counted in the normalisation and written above each "
        f"panel. {_READING}",
        picture(all_layers_figure(ref, gen, groups, layers)),
    )
    for column, layer in enumerate(layers if details else ()):
        yield Picture(
            f"layer_{layer}",
            f"Layer {layer} at every incident energy",
            _READING,
            picture(layer_energy_figure(ref, gen, groups, column, layer)),
            folded=True,
        )
    yield Picture(
        "zero_fractions",
        "Empty layers",
        "Fraction of showers that leave no energy in a layer, with statistical errors; below, "
        "generated minus Geant4 and the target of 0.02 (grey).",
        picture(zero_fraction_figure(evaluation)),
    )
    yield Picture(
        "response",
        "Response and resolution",
        "Mean of the total over the incident energy, and its standard deviation over the mean; "
        "below, generated over Geant4 with Geant4's statistical error as the grey band.",
        picture(response_figure(evaluation)),
    )
    yield Picture(
        "correlations",
        "Correlations between layers",
        "Pearson coefficients of the layer energies. A dash: too few showers reach the layer.",
        picture(correlation_figure(evaluation)),
    )
    yield Picture(
        "separations",
        "Separation power",
        "Separation power between generated and Geant4, in units of its mean between two Geant4 "
        "samples with the same counts: 1 is perfect, bold is above the target of 3.",
        picture(separation_figure(evaluation)),
    )
