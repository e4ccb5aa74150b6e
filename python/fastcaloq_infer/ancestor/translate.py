"""From a configuration of the prototype to one of ours, with an account of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fastcaloq_infer.ancestor.meaning import NOTHING, SAME
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training.config import TrainConfig

if TYPE_CHECKING:
    from fastcaloq_infer.ancestor.files import AncestorConfig

__all__ = ["Account", "Translation", "translate"]

BATCH_SIZE: Final = 256
"""Of the prototype's stand-alone trainer, where a file says nothing."""

LOOKS: Final = 100
"""At held-out showers, in a training whose file does not say how often."""


@dataclass(frozen=True)
class Account:
    """What became of one key: ``became`` is ours as ``key = value``, or None."""

    key: str
    value: object
    became: str | None
    why: str


@dataclass
class Translation:
    """Our configuration as plain data, and the account of every key of the file."""

    settings: dict[str, Any]
    accounts: list[Account] = field(default_factory=list)

    def checked(self) -> TrainConfig:
        """Return the typed configuration.

        Raises
        ------
        ConfigError
            The file's numbers are not possible here (too many qubits, ...).
        """
        return TrainConfig.from_dict(self.settings, source="the translated configuration")

    def put(self, key: str, value: object, why: str = "") -> tuple[str, str]:
        """Set our ``key`` (dotted) and return what to tell about it."""
        *sections, name = key.split(".")
        place = self.settings
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
        return f"{key} = {value}", why


def _layers(out: Translation, _: AncestorConfig, widths: tuple[int, ...]) -> tuple[str, str]:
    hidden = [width for width in widths if width]
    if not hidden:
        raise ConfigError("generatorLayers has no layer with units; give one width above 0")
    return out.put("flow.hidden", hidden, "of every coupling subnet; a width of 0 is no layer")


def _pennylane(out: Translation, _: AncestorConfig, value: bool) -> tuple[str, str]:
    kind = "conditioner" if value else "classical"
    return out.put("quantum.kind", kind, "trained with the flow")


def _hidden(_: Translation, config: AncestorConfig, value: int) -> tuple[None, str]:
    if config.qinn_module_kwargs.use_pennylane:
        return None, "width of the network without PennyLane, which is not used"
    return None, "the classical conditioner has as many parameters as the circuit instead"


def _dropout(_: Translation, __: AncestorConfig, value: float) -> tuple[None, str]:
    return None, "a bijection cannot drop units; early stopping and averaged weights regularise"


def _device(out: Translation, _: AncestorConfig, value: str) -> tuple[str | None, str]:
    if value == "default.qubit":
        return None, "contracted exactly here, which gives default.qubit's numbers, faster"
    return out.put("quantum.device", value)


def _diff_method(out: Translation, config: AncestorConfig, value: str) -> tuple[str | None, str]:
    if config.qinn_module_kwargs.q_device == "default.qubit" and value in ("best", "auto"):
        return None, "the contraction differentiates itself"
    out.settings["quantum"].setdefault("device", config.qinn_module_kwargs.q_device)
    return out.put("quantum.diff_method", "best" if value == "auto" else value)


def _shots(out: Translation, config: AncestorConfig, value: int | None) -> tuple[str | None, str]:
    if value is None:
        return None, "expectation values are exact, as there"
    out.settings["quantum"].setdefault("device", config.qinn_module_kwargs.q_device)
    return out.put("quantum.shots", value)


def _entanglement(out: Translation, _: AncestorConfig, value: str) -> tuple[str, str]:
    return out.put("quantum.ansatz", f"rotation_{value}")


def _capture(out: Translation, config: AncestorConfig, value: bool) -> tuple[str | None, str]:
    if not value:
        return None, "nothing is captured"
    every = config.qinn_module_kwargs.q_capture_every_n_calls
    return out.put("inspection.every", every, "steps; drawn by fastcaloq inspect-run")


def _capture_detail(_: Translation, config: AncestorConfig, value: object) -> tuple[None, str]:
    if config.qinn_module_kwargs.q_capture_quantum_state:
        return None, "see q_capture_quantum_state; a noisy device gives density matrices"
    return None, "nothing is captured"


