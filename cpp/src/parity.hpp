/// \file
/// The proof that an engine gives what a model's file says it must.
#pragma once

#include "fastcaloq/model_card.hpp"
#include "network.hpp"

namespace fastcaloq::detail {

/// Runs the parity vectors of the layer energies and, where the model has them, of the voxels.
/// \throws ModelError they are not reproduced
void verify_parity(const Network& network, const kernels::KernelTable& kernels,
                   const ModelCard& card);

}  // namespace fastcaloq::detail
