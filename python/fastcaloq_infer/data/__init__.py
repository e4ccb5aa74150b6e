"""Reading, checking, writing and describing shower files.

>>> from fastcaloq_infer.data import packaged_sample, read_layer_energies
>>> train = read_layer_energies(packaged_sample("train"))
>>> train.layer_ids
(0, 1, 2, 3, 12)
"""

from fastcaloq_infer.data.binning_xml import (
    BINNINGS,
    binning,
    format_binning,
    parse_binning,
    read_binning,
    write_binning,
)
from fastcaloq_infer.data.packaged import packaged_sample
from fastcaloq_infer.data.particles import Particle, particle
from fastcaloq_infer.data.reading import open_showers, read_layer_energies
from fastcaloq_infer.data.shower_file import ShowerFile
from fastcaloq_infer.data.showers import LayerEnergies, ShowerBatch
from fastcaloq_infer.data.voxelisation import Binning, LayerBinning
from fastcaloq_infer.data.writing import (
    LayerEnergyWriter,
    ShowerWriter,
    write_layer_energies,
    write_showers,
)

__all__ = [
    "BINNINGS",
    "Binning",
    "LayerBinning",
    "LayerEnergies",
    "LayerEnergyWriter",
    "Particle",
    "ShowerBatch",
    "ShowerFile",
    "ShowerWriter",
    "binning",
    "format_binning",
    "open_showers",
    "packaged_sample",
    "parse_binning",
    "particle",
    "read_binning",
    "read_layer_energies",
    "write_binning",
    "write_layer_energies",
    "write_showers",
]
