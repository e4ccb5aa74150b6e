"""Writes the small ONNX graphs of these tests: ``make_graphs.py FOLDER``.

The layers are those of the tests' made-up models: 0 with 2 voxels, 1 with 6, 12 with none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser

LAYER = np.array([0, 0, 1, 1, 1, 1, 1, 1])  # of each voxel, as the column of layer_energy
L, V = 3, len(LAYER)
MEMBERS = np.eye(L, dtype=np.float32)[LAYER]

CONSTANTS = {
    "half": np.float32(0.5),
    "hundredth": np.float32(0.01),
    "tilt": np.arange(V, dtype=np.float32)[None] / np.float32(10),
    "members": MEMBERS,
    "to_voxels": MEMBERS.T.copy(),
    "one_mev": np.float32(1),
    "limit": np.float32(50000),
    "three_halves": np.float32(1.5),
    "seven": np.float32(7),
    "one_entry_shape": np.array([1]),
    "start": np.array([0]),
    "columns": np.array([1]),
    "narrow": np.ones((L, V - 1), np.float32),
    "one_entry": np.ones(1, np.float32),
    "to_layers": np.ones((1, L), np.float32),
    "picked": np.array([[0.0], [1.0], [0.0], [0.0]], np.float32),
    "to_all": np.ones((1, 22), np.float32),
}

INPUTS = {
    "z_shape": f"float[N,{V}]",
    "layer_energy": f"float[N,{L}]",
    "incident_energy": "float[N,1]",
    "eta": "float[N,1]",
}
# Voxel v of layer l gets E_l w_v / sum w, w = exp(z / 2 + |eta| v / 10 + log(E_inc / MeV) / 100).
SHAPE = """
    scaled = Mul(z_shape, half)
    tilted = MatMul(eta, tilt)
    log_energy = Log(incident_energy)
    spread = Mul(log_energy, hundredth)
    shifted = Add(scaled, tilted)
    logits = Add(shifted, spread)
    weights = Exp(logits)
    sums = MatMul(weights, members)
    voxel_sums = MatMul(sums, to_voxels)
    fractions = Div(weights, voxel_sums)
    energies = MatMul(layer_energy, to_voxels)
    good = Mul(fractions, energies)
"""
GOOD = SHAPE + "voxel_energy = Identity(good)"
GRAPHS = {
    "shape": GOOD,
    "shape_negative": SHAPE + "voxel_energy = Sub(good, one_mev)",
    # The square root of what is negative for a latent above 1.5.
    "shape_nan": SHAPE
    + """room = Sub(three_halves, z_shape)
         root = Sqrt(room)
         factor = Div(root, root)
         voxel_energy = Mul(good, factor)""",
    # Looks up what is not there above 50 GeV.
    "shape_failing": SHAPE
    + """high = Greater(incident_energy, limit)
         place = Cast <to = 7> (high)
         factor = Gather(one_entry, place)
         voxel_energy = Mul(good, factor)""",
}


def write(
    folder: Path,
    name: str,
    nodes: str,
    inputs: dict[str, str] = INPUTS,
    outputs: str = f"float[N,{V}] voxel_energy",
) -> None:
    """Write one graph with the constants it uses."""
    given = ", ".join(f"{type_} {key}" for key, type_ in inputs.items())
    model = parser.parse_model(
        f'<ir_version: 8, opset_import: ["": 17]> {name} ({given}) => ({outputs}) {{{nodes}}}'
    )
    used = {key for node in model.graph.node for key in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), key)
        for key, value in CONSTANTS.items()
        if key in used
    )
    onnx.save(model, folder / f"{name}.onnx")


def main(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, nodes in GRAPHS.items():
        write(folder, name, nodes)
    of_one = {key: type_.replace("N", "1") for key, type_ in INPUTS.items()}
    write(folder, "shape_of_one", GOOD, of_one, f"float[1,{V}] voxel_energy")
    write(folder, "shape_open", GOOD, outputs="float[N,M] voxel_energy")
    write(
        *(
            folder,
            "shape_renamed",
            "voxels = MatMul(layers, to_voxels)\n unused = Mul(noise, half)",
        ),
        {"noise": f"float[N,{V}]", "layers": f"float[N,{L}]"},
        f"float[N,{V}] voxels, float[N,{V}] unused",
    )
    constant = "voxel_energy = MatMul(layer_energy, to_voxels)"
    for name, other in {
        "unfit_rank": f"float[N,{V},1]",
        "unfit_width": f"float[N,{V + 1}]",
        "unfit_type": f"double[N,{V}]",
        "unfit_batch": f"float[4,{V}]",
    }.items():
        write(folder, name, constant, INPUTS | {"z_shape": other})
    write(folder, "unfit_extra", GOOD, INPUTS | {"phi": "float[N,1]"})
    write(
        folder,
        "unfit_output",
        "voxel_energy = MatMul(layer_energy, narrow)",
        outputs=f"float[N,{V - 1}] voxel_energy",
    )
    # As many columns as the largest eta says: nobody knows before it runs.
    hidden = """largest = ReduceMax <keepdims = 0> (eta)
                scaled_up = Mul(largest, seven)
                whole = Cast <to = 7> (scaled_up)
                end = Reshape(whole, one_entry_shape)
                voxel_energy = Slice(good, start, end, columns)"""
    write(folder, "unfit_hidden", SHAPE + hidden, outputs="float[N,M] voxel_energy")
    (folder / "unfit_file.onnx").write_text("not a graph")
    # A whole model with features as inputs: the second of four in all layers, times E_inc.
    write(
        *(folder, "whole_served"),
        """one = MatMul(quantum, picked)
           factor = Abs(one)
           total = Mul(factor, incident_energy)
           layer_energy = MatMul(total, to_layers)
           voxel_energy = MatMul(total, to_all)""",
        {
            **{"incident_energy": "float[N,1]", "eta": "float[N,1]", "z_energy": f"float[N,{L}]"},
            **{"z_shape": "float[N,22]", "quantum": "float[N,4]"},
        },
        f"float[N,{L}] layer_energy, float[N,22] voxel_energy",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
