/// \file
/// From a card and the weights in its file to the flows in the form that the kernels read.
#pragma once

#include "fastcaloq/model_card.hpp"
#include "kernels/engine.hpp"
#include "kernels/shape_parameters.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {

/// The layer energies' flow. Throws ModelError, see Weights.
kernels::PackedFlow pack_energy_flow(const ModelCard& card, Weights& weights);

/// The voxels' flow of a card that has one. Throws ModelError, see Weights.
kernels::PackedShape pack_shape_flow(const ModelCard& card, Weights& weights);

}  // namespace fastcaloq::detail
