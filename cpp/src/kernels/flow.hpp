// The energy flow, latents to layer energies: a path for batches and one for a single shower.
#pragma once

#include "circuit.hpp"
#include "coupling.hpp"
#include "dense.hpp"
#include "energies.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Fewer showers than this are faster one at a time than as a padded vector: measured 4.0 us for
// one and 22 us for a vector of 16 (AVX-512), 3.9 and 20 for 8 (AVX2), 5.9 and 20 for 4 (plain).
constexpr std::size_t kFewest = kLanes < 6 ? kLanes : 6;

// The subnet of a block: input rows to parameters; returns the buffer that holds them.
static const float* subnet_batch(const BlockView& block, const float* input, std::size_t stride,
                                 std::size_t vectors, float* ping, float* pong) {
  const float* x = input;
  for (std::size_t i = 0; i < block.n_linear; ++i) {
    float* y = i % 2 == 0 ? ping : pong;
    dense_batch(block.linear[i], x, stride, vectors, y);
    x = y;
  }
  return x;
}

static const float* subnet_single(const BlockView& block, const float* input, float* ping,
                                  float* pong) {
  const float* x = input;
  for (std::size_t i = 0; i < block.n_linear; ++i) {
    float* y = i % 2 == 0 ? ping : pong;
    dense_single(block.linear[i], x, y);
    x = y;
  }
  return x;
}

FASTCALOQ_INLINE F inverse_element(const BlockView& block, const float* theta, std::size_t stride,
                                   F y, float* scratch) {
  return block.kind == CouplingKind::spline ? spline_inverse(block, theta, stride, y, scratch)
                                            : affine_inverse(block, theta, stride, y);
}

// At most kChunk showers. Scratch rows of kChunk floats: state [L], next [L], input
// [max_passive + 2 + Q], ping and pong [max_width], monomials [max_monomials], measured
// [max_measured], incident [1]; then 2 * max_bins * kPanel.
static void sample_batch(const FlowView& flow, const float* incident_energy, const float* condition,
                         const float* features, const float* latents, float* layer_energy,
                         std::size_t n, float* scratch) {
  constexpr std::size_t stride = kChunk;
  const std::size_t layers = flow.n_layers;
  const std::size_t vectors = (n + kLanes - 1) / kLanes;
  const std::size_t padded = vectors * kLanes;
  float* state = scratch;
  float* next = state + layers * stride;
  float* input = next + layers * stride;
  float* context = input + flow.max_passive * stride;
  float* ping = context + (2 + flow.n_features) * stride;
  float* pong = ping + flow.max_width * stride;
  float* monomials = pong + flow.max_width * stride;
  float* measured = monomials + flow.max_monomials * stride;
  float* incident = measured + flow.max_measured * stride;
  float* terms = incident + stride;

  // Rows of showers; the lanes beyond n repeat the last one.
  for (std::size_t i = 0; i < padded; ++i) {
    const std::size_t s = i < n ? i : n - 1;
    incident[i] = incident_energy[s];
    context[i] = condition[2 * s];
    context[stride + i] = condition[2 * s + 1];
    for (std::size_t q = 0; q < flow.n_features; ++q) {
      context[(2 + q) * stride + i] = features[s * flow.n_features + q];
    }
    for (std::size_t k = 0; k < layers; ++k) state[k * stride + i] = latents[s * layers + k];
  }

  for (std::size_t b = flow.n_blocks; b-- > 0;) {
    const BlockView& block = flow.blocks[b];
    const std::size_t passive = block.n_passive, active = block.n_active;
    float* x = context - passive * stride;
    for (std::size_t j = 0; j < passive; ++j) {
      const F scale = set1(block.inverse_scale[j]), shift = set1(block.minus_shift[j]);
      float* target = next + block.permutation[j] * stride;
      for (std::size_t i = 0; i < padded; i += kLanes) {
        const F value = load(state + j * stride + i);
        store(x + j * stride + i, value);
        store(target + i, fma(value, scale, shift));
      }
    }
    const float* seen = x;
    if (block.n_circuits > 0) {
      seen = circuits_batch(block, x, passive + 2 + flow.n_features, stride, vectors, monomials,
                            ping, pong, measured);
    }
    const float* theta = subnet_batch(block, seen, stride, vectors, ping, pong);
    for (std::size_t a = 0; a < active; ++a) {
      const std::size_t j = passive + a;
      const F scale = set1(block.inverse_scale[j]), shift = set1(block.minus_shift[j]);
      float* target = next + block.permutation[j] * stride;
      for (std::size_t i = 0; i < padded; i += kLanes) {
        const F value = inverse_element(block, theta + a * stride + i, active * stride,
                                        load(state + j * stride + i), terms);
        store(target + i, fma(value, scale, shift));
      }
    }
    float* swap = state;
    state = next;
    next = swap;
  }

  energies_batch(flow, state, incident, stride, vectors, next);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < layers; ++k) layer_energy[i * layers + k] = next[k * stride + i];
  }
}

