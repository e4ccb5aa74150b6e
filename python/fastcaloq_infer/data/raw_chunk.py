"""Consecutive rows of a shower file in the precision in which they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.data.checks import bad_rows, why_bad
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
    """

    def __init__(
        self,
        file: ShowerFile,
        first_row: int,
        incident: NDArray[Any],
        eta: NDArray[np.float64] | None,
        deposits: NDArray[Any],
    ) -> None:
        self._file = file
        self.first_row = first_row
        self.incident = incident
        self.eta = eta
        self.deposits = deposits

    def bad_rows(self) -> NDArray[np.bool_]:
        """Mark rows that cannot be showers, (n,) bool."""
        return bad_rows(self.incident, self.deposits, self.eta)

    def layer_energies(self) -> NDArray[np.float64]:
        """Sum to layer energies, (n, L) float64 MeV."""
        return self._file.sum_layers(self.deposits)

    def why_bad(self, i: int) -> str:
        """Say why the chunk's row ``i`` is bad, with its number in the file."""
        eta = None if self.eta is None else float(self.eta[i])
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
