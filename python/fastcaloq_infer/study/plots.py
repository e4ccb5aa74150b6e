"""Pictures of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.study.results import StudyResults
    from fastcaloq_infer.study.times import StudyTimes


def write_pictures(results: StudyResults, times: StudyTimes, folder: Path) -> None:
    """Draw."""
