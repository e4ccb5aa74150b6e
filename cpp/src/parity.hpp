/// \file
/// The proof that an engine gives what a model's file says it must.
#pragma once

#include <functional>
#include <string>

#include "fastcaloq/model_card.hpp"
#include "network.hpp"

namespace fastcaloq::detail {

/// Draws at most Network::voxel_rows showers.
using DrawChunk = std::function<void(const Chunk&)>;

/// Runs the parity vectors of the layer energies and, where the model has them, of the voxels.
/// \param engine its name for the error
/// \throws ModelError they are not reproduced
void verify_parity(const DrawChunk& draw, const std::string& engine, const ModelCard& card);

/// The same for the native engine.
void verify_parity(const Network& network, const kernels::KernelTable& kernels,
                   const ModelCard& card);

}  // namespace fastcaloq::detail
