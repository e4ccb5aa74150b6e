// The condition of a shower and the precomputed conditioner features.
#pragma once

#include "math.hpp"
#include "views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

static void condition_kernel(const ConditionView& view, const float* incident_energy,
                             const float* eta, float* c, float* log_energy, std::size_t n) {
  alignas(64) float energies[kLanes], etas[kLanes], logs[kLanes], first_row[kLanes],
      second_row[kLanes];
  for (std::size_t first = 0; first < n; first += kLanes) {
    const std::size_t count = n - first < kLanes ? n - first : kLanes;
    for (std::size_t i = 0; i < kLanes; ++i) {
      energies[i] = i < count ? incident_energy[first + i] : 1.0f;
      etas[i] = i < count ? eta[first + i] : 0.0f;
    }
    const F log_e = log(load(energies));
    store(logs, log_e);
    store(first_row, (log_e - set1(view.log_energy_center)) / set1(view.log_energy_half_width));
    store(second_row, (abs(load(etas)) - set1(view.eta_center)) / set1(view.eta_half_width));
    for (std::size_t i = 0; i < count; ++i) {
      c[2 * (first + i)] = first_row[i];
      c[2 * (first + i) + 1] = second_row[i];
      if (log_energy != nullptr) log_energy[first + i] = logs[i];
    }
  }
}

// Weights of the cubic through nodes 0, 1, 2, 3 at the place f of the grid, first node `node`.
struct Cubic {
  std::size_t node;
  float weight[4];
};

FASTCALOQ_INLINE Cubic cubic(float x, float low, float inverse_step, std::size_t nodes) {
  const float s = (x - low) * inverse_step;
  const float last = static_cast<float>(nodes - 4);
  float start = s - 1.0f;
  if (!(start > 0.0f)) start = 0.0f;  // NaN too
  if (start > last) start = last;
  Cubic result;
  result.node = static_cast<std::size_t>(start);
  const float f = s - static_cast<float>(result.node);
  const float f1 = f - 1.0f, f2 = f - 2.0f, f3 = f - 3.0f;
  result.weight[0] = -(f1 * f2 * f3) * (1.0f / 6.0f);
  result.weight[1] = f * f2 * f3 * 0.5f;
  result.weight[2] = -(f * f1 * f3) * 0.5f;
  result.weight[3] = f * f1 * f2 * (1.0f / 6.0f);
  return result;
}

static void table_features_kernel(const TableView& table, const float* log_energy, const float* eta,
                                  float* features, std::size_t n) {
  const std::size_t width = table.n_features;
  const std::size_t eta_nodes = table.n_eta == 1 ? 1 : 4;
  alignas(64) float row[kLanes];
  for (std::size_t i = 0; i < n; ++i) {
    const Cubic energy =
        cubic(log_energy[i], table.log_energy_low, table.inverse_energy_step, table.n_energy);
    Cubic angle = {0, {1.0f, 0.0f, 0.0f, 0.0f}};
    if (eta_nodes == 4) {
      const float absolute = eta[i] < 0.0f ? -eta[i] : eta[i];
      angle = cubic(absolute, table.eta_low, table.inverse_eta_step, table.n_eta);
    }
    for (std::size_t q = 0; q < width; q += kLanes) {
      F sum = set1(0.0f);
      for (std::size_t a = 0; a < 4; ++a) {
        const float* node =
            table.values + ((energy.node + a) * table.n_eta + angle.node) * table.stride + q;
        F inner = set1(angle.weight[0]) * load(node);
        for (std::size_t b = 1; b < eta_nodes; ++b) {
          inner = fma(set1(angle.weight[b]), load(node + b * table.stride), inner);
        }
        sum = fma(set1(energy.weight[a]), inner, sum);
      }
      const std::size_t count = width - q < kLanes ? width - q : kLanes;
      if (count == kLanes) {
        storeu(features + i * width + q, sum);
        continue;
      }
      store(row, sum);
      for (std::size_t j = 0; j < count; ++j) features[i * width + q + j] = row[j];
    }
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