static void sample_single(const FlowView& flow, float incident_energy, const float* condition,
                          const float* features, const float* latents, float* layer_energy,
                          float* scratch) {
  const std::size_t layers = flow.n_layers;
  const std::size_t row = flow.coordinates.stride + kPanel;  // vectors may start at any coordinate
  float* state = scratch;
  float* next = state + row;
  float* values = next + row;
  float* shares_row = values + row;
  float* input = shares_row + 3 * row;
  float* context = input + flow.max_passive;
  // ping and pong stay aligned: their outputs are stored as whole vectors.
  float* ping = input + (flow.max_passive + 2 + flow.n_features + kPanel - 1) / kPanel * kPanel;
  float* pong = ping + flow.max_width + kPanel;
  float* monomials = pong + flow.max_width + kPanel;
  float* measured = monomials + (flow.max_monomials + kPanel - 1) / kPanel * kPanel;
  float* terms = measured + flow.max_measured;

  for (std::size_t k = 0; k < row; ++k) state[k] = next[k] = 0.0f;
  for (std::size_t k = 0; k < layers; ++k) state[k] = latents[k];
  context[0] = condition[0];
  context[1] = condition[1];
  for (std::size_t q = 0; q < flow.n_features; ++q) context[2 + q] = features[q];

  for (std::size_t b = flow.n_blocks; b-- > 0;) {
    const BlockView& block = flow.blocks[b];
    const std::size_t passive = block.n_passive, active = block.n_active;
    float* x = context - passive;
    for (std::size_t j = 0; j < passive; ++j) x[j] = values[j] = state[j];
    const float* seen = x;
    if (block.n_circuits > 0) {
      seen =
          circuits_single(block, x, passive + 2 + flow.n_features, monomials, ping, pong, measured);
    }
    const float* theta = subnet_single(block, seen, ping, pong);
    for (std::size_t a = 0; a < active; a += kLanes) {
      const F value = inverse_element(block, theta + a, active, loadu(state + passive + a), terms);
      storeu(values + passive + a, value);
    }
    for (std::size_t j = 0; j < layers; j += kLanes) {
      storeu(values + j,
             fma(load(values + j), load(block.inverse_scale + j), load(block.minus_shift + j)));
    }
    for (std::size_t j = 0; j < layers; ++j) next[block.permutation[j]] = values[j];
    float* swap = state;
    state = next;
    next = swap;
  }
  energies_single(flow, state, incident_energy, shares_row, layer_energy);
}

static void sample_kernel(const FlowView& flow, const float* incident_energy,
                          const float* condition, const float* features, const float* latents,
                          float* layer_energy, std::size_t n, float* scratch) {
  const std::size_t layers = flow.n_layers;
  for (std::size_t first = 0; first < n;) {
    const std::size_t left = n - first;
    // Whole vectors first when what is left over is better done one by one.
    const std::size_t over = left % kLanes;
    const std::size_t whole = over < kFewest ? left - over : left;
    const std::size_t count = whole == 0 ? 1 : whole < kChunk ? whole : kChunk;
    const float* c = condition + 2 * first;
    const float* q = flow.n_features == 0 ? features : features + flow.n_features * first;
    const float* z = latents + layers * first;
    float* out = layer_energy + layers * first;
    if (count == 1) {
      sample_single(flow, incident_energy[first], c, q, z, out, scratch);
    } else {
      sample_batch(flow, incident_energy + first, c, q, z, out, count, scratch);
    }
    first += count;
  }
}

// Row by row; `y` rows are not padded, so whole panels go through a small buffer.
static void linear_kernel(const LinearView& layer, const float* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t o = 0; o < layer.n_out; o += kPanel) {
      alignas(64) float panel[kPanel];
      LinearView part = layer;
      part.weight = layer.weight + o * layer.n_in;
      part.bias = layer.bias + o;
      part.n_out = layer.n_out - o < kPanel ? layer.n_out - o : kPanel;
      dense_single(part, x + i * layer.n_in, panel);
      for (std::size_t j = 0; j < part.n_out; ++j) y[i * layer.n_out + o + j] = panel[j];
    }
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
