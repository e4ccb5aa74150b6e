#include "circuit_weights.hpp"

#include <cstddef>
#include <utility>

namespace fastcaloq::detail {
namespace {

constexpr double radians_to_turns = 0.15915494309189535;  // 1 / (2 pi)

kernels::MlpLayer layer(std::size_t n_in, std::size_t n_out) {
  return {n_in, n_out, std::vector<float>(n_in * n_out), std::vector<float>(n_out)};
}

// Angles whose second half is the first one, mirrored, with the other sign: rotations of single
// qubits are such, because flipping all of them changes the sign.
bool mirrored(const std::vector<float>& phases, std::size_t n_in, std::size_t d) {
  for (std::size_t p = 0; p < n_in; ++p) {
    for (std::size_t k = 0; k < d / 2; ++k) {
      if (phases[p * d + k] != -phases[p * d + d - 1 - k]) return false;
    }
  }
  return true;
}

// Angles in turns, of the first `turns` amplitudes.
kernels::MlpLayer phase_layer(const std::vector<float>& phases, std::size_t n_in, std::size_t d,
                              std::size_t turns) {
  kernels::MlpLayer out = layer(n_in, turns);
  for (std::size_t p = 0; p < n_in; ++p) {
    for (std::size_t k = 0; k < turns; ++k) {
      out.weight[p * turns + k] = static_cast<float>(radians_to_turns * phases[p * d + k]);
    }
  }
  return out;
}

// The first upload starts from a constant state (re, im), so its row is linear in cos and sin of
// the angles: amplitude k is (re cos + im sin, im cos - re sin).
kernels::MlpLayer first_matrix(const std::vector<float>& matrix, const std::vector<float>& initial,
                               std::size_t d, std::size_t turns) {
  kernels::MlpLayer out = layer(2 * turns, 2 * d);
  for (std::size_t k = 0; k < d; ++k) {
    const double re = initial[k], im = initial[d + k];
    const bool other = k >= turns;  // its angle is minus that of its mirror image
    const std::size_t from = other ? d - 1 - k : k;
    const double sign = other ? -1.0 : 1.0;
    for (std::size_t o = 0; o < 2 * d; ++o) {
      const double real = matrix[k * 2 * d + o], imaginary = matrix[(d + k) * 2 * d + o];
      float& cosine = out.weight[from * 2 * d + o];
      float& sine = out.weight[(turns + from) * 2 * d + o];
      cosine = static_cast<float>(cosine + re * real + im * imaginary);
      sine = static_cast<float>(sine + sign * (im * real - re * imaginary));
    }
  }
  return out;
}

kernels::CircuitLayers circuit(const CircuitCard& card, std::size_t n_features,
                               const std::string& prefix, Weights& weights) {
  const std::size_t d = std::size_t{1} << card.n_qubits;
  const auto inputs = static_cast<std::size_t>(card.n_inputs);
  const std::size_t n_in = card.monomial_degree == 1 ? inputs : inputs + inputs * (inputs + 1) / 2;
  const int uploads = card.reuploading ? card.n_layers : 1;
  const std::vector<float> initial = weights.floats(prefix + ".initial_state", {2 * d});
  kernels::CircuitLayers out;
  for (int u = 0; u < uploads; ++u) {
    const std::string name = prefix + "." + std::to_string(u);
    const std::vector<float> phases = weights.floats(name + ".phases", {n_in, d});
    const std::vector<float> matrix = weights.floats(name + ".matrix", {2 * d, 2 * d});
    const std::size_t turns = u == 0 && mirrored(phases, n_in, d) ? d / 2 : d;
    out.phases.push_back(phase_layer(phases, n_in, d, turns));
    if (u == 0) {
      out.matrices.push_back(first_matrix(matrix, initial, d, turns));
    } else {
      out.matrices.push_back(layer(2 * d, 2 * d));
      out.matrices.back().weight = matrix;
    }
  }
  const std::vector<float> readout = weights.floats(prefix + ".readout", {d, n_features});
  out.readout = layer(2 * d, n_features);  // of re^2, then of im^2
  for (std::size_t i = 0; i < 2 * d * n_features; ++i) {
    out.readout.weight[i] = readout[i % (d * n_features)];
  }
  return out;
}

// Products of Z that are measured: one per qubit and, on request, one per pair of neighbours on a
// ring, as the exporter counts them.
std::size_t measured(const CircuitCard& card) {
  const auto n = static_cast<std::size_t>(card.n_qubits);
  if (card.observables != "z_zz" || n == 1) return n;
  return n == 2 ? 3 : 2 * n;
}

}  // namespace

std::vector<kernels::CircuitLayers> circuits(const SubnetCard& card, const std::string& prefix,
                                             Weights& weights) {
  std::vector<kernels::CircuitLayers> found;
  for (int g = 0; g < card.networks; ++g) {
    found.push_back(circuit(card.circuit, measured(card.circuit),
                            prefix + ".circuit" + std::to_string(g), weights));
  }
  return found;
}

}  // namespace fastcaloq::detail
