"""Consecutive rows of a shower file in the precision in which they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.data.checks import LAYER_TOLERANCE, bad_rows, differing_layers, why_bad
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data.shower_file import ShowerFile


class RawChunk:
    """Consecutive rows of a file.

    Attributes
    ----------
    first_row
        Row number of the first shower in the file.
    incident
        (n,) MeV.
    eta
        (n,) float64 or None.
    deposits
        (n, V) voxels or (n, L) layers, MeV.
    stated
        (n, L) MeV, where the file holds layer energies beside its voxels.
    """

    def __init__(
        self,
        file: ShowerFile,
        first_row: int,
        incident: NDArray[Any],
        eta: NDArray[np.float64] | None,
        deposits: NDArray[Any],
        stated: NDArray[Any] | None = None,
    ) -> None:
        self._file = file
        self.first_row = first_row
        self.incident = incident
        self.eta = eta
        self.deposits = deposits
        self.stated = stated

    def bad_rows(self) -> NDArray[np.bool_]:
        """Mark rows that cannot be showers, or whose voxels and layers disagree, (n,) bool."""
        bad = bad_rows(self.incident, self.deposits, self.eta)
        return bad if self.stated is None else bad | self._differing().any(axis=1)

    def _differing(self) -> NDArray[np.bool_]:
        return differing_layers(self.layer_energies(), np.asarray(self.stated))

    def layer_energies(self) -> NDArray[np.float64]:
        """Sum to layer energies, (n, L) float64 MeV."""
        return self._file.sum_layers(self.deposits)

    def why_bad(self, i: int) -> str:
        """Say why the chunk's row ``i`` is bad, with its number in the file."""
        eta = None if self.eta is None else float(self.eta[i])
        impossible = bad_rows(self.incident[i : i + 1], self.deposits[i : i + 1], None)[0]
        if self.stated is not None and not impossible and (eta is None or np.isfinite(eta)):
            k = int(np.argmax(self._differing()[i]))
            return (
                f"row {self.first_row + i}: the voxels of layer {self._file.layer_ids[k]} add up "
                f"to {self.layer_energies()[i, k]:g} MeV, but its layer energy is "
                f"{self.stated[i, k]:g} MeV (they may differ by {LAYER_TOLERANCE:g} of it)"
            )
        reason = why_bad(
            float(self.incident[i]), self.deposits[i], eta, self._file.describe_deposit
        )
        return f"row {self.first_row + i}: {reason}"

    def refuse_bad_rows(self) -> None:
        """Raise an `InputError` that names the first bad row, if there is one."""
        bad = self.bad_rows()
        if bad.any():
            raise InputError(
                f"{self._file.path}: {self.why_bad(int(np.argmax(bad)))}; "
                "remove the row or repair the file"
            )
