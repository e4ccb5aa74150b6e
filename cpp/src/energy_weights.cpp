#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "circuit_weights.hpp"
#include "fastcaloq/error.hpp"
#include "flow_weights.hpp"

namespace fastcaloq::detail {
namespace {

std::size_t count(int number) {
  return static_cast<std::size_t>(number);
}

kernels::CouplingBlock make_block(const BlockCard& card, const FlowCard& flow, std::size_t index,
                                  std::size_t n_features, Weights& weights) {
  const std::string prefix = "energy.block" + std::to_string(index);
  const bool spline = card.kind == BlockKind::spline;
  kernels::CouplingBlock block;
  block.kind = spline ? kernels::CouplingKind::spline : kernels::CouplingKind::affine;
  block.n_passive = count(card.passive);
  block.n_active = count(card.active);
  const std::size_t n_layers = block.n_passive + block.n_active;
  block.permutation = weights.permutation(prefix + ".permutation", n_layers);
  block.actnorm_scale = weights.floats(prefix + ".actnorm.scale", {n_layers});
  block.actnorm_shift = weights.floats(prefix + ".actnorm.shift", {n_layers});
  for (const float scale : block.actnorm_scale) {
    if (!(std::fabs(scale) > 1e-20F)) {
      throw ModelError("initialiser '" + prefix +
                       ".actnorm.scale' holds a zero, so the flow has no inverse: export the model "
                       "again");
    }
  }
  std::vector<std::size_t> widths{block.n_passive + 2 + n_features};
  if (flow.subnet) {
    if (n_features > 0) {
      throw ModelError(
          "the circuits of the subnets and those of a conditioner cannot be in one model: export "
          "it "
          "again");
    }
    block.circuits = circuits(*flow.subnet, prefix + ".subnet", weights);
    block.monomial_degree = count(flow.subnet->circuit.monomial_degree);
    block.coordinate_scale = flow.subnet->coordinate_scale;
    widths = {block.circuits.size() * block.circuits.front().readout.n_out};
  }
  for (const int width : flow.hidden) widths.push_back(count(width));
  widths.push_back(block.n_active * (spline ? 3 * count(card.bins) - 1 : 2));
  block.subnet = weights.layers(prefix + ".subnet", widths);
  block.activation =
      flow.activation == Activation::relu ? kernels::Activation::relu : kernels::Activation::silu;
  block.bins = count(card.bins);
  block.tail_bound = card.tail_bound;
  block.min_bin_width = card.min_bin_width;
  block.min_bin_height = card.min_bin_height;
  block.min_derivative = card.min_derivative;
  block.log_scale_bound = card.log_scale_bound;
  return block;
}

}  // namespace

kernels::PackedFlow pack_energy_flow(const ModelCard& card, Weights& weights) {
  kernels::EnergyFlowParameters parameters;
  parameters.n_layers = card.binning.layers.size();
  parameters.n_features = count(card.conditioning.features);
  for (std::size_t b = 0; b < card.flow.blocks.size(); ++b) {
    parameters.blocks.push_back(
        make_block(card.flow.blocks[b], card.flow, b, parameters.n_features, weights));
  }
  for (const int layer : card.preprocessing.layer_order) {
    parameters.layer_order.push_back(static_cast<std::uint32_t>(layer));
  }
  parameters.n_absolute = count(card.preprocessing.n_absolute);
  parameters.knots = card.preprocessing.knots;
  for (const CoordinateCard& from : card.preprocessing.coordinates) {
    parameters.coordinates.push_back(
        {from.mean, from.scale, from.lower, from.upper, from.ceiling, from.sharpness});
  }
  try {
    return kernels::PackedFlow(parameters);
  } catch (const std::invalid_argument& error) {
    throw ModelError(std::string("the engine cannot hold this model (") + error.what() +
                     "): export the model again");
  }
}

}  // namespace fastcaloq::detail
