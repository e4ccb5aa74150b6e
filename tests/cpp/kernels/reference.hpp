// The energy flow written straight from its definition, one shower at a time, in any precision.
// In double it is the truth of the kernel tests; in float it shows how much error single precision
// makes by itself, which is what the kernels' error is measured against.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine.hpp"

namespace fastcaloq::kernels::reference {

template <class T>
T activate(Activation activation, T x) {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? x : T(0);
    case Activation::silu:
      return x / (T(1) + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::none:
      break;
  }
  return x;
}

template <class T>
std::vector<T> linear(const MlpLayer& layer, const std::vector<T>& x) {
  std::vector<T> y(layer.bias.begin(), layer.bias.end());
  for (std::size_t k = 0; k < layer.n_in; ++k) {
    for (std::size_t o = 0; o < layer.n_out; ++o) {
      y[o] += static_cast<T>(layer.weight[k * layer.n_out + o]) * x[k];
    }
  }
  return y;
}

// Inputs: passive coordinates and context.
template <class T>
std::vector<T> measured(const CouplingBlock& block, std::vector<T> x) {
  for (std::size_t i = 0; i < block.n_passive; ++i) {
    x[i] = std::tanh(x[i] / static_cast<T>(block.coordinate_scale));
  }
  std::vector<T> monomials = x;
  for (std::size_t p = 0; block.monomial_degree == 2 && p < x.size(); ++p) {
    for (std::size_t q = p; q < x.size(); ++q) monomials.push_back(x[p] * x[q]);
  }
  const T turn = static_cast<T>(6.283185307179586);
  std::vector<T> features;
  for (const CircuitLayers& circuit : block.circuits) {
    std::vector<T> row;
    for (std::size_t u = 0; u < circuit.phases.size(); ++u) {
      const std::vector<T> turns = linear(circuit.phases[u], monomials);
      const std::size_t d = turns.size();
      std::vector<T> turned(2 * d);
      for (std::size_t k = 0; k < d; ++k) {
        const T cosine = std::cos(turn * turns[k]), sine = std::sin(turn * turns[k]);
        turned[k] = u == 0 ? cosine : row[k] * cosine + row[d + k] * sine;
        turned[d + k] = u == 0 ? sine : row[d + k] * cosine - row[k] * sine;
      }
      row = linear(circuit.matrices[u], turned);
    }
    for (T& amplitude : row) amplitude *= amplitude;
    const std::vector<T> found = linear(circuit.readout, row);
    features.insert(features.end(), found.begin(), found.end());
  }
  return features;
}

template <class T>
std::vector<T> subnet(const CouplingBlock& block, std::vector<T> x) {
  if (!block.circuits.empty()) x = measured(block, x);
  for (std::size_t i = 0; i < block.subnet.size(); ++i) {
    x = linear(block.subnet[i], x);
    if (i + 1 == block.subnet.size()) break;
    for (T& value : x) value = activate(block.activation, value);
  }
  return x;
}

template <class T>
std::vector<T> knots(const std::vector<T>& raw, double minimum, double bound) {
  const std::size_t bins = raw.size();
  T largest = raw[0], sum = 0, position = 0;
  for (const T r : raw) largest = r > largest ? r : largest;
  for (const T r : raw) sum += std::exp(r - largest);
  const T floor = static_cast<T>(minimum), edge = static_cast<T>(bound);
  std::vector<T> result = {-edge};
  for (std::size_t k = 0; k + 1 < bins; ++k) {
    position += floor + (1 - floor * static_cast<T>(bins)) * std::exp(raw[k] - largest) / sum;
    result.push_back(-edge + 2 * edge * position);
  }
  result.push_back(edge);
  return result;
}

// theta: bins raw widths, bins raw heights, bins - 1 raw derivatives.
template <class T>
T spline_inverse(const CouplingBlock& block, const std::vector<T>& theta, T y) {
  const T bound = static_cast<T>(block.tail_bound);
  if (y <= -bound || y >= bound) return y;
  const auto first = theta.begin();
  const auto bins = static_cast<std::ptrdiff_t>(block.bins);
  const auto x_knots =
      knots(std::vector<T>(first, first + bins), block.min_bin_width, block.tail_bound);
  const auto y_knots =
      knots(std::vector<T>(first + bins, first + 2 * bins), block.min_bin_height, block.tail_bound);
  const T offset = static_cast<T>(std::log(std::exp(1 - block.min_derivative) - 1));
  std::vector<T> d(block.bins + 1, T(1));
  for (std::size_t k = 1; k < block.bins; ++k) {
    const T raw = theta[2 * block.bins + k - 1] + offset;
    const T softplus = (raw > 0 ? raw : T(0)) + std::log1p(std::exp(-std::abs(raw)));
    d[k] = static_cast<T>(block.min_derivative) + softplus;
  }
  std::size_t k = 0;
  while (k + 1 < block.bins && y >= y_knots[k + 1]) ++k;
  const T w = x_knots[k + 1] - x_knots[k], h = y_knots[k + 1] - y_knots[k], s = h / w;
  const T eta = y - y_knots[k], bend = d[k] + d[k + 1] - 2 * s;
  const T a = h * (s - d[k]) + eta * bend, b = h * d[k] - eta * bend, c = -s * eta;
  const T discriminant = b * b - 4 * a * c;
  const T xi = 2 * c / (-b - std::sqrt(discriminant > 0 ? discriminant : T(0)));
  return x_knots[k] + xi * w;
}

template <class T>
T affine_inverse(const CouplingBlock& block, T raw, T shift, T y) {
  const T bound = static_cast<T>(block.log_scale_bound);
  return (y - shift) * std::exp(-bound * std::tanh(raw / bound));
}

template <class T>
std::vector<T> block_inverse(const CouplingBlock& block, const std::vector<T>& z,
                             const std::vector<T>& context) {
  std::vector<T> input(z.begin(), z.begin() + static_cast<std::ptrdiff_t>(block.n_passive));
  input.insert(input.end(), context.begin(), context.end());
  const std::vector<T> theta = subnet(block, input);
  std::vector<T> v = z;
  for (std::size_t a = 0; a < block.n_active; ++a) {
    std::vector<T> own;
    for (std::size_t p = a; p < theta.size(); p += block.n_active) own.push_back(theta[p]);
    T& value = v[block.n_passive + a];
    value = block.kind == CouplingKind::spline ? spline_inverse(block, own, value)
                                               : affine_inverse(block, own[0], own[1], value);
  }
  std::vector<T> x(z.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    const std::size_t to = block.permutation[j];
    x[to] =
        v[j] / static_cast<T>(block.actnorm_scale[to]) - static_cast<T>(block.actnorm_shift[to]);
  }
  return x;
}

template <class T>
T piecewise_linear(const std::vector<double>& knots, const std::vector<double>& values, T at) {
  if (knots.size() == 1) return static_cast<T>(values[0]);
  std::size_t i = 0;
  while (i + 2 < knots.size() && at >= static_cast<T>(knots[i + 1])) ++i;
  const T step = static_cast<T>(knots[i + 1]) - static_cast<T>(knots[i]);
  const T slope = (static_cast<T>(values[i + 1]) - static_cast<T>(values[i])) / step;
  return static_cast<T>(values[i]) + slope * (at - static_cast<T>(knots[i]));
}

template <class T>
std::vector<T> energies(const EnergyFlowParameters& flow, T incident, const std::vector<T>& x) {
  const T log_energy = std::log(incident);
  std::vector<T> result(flow.n_layers, T(0));
  T rest = 0;
  for (std::size_t k = 0; k < flow.n_layers; ++k) {
    const Coordinate& c = flow.coordinates[k];
    const T kappa = static_cast<T>(c.sharpness);
    T y = x[k];
    if (c.lower && y < static_cast<T>(*c.lower)) {
      if (k == 0) rest = 0;
      continue;  // the layer stays empty
    }
    if (c.upper && y > static_cast<T>(*c.upper)) {
      result[flow.layer_order[k - 1]] = rest;
      rest = 0;
      continue;
    }
    const T from = c.lower ? static_cast<T>(*c.lower) : T(0);
    const T to = c.upper ? static_cast<T>(*c.upper) : T(0);
    if (c.lower && c.upper) {
      y = from + (std::log(std::expm1(kappa * (x[k] - from))) -
                  std::log(-std::expm1(kappa * (x[k] - to)))) /
                     kappa;
    } else if (c.lower) {
      y = from + std::log(std::expm1(kappa * (x[k] - from))) / kappa;
    } else if (c.upper) {
      y = to - std::log(std::expm1(kappa * (to - x[k]))) / kappa;
    }
    if (c.ceiling) {
      const T top = static_cast<T>(*c.ceiling);
      y -= std::log1p(std::exp(kappa * (y - top))) / kappa;
    }
    const T t = piecewise_linear(flow.knots, c.mean, log_energy) +
                piecewise_linear(flow.knots, c.scale, log_energy) * y;
    if (k == 0) {
      rest = incident * std::exp(t);
    } else if (k <= flow.n_absolute) {
      result[flow.layer_order[k - 1]] = incident * std::exp(t);
    } else {
      result[flow.layer_order[k - 1]] = rest / (1 + std::exp(-t));
      rest = rest / (1 + std::exp(t));
    }
  }
  result[flow.layer_order[flow.n_layers - 1]] = rest;
  return result;
}

// Layer energies [L] in MeV of one shower.
template <class T>
std::vector<T> sample(const EnergyFlowParameters& flow, float incident, const float* condition,
                      const float* features, const float* latents) {
  std::vector<T> context(condition, condition + 2);
  context.insert(context.end(), features, features + flow.n_features);
  std::vector<T> x(latents, latents + flow.n_layers);
  for (std::size_t b = flow.blocks.size(); b-- > 0;) x = block_inverse(flow.blocks[b], x, context);
  return energies(flow, static_cast<T>(incident), x);
}

}  // namespace fastcaloq::kernels::reference
