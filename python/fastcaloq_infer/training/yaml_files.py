"""Reading YAML strictly: a key given twice is a mistake, not a silent choice of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    ConfigError
        The file is missing, unreadable, not YAML, not a mapping, or gives a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise ConfigError(
            f"cannot read the configuration {path}: {reason}; check the path"
        ) from error
    raw = _parse(text, str(path))
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{path} does not hold 'key: value' lines; start from one of models/configs"
        )
    return raw


def set_keys(raw: dict[str, Any], overrides: list[str]) -> set[str]:
    """Apply ``key.subkey=value`` settings to ``raw`` in place; return the dotted keys.

    Values are read as YAML.

    Raises
    ------
    ConfigError
        A setting without ``=``, or one that reaches into something that is not a mapping.
    """
    for override in overrides:
        dotted, equals, text = override.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"'--set {override}' is not of the form key=value, or key.sub=value")
        here = raw
        for key in keys[:-1]:
            here = here.setdefault(key, {})
            if not isinstance(here, dict):
                raise ConfigError(f"'--set {override}': '{key}' is a value, it has no keys inside")
        here[keys[-1]] = _parse(text, f"--set {override}")
    return {override.partition("=")[0].strip() for override in overrides}


def _parse(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  derived from SafeLoader
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{source} is not valid YAML{line}: {problem}") from error