def _torch_device(out: Translation, _: AncestorConfig, value: str) -> tuple[str, str]:
    return out.put("device", value.partition(":")[0])


def _seed(out: Translation, config: AncestorConfig, value: int) -> tuple[str | None, str]:
    if config.qinn_seed is not None:
        return None, "qinn_seed is the seed of everything"
    if config.qinn_deterministic_init is False:
        return out.put("seed", value, "every training here has a seed, so it is used")
    return out.put("seed", value)


def _checkpoint_every(out: Translation, _: AncestorConfig, value: int) -> tuple[None, str]:
    return None, "counts steps here (checkpoint_every); its default stays"


SPECIAL: Final[dict[str, Any]] = {
    "model": lambda *_: ("model: flow (the default)", "conditioned by the trained circuit"),
    "generatorLayers": _layers,
    "G_size": lambda *_: (None, "scales generatorLayers: write the widths themselves"),
    "use_pennylane": _pennylane,
    "hidden_features": _hidden,
    "dropout": _dropout,
    "q_device": _device,
    "q_diff_method": _diff_method,
    "q_shots": _shots,
    "q_entanglement": _entanglement,
    "q_capture_quantum_state": _capture,
    "q_capture_state_kind": _capture_detail,
    "q_capture_every_n_calls": _capture_detail,
    "qinn_torch_device": _torch_device,
    "qinn_deterministic_init": lambda *_: (None, "a training here is always reproducible"),
    "qinn_init_seed": _seed,
    "qinn_seed": lambda out, _, value: out.put("seed", value),
    "qinn_checkpoint_every": _checkpoint_every,
}
"""Settings that become something else: translation, whole file and value to what it became."""


def translate(
    config: AncestorConfig,
    *,
    name: str,
    data: dict[str, Any],
    particle: str = "photon",
    epochs: int | None = None,
) -> Translation:
    """Translate a checked file.

    Parameters
    ----------
    config
        As read by :func:`~.files.read_ancestor`.
    name
        Of the training.
    data
        Our section ``data``: the prototype names its showers on the command line.
    particle
        Of the showers; the prototype takes it from the name of its data file.
    epochs
        Length of the training where the file does not say.

    Raises
    ------
    ConfigError
        A value that cannot be translated, or two that contradict each other.
    """
    out = Translation(
        {"name": name, "particle": particle, "data": data, "quantum": {"kind": "conditioner"}}
    )
    module = config.qinn_module_kwargs
    both = {"n_q_layers", "depth_per_block"}
    if both <= module.model_fields_set and module.n_q_layers != module.depth_per_block:
        raise ConfigError(
            "n_q_layers and depth_per_block are two names of one number, but differ; leave one out"
        )
    for section in (config, module):
        for key in type(section).model_fields:
            if key not in section.model_fields_set or key == "qinn_module_kwargs":
                continue
            if (value := getattr(section, key)) is not None or key == "q_shots":
                out.accounts.append(Account(key, value, *_became(out, config, key, value)))
    _defaults(out, config, epochs)
    return out


def _became(
    out: Translation, config: AncestorConfig, key: str, value: Any
) -> tuple[str | None, str]:
    if key in SPECIAL:
        became: tuple[str | None, str] = SPECIAL[key](out, config, value)
        return became
    if key in SAME:
        return out.put(SAME[key], value)
    return None, NOTHING[key]


def _defaults(out: Translation, config: AncestorConfig, epochs: int | None) -> None:
    """Fill in what the file leaves to the prototype's defaults and ours would contradict."""
    if "q_entanglement" not in config.qinn_module_kwargs.model_fields_set:
        out.put("quantum.ansatz", "rotation_ring")
    if epochs is not None:
        out.put("epochs", epochs)
    elif "epochs" not in out.settings:
        raise ConfigError(
            "the file does not say how long to train (qinn_epochs); give the number with --epochs"
        )
    out.settings.setdefault("batch_size", BATCH_SIZE)
    out.settings.setdefault("evaluate_every", max(1, out.settings["epochs"] // LOOKS))
