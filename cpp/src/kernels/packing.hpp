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

// Floats of the packed weight and bias together.
void reserve_layer(Arena& arena, const MlpLayer& layer);
LinearView pack_layer(Arena& arena, const MlpLayer& layer, Activation activation);

}  // namespace fastcaloq::kernels
