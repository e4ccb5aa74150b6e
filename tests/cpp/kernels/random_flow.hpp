// Energy flows with random parameters, for tests and benchmarks of the kernels.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "engine.hpp"

namespace fastcaloq::kernels {

struct FlowShape {
  std::size_t n_layers = 5;
  std::size_t n_features = 6;
  std::size_t n_blocks = 8;
  std::vector<std::size_t> hidden = {64, 64};
  std::size_t bins = 8;
  CouplingKind kind = CouplingKind::spline;
  bool mixed = false;  // affine and spline blocks in turn
  Activation activation = Activation::relu;
  std::size_t n_knots = 15;
  std::size_t n_absolute = 1;  // chain elements that stand alone
  bool bounded = true;         // zero-energy bounds, every kind of them
  std::size_t n_circuits = 0;  // per block, in place of hidden layers
  std::size_t n_qubits = 3;
  std::size_t n_uploads = 1;
  std::size_t monomial_degree = 1;
  bool mirrored = true;  // the first angles come in pairs of opposite sign
};

class RandomFlow {
 public:
  explicit RandomFlow(std::uint64_t seed) : engine_(seed) {}

  double uniform(double low, double high) {
    // Not std::uniform_real_distribution: its numbers differ between standard libraries.
    const double u = static_cast<double>(engine_() >> 11) * 0x1p-53;
    return low + (high - low) * u;
  }
  double normal() {
    return std::sqrt(-2 * std::log(uniform(1e-300, 1))) * std::cos(uniform(0, 6.283185307179586));
  }
  std::vector<std::uint32_t> permutation(std::size_t n) {
    std::vector<std::uint32_t> p(n);
    std::iota(p.begin(), p.end(), 0u);
    for (std::size_t i = n; i > 1; --i) std::swap(p[i - 1], p[engine_() % i]);
    return p;
  }

  MlpLayer layer(std::size_t n_in, std::size_t n_out, double gain) {
    MlpLayer result{n_in, n_out, std::vector<float>(n_in * n_out), std::vector<float>(n_out)};
    const double sigma = gain / std::sqrt(static_cast<double>(n_in));
    for (float& w : result.weight) w = static_cast<float>(sigma * normal());
    for (float& b : result.bias) b = static_cast<float>(0.1 * normal());
    return result;
  }

  // Matrices are not unitary: the kernels do not care, and amplitudes stay about as large.
  CircuitLayers circuit(const FlowShape& shape, std::size_t inputs, std::size_t seed) {
    const std::size_t d = std::size_t{1} << shape.n_qubits;
    const std::size_t m = shape.monomial_degree == 1 ? inputs : inputs + inputs * (inputs + 1) / 2;
    CircuitLayers result;
    for (std::size_t u = 0; u < shape.n_uploads; ++u) {
      const std::size_t turns = u == 0 && shape.mirrored ? d / 2 : d;
      result.phases.push_back(layer(m, turns, 0.3 * static_cast<double>(1 + seed % 3)));
      result.matrices.push_back(layer(2 * turns, 2 * d, 1.0));
    }
    result.readout = layer(2 * d, shape.n_qubits, 1.0);
    return result;
  }

  CouplingBlock block(const FlowShape& shape, std::size_t index) {
    CouplingBlock b;
    b.kind = shape.mixed && index % 2 == 1 ? CouplingKind::affine : shape.kind;
    // Odd counts: the larger half is active in even blocks. At least one coordinate is active.
    b.n_passive = shape.n_layers / 2 + (index % 2) * (shape.n_layers % 2);
    if (b.n_passive == shape.n_layers) b.n_passive = 0;
    b.n_active = shape.n_layers - b.n_passive;
    b.permutation = permutation(shape.n_layers);
    for (std::size_t i = 0; i < shape.n_layers; ++i) {
      const double sign = uniform(0, 1) < 0.2 ? -1 : 1;
      b.actnorm_scale.push_back(static_cast<float>(sign * uniform(0.6, 1.6)));
      b.actnorm_shift.push_back(static_cast<float>(0.3 * normal()));
    }
    b.activation = shape.activation;
    b.bins = shape.bins;
    b.tail_bound = 5.0;
    b.min_bin_width = b.min_bin_height = b.min_derivative = 1e-3;
    b.log_scale_bound = 3.0;
    std::size_t width = b.n_passive + 2 + shape.n_features;
    b.monomial_degree = shape.monomial_degree;
    b.coordinate_scale = 2.5;
    for (std::size_t g = 0; g < shape.n_circuits; ++g) {
      b.circuits.push_back(circuit(shape, width, shape.n_qubits + g));
    }
    if (shape.n_circuits > 0) width = shape.n_circuits * shape.n_qubits;
    for (const std::size_t hidden : shape.hidden) {
      b.subnet.push_back(layer(width, hidden, 1.4));
      width = hidden;
    }
    const std::size_t parameters = b.kind == CouplingKind::spline ? 3 * shape.bins - 1 : 2;
    b.subnet.push_back(layer(width, parameters * b.n_active, 0.7));
    return b;
  }

  Coordinate coordinate(const FlowShape& shape, std::size_t index) {
    Coordinate c;
    for (std::size_t i = 0; i < shape.n_knots; ++i) {
      c.mean.push_back(0.3 * normal());
      c.scale.push_back(uniform(0.4, 1.2));
    }
    c.sharpness = uniform(2, 12);
    if (shape.bounded) {
      if (index % 3 != 2) c.lower = uniform(-2.0, -0.8);
      if (index % 3 != 0 && index > shape.n_absolute) c.upper = uniform(0.8, 2.0);
      if (!c.upper && index % 2 == 0) c.ceiling = uniform(0.8, 2.0);
    }
    return c;
  }

  EnergyFlowParameters flow(const FlowShape& shape) {
    EnergyFlowParameters p;
    p.n_layers = shape.n_layers;
    p.n_features = shape.n_features;
    p.n_absolute = shape.n_absolute;
    for (std::size_t b = 0; b < shape.n_blocks; ++b) p.blocks.push_back(block(shape, b));
    p.layer_order = permutation(shape.n_layers);
    const double low = std::log(256.0), high = std::log(4194304.0);
    for (std::size_t i = 0; i < shape.n_knots; ++i) {
      const double n = static_cast<double>(shape.n_knots > 1 ? shape.n_knots - 1 : 1);
      p.knots.push_back(low + (high - low) * static_cast<double>(i) / n);
    }
    for (std::size_t k = 0; k < shape.n_layers; ++k) p.coordinates.push_back(coordinate(shape, k));
    return p;
  }

 private:
  std::mt19937_64 engine_;
};

// n showers' inputs: energies log-uniform over the usual range, features in [-1, 1].
struct FlowInputs {
  std::size_t n = 0;
  std::vector<float> incident_energy, condition, features, latents;

  FlowInputs(RandomFlow& random, const EnergyFlowParameters& flow, std::size_t count) : n(count) {
    for (std::size_t i = 0; i < n; ++i) {
      const double c = random.uniform(-1, 1);
      incident_energy.push_back(static_cast<float>(std::exp(10.4 + 4.85 * c)));
      condition.push_back(static_cast<float>(c));
      condition.push_back(static_cast<float>(random.uniform(-1, 1)));
    }
    for (std::size_t i = 0; i < n * flow.n_features; ++i) {
      features.push_back(static_cast<float>(random.uniform(-1, 1)));
    }
    for (std::size_t i = 0; i < n * flow.n_layers; ++i) {
      latents.push_back(static_cast<float>(random.normal()));
    }
  }
};

}  // namespace fastcaloq::kernels
