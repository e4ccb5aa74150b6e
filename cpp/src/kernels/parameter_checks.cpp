// Refuses flows whose parts contradict each other, before anything is packed.
#include <cmath>
#include <stdexcept>
#include <string>

#include "engine.hpp"
#include "packing.hpp"

namespace fastcaloq::kernels {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw std::invalid_argument(reason);
}

void check_permutation(const std::vector<std::uint32_t>& permutation, std::size_t n,
                       const std::string& what) {
  std::vector<bool> seen(n, false);
  bool good = permutation.size() == n;
  for (std::size_t i = 0; good && i < n; ++i) {
    good = permutation[i] < n && !seen[permutation[i]];
    if (good) seen[permutation[i]] = true;
  }
  if (!good) refuse(what + " is not a permutation of " + std::to_string(n) + " layers");
}

std::size_t parameters_per_element(const CouplingBlock& block) {
  return block.kind == CouplingKind::spline ? 3 * block.bins - 1 : 2;
}

void check_takes(const MlpLayer& layer, std::size_t n_in, const std::string& name) {
  check_layer(layer, name);
  if (layer.n_in != n_in) {
    refuse(name + " takes " + std::to_string(layer.n_in) + " inputs, not " + std::to_string(n_in));
  }
}

// The circuits of a block that see `inputs` numbers; returns how many features they measure.
std::size_t check_circuits(const CouplingBlock& block, std::size_t inputs,
                           const std::string& what) {
  if (block.monomial_degree != 1 && block.monomial_degree != 2) {
    refuse(what + ": monomials are of degree 1 or 2");
  }
  if (!(block.coordinate_scale > 0)) refuse(what + ": coordinate_scale must be positive");
  std::size_t measured = 0;
  for (std::size_t g = 0; g < block.circuits.size(); ++g) {
    const CircuitLayers& circuit = block.circuits[g];
    const std::string name = what + ".circuit" + std::to_string(g);
    const std::size_t d = circuit.readout.n_in / 2;
    if (circuit.phases.empty() || circuit.phases.size() != circuit.matrices.size()) {
      refuse(name + " needs as many matrices as uploads, at least one");
    }
    check_takes(circuit.readout, 2 * d, name + ".readout");
    if (d == 0 || (d & (d - 1)) != 0) refuse(name + ": amplitudes are no power of two");
    for (std::size_t u = 0; u < circuit.phases.size(); ++u) {
      const MlpLayer& phases = circuit.phases[u];
      const std::string upload = name + "." + std::to_string(u);
      check_takes(phases, monomials(inputs, block.monomial_degree), upload + ".phases");
      // The first angles may come in pairs of opposite sign, one of which is enough.
      if (phases.n_out != d && (u > 0 || 2 * phases.n_out != d)) {
        refuse(upload + ".phases gives " + std::to_string(phases.n_out) + " angles for " +
               std::to_string(d) + " amplitudes");
      }
      check_takes(circuit.matrices[u], 2 * phases.n_out, upload + ".matrix");
      if (circuit.matrices[u].n_out != 2 * d) {
        refuse(upload + ".matrix gives no row of " + std::to_string(d) + " amplitudes");
      }
    }
    measured += circuit.readout.n_out;
  }
  return measured;
}

void check_block(const CouplingBlock& block, const EnergyFlowParameters& p,
                 const std::string& what) {
  const std::size_t n = p.n_layers;
  if (block.n_passive + block.n_active != n || block.n_active == 0) {
    refuse(what + ": passive " + std::to_string(block.n_passive) + " and active " +
           std::to_string(block.n_active) + " do not make " + std::to_string(n) + " layers");
  }
  check_permutation(block.permutation, n, what + ".permutation");
  if (block.actnorm_scale.size() != n || block.actnorm_shift.size() != n) {
    refuse(what + ".actnorm needs " + std::to_string(n) + " scales and shifts");
  }
  for (const float scale : block.actnorm_scale) {
    if (!(std::abs(scale) > 0) || !std::isfinite(scale)) {
      refuse(what + ".actnorm.scale must be finite and not zero: it is divided by");
    }
  }
  check_elementwise(block, what);
  if (block.subnet.empty()) refuse(what + ".subnet has no layer");
  std::size_t width = block.n_passive + 2 + p.n_features;
  if (!block.circuits.empty()) width = check_circuits(block, width, what + ".subnet");
  for (std::size_t i = 0; i < block.subnet.size(); ++i) {
    const std::string name = what + ".subnet." + std::to_string(i);
    check_takes(block.subnet[i], width, name);
    width = block.subnet[i].n_out;
  }
  if (width != parameters_per_element(block) * block.n_active) {
    refuse(what + ".subnet gives " + std::to_string(width) + " parameters, not " +
           std::to_string(parameters_per_element(block) * block.n_active));
  }
}

void check_preprocessing(const EnergyFlowParameters& p) {
  check_permutation(p.layer_order, p.n_layers, "layer_order");
  if (p.n_absolute >= p.n_layers) {
    refuse("n_absolute " + std::to_string(p.n_absolute) + " leaves none of " +
           std::to_string(p.n_layers) + " layers to share the rest");
  }
  if (p.knots.empty()) refuse("the preprocessing has no knots");
  for (std::size_t i = 1; i < p.knots.size(); ++i) {
    if (!(p.knots[i] > p.knots[i - 1])) refuse("the preprocessing's knots do not ascend");
  }
  if (p.coordinates.size() != p.n_layers) {
    refuse("the preprocessing has " + std::to_string(p.coordinates.size()) + " coordinates, not " +
           std::to_string(p.n_layers));
  }
  for (std::size_t k = 0; k < p.n_layers; ++k) {
    const Coordinate& c = p.coordinates[k];
    const std::string what = "coordinate " + std::to_string(k);
    if (c.mean.size() != p.knots.size() || c.scale.size() != p.knots.size()) {
      refuse(what + " needs one mean and one scale per knot");
    }
    if (k <= p.n_absolute && c.upper) {
      refuse(what + " is no fraction: it cannot have an upper bound");
    }
    if (c.upper && c.ceiling) refuse(what + " has both an upper bound and a ceiling");
    if (!(c.sharpness > 0)) refuse(what + ": sharpness must be positive");
    if (c.lower && c.upper && !(*c.lower < *c.upper)) refuse(what + ": lower must be below upper");
  }
}

}  // namespace

void check_elementwise(const CouplingBlock& block, const std::string& what) {
  if (block.kind == CouplingKind::affine) {
    if (!(block.log_scale_bound > 0)) refuse(what + ": log_scale_bound must be positive");
    return;
  }
  if (block.bins < 1 || block.bins > 1024) refuse(what + ": bins must be from 1 to 1024");
  if (!(block.tail_bound > 0)) refuse(what + ": tail_bound must be positive");
  const double bins = static_cast<double>(block.bins);
  if (!(block.min_bin_width > 0 && block.min_bin_width * bins <= 1) ||
      !(block.min_bin_height > 0 && block.min_bin_height * bins <= 1)) {
    refuse(what + ": min_bin_width and min_bin_height must be positive and at most 1 / bins");
  }
  if (!(block.min_derivative > 0 && block.min_derivative < 1)) {
    refuse(what + ": min_derivative must be between 0 and 1");
  }
}

void check_parameters(const EnergyFlowParameters& p) {
  if (p.n_layers == 0) refuse("the flow has no layers");
  for (std::size_t b = 0; b < p.blocks.size(); ++b) {
    check_block(p.blocks[b], p, "block" + std::to_string(b));
  }
  check_preprocessing(p);
}

}  // namespace fastcaloq::kernels
