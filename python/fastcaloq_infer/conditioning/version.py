"""The name of a trained conditioner, by which a model file and a service recognise each other."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastcaloq_infer.conditioning.conditioner import Conditioner
    from fastcaloq_infer.conditioning.config import QuantumConfig

_DIGITS = 16


def conditioner_version(conditioner: Conditioner, config: QuantumConfig) -> str | None:
    """Return 16 hexadecimal digits that name a trained conditioner; None for kind ``none``.

    The first 16 digits of the SHA-256 of this text, lines ended by a line feed:

    1. ``fastcaloq conditioner 1``;
    2. the kind;
    3. for kind ``conditioner`` the circuit as in a model card (compact JSON, sorted keys; with the
       key ``execution`` where it is run with a device, shots or noise), else ``null``;
    4. for each tensor of the module's state, sorted by name: a line with the name, a blank and the
       extents joined by commas, then its values, little-endian float64 in C order, and a line feed.

    Trained numbers and not what is computed from them (contracted matrices, a table): those differ
    in their last bits from machine to machine. Stored in float32 or float64, on whatever device,
    the same numbers have the same version.
    """
    if conditioner.n_features == 0:
        return None
    circuit = config.circuit.card() if conditioner.kind == "conditioner" else None
    if circuit is not None and not config.execution.exact:
        circuit["execution"] = config.execution.model_dump()
    description = json.dumps(circuit, sort_keys=True, separators=(",", ":"))
    sha = hashlib.sha256(f"fastcaloq conditioner 1\n{conditioner.kind}\n{description}\n".encode())
    for name, tensor in sorted(conditioner.state_dict().items()):
        values = tensor.detach().cpu().double().numpy()
        sha.update(f"{name} {','.join(map(str, values.shape))}\n".encode())
        sha.update(np.ascontiguousarray(values, dtype="<f8").tobytes() + b"\n")
    return sha.hexdigest()[:_DIGITS]
