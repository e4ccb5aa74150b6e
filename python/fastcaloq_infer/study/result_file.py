"""What every ``results.json`` has in common: strict, versioned, the same text every time."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  pydantic reads it
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastcaloq_infer.errors import InputError

__all__ = ["ResultFile", "Strict"]


class Strict(BaseModel):
    """Refuses unknown keys and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ResultFile(Strict):
    """The whole of a ``results.json``; a subclass says what it holds, and how to get it again."""

    HOLDS: ClassVar[str]
    AGAIN: ClassVar[str]

    schema_version: Literal[1] = Field(default=1, alias="schema")

    def to_json(self) -> str:
        """Return the results as JSON; the same results give the same text."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``results.json``.

        Raises
        ------
        InputError
            The file is missing, or does not hold such results of this version.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {error.strerror or error}; check the path"
            ) from error
        except ValidationError as error:
            raise InputError(
                f"{path} does not hold the results of {cls.HOLDS} of this version of "
                f"fastcaloq-infer; {cls.AGAIN}"
            ) from error
