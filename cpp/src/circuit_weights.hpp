/// \file
/// A circuit's constant matrices, from the file to the layers that the kernels run.
#pragma once

#include <string>
#include <vector>

#include "fastcaloq/model_card.hpp"
#include "kernels/engine.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {

/// The circuits "<prefix>.circuit<g>" of a block. Throws ModelError, see Weights.
std::vector<kernels::CircuitLayers> circuits(const SubnetCard& card, const std::string& prefix,
                                             Weights& weights);

}  // namespace fastcaloq::detail
