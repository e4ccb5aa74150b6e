#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastcaloq/error.hpp"
#include "flow_weights.hpp"

namespace fastcaloq::detail {
namespace {

std::size_t count(int number) {
  return static_cast<std::size_t>(number);
}

/// What the card says, without the weights.
kernels::ShapeParameters architecture(const ModelCard& model) {
  const ShapeCard& card = *model.shape;
  kernels::ShapeParameters p;
  for (const LayerCard& layer : model.binning.layers) {
    const std::size_t n_rings = layer.n_rings();
    p.layers.push_back({n_rings, n_rings == 0 ? 0 : count(layer.n_alpha)});
    p.radii.emplace_back();
    for (std::size_t r = 0; r < n_rings; ++r) {
      p.radii.back().push_back(0.5 * (layer.r_edges[r] + layer.r_edges[r + 1]));
    }
  }
  p.stride = count(card.stride);
  p.offset = count(card.offset);
  p.n_features = count(card.conditioning.features);
  p.units = count(card.units);
  p.context = count(card.context);
  p.head = count(card.head);
  p.bins = count(card.bins);
  p.tail_bound = card.tail_bound;
  p.min_bin_width = card.min_bin_width;
  p.min_bin_height = card.min_bin_height;
  p.min_derivative = card.min_derivative;
  p.log_scale_bound = card.log_scale_bound;
  p.energy_scale = card.energy_scale;
  return p;
}

void read_condition(kernels::ShapeParameters& p, std::size_t n_groups, std::size_t n_coordinates,
                    Weights& weights) {
  const std::size_t n_condition = 2 + 2 * p.layers.size() + p.n_features;
  const std::size_t hidden = p.units * n_groups;
  const std::size_t widths[3] = {hidden, hidden, p.context * n_coordinates};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = "shape.condition" + std::to_string(i + 1);
    p.condition_weight[i] = weights.floats(name + ".weight", {n_condition, widths[i]});
    p.condition_bias[i] = weights.floats(name + ".bias", {widths[i]});
  }
}

kernels::ShapeGroupParameters read_group(const kernels::ShapeParameters& p, std::size_t index,
                                         const kernels::ShapeGroup& group, Weights& weights) {
  const std::string name = "shape.group" + std::to_string(index);
  const std::size_t above = (index + 1) * p.units;  // hidden units of this group and those before
  const std::size_t n_parameters = 4 + 3 * p.bins - 1;
  const std::size_t n_inputs = p.context + kernels::kLocal;
  kernels::ShapeGroupParameters g;
  if (group.n_known > 0) {
    // Every value as an energy and as a share of its layer's.
    g.hidden1_weight = weights.floats(name + ".hidden1.weight", {2 * group.n_known, p.units});
  }
  g.hidden2_weight = weights.floats(name + ".hidden2.weight", {above, p.units});
  g.context_weight = weights.floats(name + ".context.weight", {above, group.size * p.context});
  g.head1_weight = weights.floats(name + ".head1.weight", {group.size, n_inputs, p.head});
  g.head1_bias = weights.floats(name + ".head1.bias", {group.size, p.head});
  g.head2_weight = weights.floats(name + ".head2.weight", {group.size, p.head, n_parameters});
  g.head2_bias = weights.floats(name + ".head2.bias", {group.size, n_parameters});
  return g;
}

}  // namespace

kernels::PackedShape pack_shape_flow(const ModelCard& card, Weights& weights) {
  try {
    kernels::ShapeParameters p = architecture(card);
    const kernels::ShapeOrder order = kernels::shape_order(p.layers, p.stride, p.offset);
    read_condition(p, order.groups.size(), order.coordinates.size(), weights);
    for (std::size_t g = 0; g < order.groups.size(); ++g) {
      p.groups.push_back(read_group(p, g, order.groups[g], weights));
    }
    return kernels::PackedShape(p);
  } catch (const std::invalid_argument& error) {
    throw ModelError(std::string("the engine cannot hold this model's shape (") + error.what() +
                     "): export the model again");
  }
}

}  // namespace fastcaloq::detail
