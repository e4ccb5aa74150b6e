// Refuses shape flows whose parts contradict each other, before anything is packed.
#include <stdexcept>
#include <string>

#include "packing.hpp"

namespace fastcaloq::kernels {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw std::invalid_argument(reason);
}

void check_size(const std::vector<float>& array, std::size_t size, const std::string& what) {
  if (array.size() == size) return;
  refuse(what + " holds " + std::to_string(array.size()) + " numbers, not " + std::to_string(size));
}

}  // namespace

CouplingBlock elementwise(const ShapeParameters& p) {
  CouplingBlock block;
  block.kind = CouplingKind::spline;
  block.bins = p.bins;
  block.tail_bound = p.tail_bound;
  block.min_bin_width = p.min_bin_width;
  block.min_bin_height = p.min_bin_height;
  block.min_derivative = p.min_derivative;
  block.log_scale_bound = p.log_scale_bound;
  return block;
}

void check_parameters(const ShapeParameters& p, const ShapeOrder& order) {
  if (p.units == 0 || p.context == 0 || p.head == 0) {
    refuse("shape: units, context and head must be at least 1");
  }
  if (!(p.energy_scale > 0)) refuse("shape: energy_scale must be positive");
  CouplingBlock block = elementwise(p);
  check_elementwise(block, "shape");
  block.kind = CouplingKind::affine;  // the log scale has the bound of an affine block
  check_elementwise(block, "shape");

  if (p.radii.size() != p.layers.size()) refuse("shape: radii are not given for every layer");
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    if (p.radii[l].size() != p.layers[l].n_rings) refuse("shape: a ring lacks its radius");
  }
  const std::size_t n_condition = 2 + 2 * p.layers.size() + p.n_features;
  const std::size_t hidden = p.units * order.groups.size();
  const std::size_t widths[] = {hidden, hidden, order.coordinates.size() * p.context};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string what = "shape.condition" + std::to_string(i + 1);
    check_size(p.condition_weight[i], n_condition * widths[i], what + ".weight");
    check_size(p.condition_bias[i], widths[i], what + ".bias");
  }
  if (p.groups.size() != order.groups.size()) {
    refuse("shape has " + std::to_string(p.groups.size()) + " groups, its voxels are drawn in " +
           std::to_string(order.groups.size()));
  }
  const std::size_t n_in = p.context + kLocal, parameters = 4 + 3 * p.bins - 1;
  for (std::size_t g = 0; g < p.groups.size(); ++g) {
    const ShapeGroupParameters& group = p.groups[g];
    const std::string what = "shape.group" + std::to_string(g);
    const std::size_t size = order.groups[g].size, seen = (g + 1) * p.units;
    check_size(group.hidden1_weight, 2 * order.groups[g].n_known * p.units,
               what + ".hidden1.weight");
    check_size(group.hidden2_weight, seen * p.units, what + ".hidden2.weight");
    check_size(group.context_weight, seen * size * p.context, what + ".context.weight");
    check_size(group.head1_weight, size * n_in * p.head, what + ".head1.weight");
    check_size(group.head1_bias, size * p.head, what + ".head1.bias");
    check_size(group.head2_weight, size * p.head * parameters, what + ".head2.weight");
    check_size(group.head2_bias, size * parameters, what + ".head2.bias");
  }
}

}  // namespace fastcaloq::kernels
