// Checks, and dense layers in the form that the kernels read.
#pragma once

#include <string>

#include "aligned.hpp"
#include "engine.hpp"

namespace fastcaloq::kernels {

// Throws std::invalid_argument naming `what` where the layer's sizes contradict each other.
void check_layer(const MlpLayer& layer, const std::string& what);

// Throws std::invalid_argument naming the part where the flow's sizes or constants cannot be.
void check_parameters(const EnergyFlowParameters& parameters);

// The same of what a block does elementwise, and these constants as the kernels read them.
void check_elementwise(const CouplingBlock& block, const std::string& what);
void pack_elementwise(const CouplingBlock& block, BlockView& view);

// Likewise of a shape flow, whose voxels are drawn in `order`.
void check_parameters(const ShapeParameters& parameters, const ShapeOrder& order);

// The spline and the log scale of a shape flow.
CouplingBlock elementwise(const ShapeParameters& parameters);

// Monomials of `inputs` numbers, without the constant: of degree 1, or up to degree 2.
std::size_t monomials(std::size_t inputs, std::size_t degree);

// Floats of the packed weight and bias together.
void reserve_layer(Arena& arena, const MlpLayer& layer);
LinearView pack_layer(Arena& arena, const MlpLayer& layer, Activation activation);

}  // namespace fastcaloq::kernels
