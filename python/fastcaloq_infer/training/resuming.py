"""Whether a run may be resumed: same configuration, same showers, a whole checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastcaloq_infer.errors import ConfigError, InputError, OutputError
from fastcaloq_infer.training.checkpoint import CHECKPOINT
from fastcaloq_infer.training.state import TrainingState, read_state

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.data import TrainingSet
    from fastcaloq_infer.training.metadata import FlowMetadata

__all__ = ["comparable", "refuse_changes", "refuse_other_showers", "state_to_resume"]

# Keys that may change when a training is resumed: where the data lie (their SHA-256 may not
# change), and how often the state is saved. Everything else decides the result.
_FREE_KEYS = frozenset({"data.train", "data.validation", "data.binning", "checkpoint_every"})


def state_to_resume(folder: Path, *, resume: bool) -> TrainingState | None:
    """Return the state to go on from; None for a fresh start.

    Raises
    ------
    ModelError
        The checkpoint is damaged.
    OutputError
        There is a run in the folder and it is not to be resumed.
    """
    if not (folder / CHECKPOINT).exists():
        return None
    if not resume:
        raise OutputError(
            f"{folder} holds a training already, which would be lost; continue it with --resume "
            "or write to another folder"
        )
    return read_state(folder / CHECKPOINT)


def comparable(config: TrainingConfig) -> dict[str, Any]:
    """Return the configuration as flat plain data, without what may change on resuming."""
    flat: dict[str, Any] = {}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                add(f"{prefix}.{key}" if prefix else key, child)
        elif prefix not in _FREE_KEYS:
            flat[prefix] = value

    add("", config.model_dump(mode="json"))
    return flat


def refuse_changes(config: TrainingConfig, state: TrainingState, folder: Path) -> None:
    """Refuse with `ConfigError` a configuration that the run did not begin with."""
    now, then = comparable(config), state.config
    changed = [
        f"{key} (was {then.get(key)!r}, is {now.get(key)!r})"
        for key in sorted(now.keys() | then.keys())
        if now.get(key) != then.get(key)
    ]
    if changed:
        raise ConfigError(
            f"cannot resume {folder} with another configuration: {', '.join(changed)}; the result "
            "would belong to neither, so set the keys back or start in another folder"
        )


def refuse_other_showers(
    showers: TrainingSet, metadata: FlowMetadata, state: TrainingState
) -> None:
    """Refuse with `InputError` showers, or a reading of them, that the run did not begin with."""
    now = [file.model_dump() for file in showers.files]
    for file, before in zip(now, state.data, strict=False):
        if file["sha256"] != before["sha256"]:
            raise InputError(
                f"cannot resume: {file['name']} is not the file the training began with "
                f"({before['name']}, another SHA-256); restore it or start in another folder"
            )
    if len(now) != len(state.data):
        raise InputError(
            "cannot resume: the held-out showers now come from another place than when the "
            "training began; set 'data.validation' back or start in another folder"
        )
    if metadata.to_json() != state.metadata:
        raise InputError(
            "cannot resume: binning or preprocessing come out differently than when the training "
            "began; use the binning and the version of fastcaloq-infer it began with"
        )
