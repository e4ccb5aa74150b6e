"""The figures of a study as a table to read (Markdown) and to go on with (CSV)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.study.results import CellResults, Comparison, StudyResults, VariantResults
    from fastcaloq_infer.study.times import StudyTimes

__all__ = ["markdown", "rows"]

_COLUMNS = (
    "size",
    "region",
    "variant",
    "log_likelihood",
    "shower_error",
    "seed_error",
    "effect",
    "effect_error",
    "effect_low",
    "effect_high",
    "p",
    "p_adjusted",
    "resolved",
    "auc",
    "auc_spread",
    "n_features",
    "n_parameters",
    "n_conditioner",
    "n_trained",
    "fit_cpu_seconds",
    "sample_cpu_microseconds",
    "total_separation",
    "zero_difference",
    "layer_distance",
)


_FIGURES = {
    "E_tot, floors": "total_separation",
    "zeros": "zero_difference",
    "W1, floors": "layer_distance",
}


def rows(results: StudyResults, times: StudyTimes) -> str:
    """Return CSV with a header: nats per shower, seconds per training, microseconds per shower."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for cell in results.cells:
        for variant in cell.variants:
            likelihood, auc = variant.likelihood, variant.auc
            comparison = _comparison(cell, variant)
            time = times.of(cell.size, cell.region, variant.name)
            values = (
                cell.size,
                cell.region,
                variant.name,
                likelihood and likelihood.mean,
                likelihood and likelihood.shower_error,
                likelihood and likelihood.seed_error,
                *(
                    (None,) * 7
                    if comparison is None
                    else (
                        comparison.effect,
                        comparison.error,
                        comparison.low,
                        comparison.high,
                        comparison.p,
                        comparison.p_adjusted,
                        comparison.resolved,
                    )
                ),
                auc and auc.mean,
                auc and auc.spread,
                variant.n_features,
                variant.n_parameters,
                variant.n_conditioner,
                variant.n_trained,
                time.fit_cpu,
                time.sample_cpu,
                variant.total_separation and variant.total_separation.mean,
                variant.zero_difference and variant.zero_difference.mean,
                variant.layer_distance and variant.layer_distance.mean,
            )
            writer.writerow(dict(zip(_COLUMNS, values, strict=True)))
    return stream.getvalue()


def markdown(results: StudyResults, times: StudyTimes) -> str:
    """Return a table per size and region, with what its columns mean."""
    percent = f"{results.confidence:.0%}"
    many = len(results.seeds) > 1
    parts = [
        f"# Study {results.name}\n",
        f"{len(results.seeds)} seeds; every variant is compared with **{results.reference}** on "
        f"the same held-out showers, trained with the same seeds on the same showers.\n",
    ]
    variants = [variant for cell in results.cells for variant in cell.variants]
    figures = [t for t, name in _FIGURES.items() if any(getattr(v, name) for v in variants)]
    for cell in results.cells:
        floor = cell.floor_auc
        parts.append(f"\n## {cell.title}\n")
        parts.append(
            f"Trained on {cell.n_train:,}, stopped by {cell.n_validation:,}, judged on "
            f"{cell.n_judged:,} held-out showers ({cell.n_left_out:,} left out, see below)."
            + (
                f" AUC of Geant4 against Geant4, by as many classifiers: {_plus_minus(floor)}.\n"
                if floor
                else "\n"
            )
        )
        parts.append(
            "| variant | log-likelihood | difference | "
            + f"{percent} interval | p (Holm) | AUC | features | parameters: all / conditioner / "
            "trained | training, CPU s | sampling, µs |"
            + "".join(f" {title} |" for title in figures)
        )
        parts.append("|---" * (10 + len(figures)) + "|")
        parts += [_row(results, cell, variant, times) for variant in cell.variants]
    parts.append(
        "\n"
        "log-likelihood: mean over seeds and held-out showers, nats per shower of a density in "
        "MeV, ± bootstrap error over showers ± standard error over seeds; the first is common to "
        "all variants, so variants are compared by their differences. difference: to the "
        f"reference, positive is better, with the {percent} interval of this comparison alone. "
        "p (Holm): probability of a difference as large by chance, adjusted for all comparisons of "
        f"the study; in bold where it is below {1 - results.confidence:.2g}, and nothing else is "
        "claimed. AUC: boosted trees, held-out against generated layer energies, ± standard "
        "deviation over trainings and classifiers; 0.5 is indistinguishable. features: what the "
        "conditioner hands to every coupling subnet, whose first matrices grow with it. sampling: "
        "the learner's own sampler, per shower. Left out: showers without a density under some "
        "training sample, which no variant of ours can make (an empty layer it never had, or more "
        "energy than its ceiling)."
        + (
            "\n\nE_tot, floors: largest separation power of E_tot over incident energies, in units "
            "of Geant4 against Geant4. zeros: largest difference of a zero fraction over layers "
            "and energies. "
            if figures
            else ""
        )
        + (
            "W1, floors: Wasserstein-1 distance of a layer's energy in its standard deviations, "
            "mean over layers and energies, in units of Geant4 against Geant4. "
            if len(figures) == len(_FIGURES)
            else ""
        )
        + ("These figures ± standard deviation over trainings." if figures else "")
        + ("" if many else " One seed says nothing of the luck of the weights: no p is given.")
    )
    return "\n".join(parts) + "\n"


def _comparison(cell: CellResults, variant: VariantResults) -> Comparison | None:
    return next((c for c in cell.comparisons if c.variant == variant.name), None)


def _plus_minus(scatter: object) -> str:
    mean, spread = getattr(scatter, "mean", None), getattr(scatter, "spread", None)
    if mean is None:
        return ""
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"


def _row(
    results: StudyResults, cell: CellResults, variant: VariantResults, times: StudyTimes
) -> str:
    likelihood, comparison = variant.likelihood, _comparison(cell, variant)
    time = times.of(cell.size, cell.region, variant.name)
    height = "none" if likelihood is None else f"{likelihood.mean:.3f} ± "
    if likelihood is not None:
        height += f"{likelihood.shower_error:.3f}"
        if likelihood.seed_error is not None:
            height += f" ± {likelihood.seed_error:.3f}"
    if comparison is None:
        difference = "reference" if variant.name == results.reference else ""
        interval = p = ""
    else:
        difference = f"{comparison.effect:+.4f} ± {comparison.error:.4f}"
        interval = f"{comparison.low:+.4f} to {comparison.high:+.4f}"
        p = "" if comparison.p_adjusted is None else _probability(comparison.p_adjusted)
        p = f"**{p}**" if comparison.resolved else p
    cells = (
        variant.title,
        height,
        difference,
        interval,
        p,
        _plus_minus(variant.auc),
        str(variant.n_features),
        f"{variant.n_parameters:,} / {variant.n_conditioner:,} / {variant.n_trained:,}",
        "" if time.fit_cpu is None else f"{time.fit_cpu:.1f}",
        f"{time.sample_cpu:.1f}",
        *(
            f"{s.mean:.3g}" + ("" if s.spread is None else f" ± {s.spread:.2g}")
            for s in (getattr(variant, name) for name in _FIGURES.values())
            if s is not None
        ),
    )
    return "| " + " | ".join(cells) + " |"


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"
