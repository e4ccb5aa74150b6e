"""What a training has done so far, one record per look at the held-out showers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Record:
    """State of a training at one look at the held-out showers.

    ``train_loss`` is what the steps minimised, ``validation_loss`` what looks are compared by: the
    smallest is the best. ``validation_nll`` is the negative log likelihood in nats per shower, of
    a density in MeV; where nothing else is minimised, the losses are the same in the same unit.
    """

    epoch: float
    step: int
    train_loss: float
    validation_loss: float
    validation_nll: float
    learning_rate: float
    skipped_steps: int
    seconds: float
    showers_per_second: float

    @property
    def likelihood_alone(self) -> bool:
        """Whether the likelihood is all that is minimised."""
        return self.validation_loss == self.validation_nll


@dataclass
class History:
    """Records in the order they were taken, and which of them was best on the held-out showers."""

    records: list[Record] = field(default_factory=list)

    def add(self, record: Record) -> bool:
        """Append ``record``; return True when its held-out loss is the best so far."""
        best = self.best
        self.records.append(record)
        if not math.isfinite(record.validation_loss):
            return False
        return best is None or record.validation_loss < best.validation_loss

    @property
    def best(self) -> Record | None:
        """Return the first record with the lowest finite held-out value; None without any."""
        finite = [r for r in self.records if math.isfinite(r.validation_loss)]
        return min(finite, key=lambda record: record.validation_loss, default=None)

    @property
    def since_best(self) -> int:
        """Return how many records have passed since the best one."""
        best = self.best
        return len(self.records) if best is None else len(self.records) - 1 - self._index(best)

    def since_last(self, step: int, seconds: float) -> tuple[int, float]:
        """Return steps and seconds since the last record; at least a nanosecond."""
        last = self.records[-1] if self.records else None
        if last is None:
            return step, max(seconds, 1e-9)
        return step - last.step, max(seconds - last.seconds, 1e-9)

    def _index(self, record: Record) -> int:
        return next(i for i, other in enumerate(self.records) if other is record)

    def as_dict(self) -> dict[str, Any]:
        """Return the history as plain data, units in the key names' documentation above."""
        return {"schema": 2, "records": [asdict(record) for record in self.records]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> History:
        """Rebuild a history from :meth:`as_dict`."""
        return cls([Record(**record) for record in data["records"]])

    def save(self, path: Path) -> None:
        """Write the history as JSON, whole or not at all.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        content = self.as_dict()
        for record in content["records"]:  # JSON has no NaN
            for key, value in record.items():
                record[key] = value if math.isfinite(value) else None
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
