"""Turning a refused configuration into one line that names the key and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["dotted_keys", "validate"]

Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 3


def validate(
    model: type[Model], raw: Mapping[str, Any], source: str, context: dict[str, Any] | None = None
) -> Model:
    """Build ``model`` from plain data, or say in one line what is wrong with it.

    Parameters
    ----------
    model
        A pydantic model with ``extra="forbid"``.
    raw
        Data as read from YAML.
    source
        What the data is called in the message, usually the file's path.
    context
        Handed to the model's validators.

    Raises
    ------
    ConfigError
        Unknown keys (with the nearest known one), missing keys, values of the wrong kind.
    """
    # Misspelt keys first: a key that seems to be missing is often there, misspelt.
    problems = list(_unknown(model, raw, model, ""))
    if not problems:
        try:
            return model.model_validate(dict(raw), context=context)
        except ValidationError as error:
            problems = [_describe(item) for item in error.errors(include_url=False)]
        except ConfigError as error:  # a section with checks and messages of its own
            problems = [str(error)]
    shown = problems[:_SHOWN]
    if len(problems) > _SHOWN:
        shown.append(f"and {len(problems) - _SHOWN} more")
    raise ConfigError(f"{source}: {'; '.join(shown)}")


def _describe(item: ErrorDetails) -> str:
    dotted = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"the key '{dotted}' is missing; add it"
    message = " ".join(item["msg"].removeprefix("Value error, ").split())
    if item["type"] == "extra_forbidden" or not dotted:
        return f"{message}: '{dotted}'" if dotted else message
    return f"'{dotted}' is {_shorten(item['input'])}: {message}"


def _unknown(
    model: type[BaseModel], raw: Mapping[str, Any], root: type[BaseModel], prefix: str
) -> Iterator[str]:
    """Yield a sentence for every key of ``raw`` that ``model`` does not have, at any depth."""
    for key, value in raw.items():
        field = model.model_fields.get(str(key))
        if field is None:
            yield f"unknown key '{prefix}{key}'{_suggestion(str(key), model, root, prefix)}"
        elif isinstance(value, Mapping):
            for child in _chosen(_models_in(field.annotation), value):
                yield from _unknown(child, value, root, f"{prefix}{key}.")


def _chosen(models: list[type[BaseModel]], raw: Mapping[str, Any]) -> list[type[BaseModel]]:
    """Return the model of a section: among several the one of its ``kind``, else the first."""
    of_kind = [
        model
        for model in models
        if "kind" in model.model_fields and raw.get("kind") in _values(model, "kind")
    ]
    return (of_kind or models)[:1]


def _values(model: type[BaseModel], key: str) -> tuple[Any, ...]:
    return get_args(model.model_fields[key].annotation)


def _suggestion(key: str, model: type[BaseModel], root: type[BaseModel], prefix: str) -> str:
    """Return ``" (did you mean 'x'?)"``, or the keys there are where nothing comes near."""
    everywhere = [known for known in dotted_keys(root) if known != prefix + key]
    candidates = [
        *(prefix + name for name in get_close_matches(key, model.model_fields, n=1)),
        *(name for name in everywhere if name.rsplit(".", 1)[-1] == key),
        *(name for name in get_close_matches(key, everywhere, n=1, cutoff=0.75) if not prefix),
    ]
    if candidates:
        return f" (did you mean '{candidates[0]}'?)"
    return f" (known here: {', '.join(model.model_fields)})"


def dotted_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key of a configuration in dotted form, parents before children."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for child in _models_in(field.annotation):
            yield from dotted_keys(child, f"{prefix}{name}.")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models among the types an annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
