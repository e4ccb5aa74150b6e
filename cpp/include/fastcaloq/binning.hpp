/// \file
/// Reading which voxels a calorimeter's layers have.
#pragma once

#include <string>

#include "fastcaloq/export.hpp"
#include "fastcaloq/model_card.hpp"

namespace fastcaloq {

/// Reads a binning in the CaloChallenge's XML dialect (`<Bins><Bin pid name><Layer id r_edges
/// n_bin_alpha/>`, r_edges in mm). Layers without voxels (`r_edges="0"`) are left out. The binning's
/// name is the file's, without folder and suffix.
/// \param particle `name` of the <Bin> to take; empty: there is only one
/// \throws InputError the file cannot be read, is not in the dialect, describes several particles and
///         none or an unknown one was chosen, or has layers or edges that do not ascend
FASTCALOQ_API BinningCard read_binning(const std::string& path, const std::string& particle = "");

}  // namespace fastcaloq
