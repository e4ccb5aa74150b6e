// Shape flows with random parameters, for tests and benchmarks of the kernels.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "random_flow.hpp"

namespace fastcaloq::kernels {

// The shipped photon model's sizes where nothing else is said.
struct ShapeSizes {
  std::vector<ShapeLayer> layers = {{8, 1}, {16, 10}, {19, 10}, {5, 1}, {5, 1}};
  std::size_t stride = 2, offset = 6;
  std::size_t n_features = 6;
  std::size_t units = 5, context = 16, head = 32, bins = 6;
};

inline ShapeParameters random_shape(RandomFlow& random, const ShapeSizes& sizes) {
  ShapeParameters p;
  p.layers = sizes.layers;
  for (const ShapeLayer& layer : sizes.layers) {
    p.radii.emplace_back();
    for (std::size_t r = 0; r < layer.n_rings; ++r)
      p.radii.back().push_back(5.0 + 10.0 * double(r));
  }
  p.stride = sizes.stride;
  p.offset = sizes.offset;
  p.n_features = sizes.n_features;
  p.units = sizes.units;
  p.context = sizes.context;
  p.head = sizes.head;
  p.bins = sizes.bins;
  p.tail_bound = 8.0;
  p.min_bin_width = p.min_bin_height = p.min_derivative = 1e-3;
  p.log_scale_bound = 5.0;
  p.energy_scale = 0.1;
  const ShapeOrder order = shape_order(p.layers, p.stride, p.offset);

  const auto normals = [&random](std::size_t n, double sigma) {
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(sigma * random.normal());
    return values;
  };
  const auto weights = [&](std::size_t n_in, std::size_t n_out, double gain) {
    return normals(n_in * n_out, gain / std::sqrt(static_cast<double>(n_in + 1)));
  };
  const std::size_t n_condition = 2 + 2 * p.layers.size() + p.n_features;
  const std::size_t hidden = p.units * order.groups.size();
  const std::size_t widths[] = {hidden, hidden, p.context * order.coordinates.size()};
  for (std::size_t i = 0; i < 3; ++i) {
    p.condition_weight[i] = weights(n_condition, widths[i], 1.0);
    p.condition_bias[i] = normals(widths[i], 0.1);
  }
  const std::size_t input = p.context + kLocal, parameters = 4 + 3 * p.bins - 1;
  for (std::size_t g = 0; g < order.groups.size(); ++g) {
    const std::size_t size = order.groups[g].size, seen = (g + 1) * p.units;
    ShapeGroupParameters group;
    group.hidden1_weight = weights(2 * order.groups[g].n_known, p.units, 1.5);
    group.hidden2_weight = weights(seen, p.units, 1.5);
    group.context_weight = weights(seen, size * p.context, 1.5);
    group.head1_weight = normals(size * input * p.head, 1.5 / std::sqrt(double(input)));
    group.head1_bias = normals(size * p.head, 0.1);
    group.head2_weight = normals(size * p.head * parameters, 1.5 / std::sqrt(double(p.head)));
    group.head2_bias = normals(size * parameters, 0.3);
    for (std::size_t i = 0; i < size; ++i) {
      group.head2_bias[i * parameters] -= 1.0f;      // some voxels are empty,
      group.head2_bias[i * parameters + 1] -= 2.5f;  // a few take all that is left
    }
    p.groups.push_back(std::move(group));
  }
  return p;
}

// n showers' inputs; every seventh layer energy or so is zero.
struct ShapeInputs {
  std::size_t n = 0;
  std::vector<float> incident_energy, condition, features, layer_energy, latents;

  ShapeInputs(RandomFlow& random, const ShapeView& shape, std::size_t count) : n(count) {
    for (std::size_t i = 0; i < n; ++i) {
      const double c = random.uniform(-1, 1), energy = std::exp(10.4 + 4.85 * c);
      incident_energy.push_back(static_cast<float>(energy));
      condition.push_back(static_cast<float>(c));
      condition.push_back(static_cast<float>(random.uniform(-1, 1)));
      for (std::size_t l = 0; l < shape.n_layers; ++l) {
        const double share = random.uniform(0, 1) < 0.15 ? 0.0 : std::exp(random.uniform(-6, -1));
        layer_energy.push_back(static_cast<float>(energy * share));
      }
    }
    for (std::size_t i = 0; i < n * shape.n_features; ++i) {
      features.push_back(static_cast<float>(random.uniform(-1, 1)));
    }
    for (std::size_t i = 0; i < n * shape.n_coordinates; ++i) {
      latents.push_back(static_cast<float>(random.normal()));
    }
  }
};

}  // namespace fastcaloq::kernels
