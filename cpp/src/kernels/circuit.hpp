// The circuits of a block: passive coordinates and context to features, see CircuitView.
//
// Both paths do the same arithmetic in the same order, showers or amplitudes in the lanes.
#pragma once

#include "dense.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Rows [n][stride] of inputs in place, and their monomials up to degree 2 behind them.
static const float* monomials_batch(const BlockView& block, float* x, std::size_t n_inputs,
                                    std::size_t stride, std::size_t vectors, float* monomials) {
  const std::size_t padded = vectors * kLanes;
  const F scale = set1(block.inverse_coordinate_scale);
  for (std::size_t j = 0; j < block.n_passive; ++j) {
    float* row = x + j * stride;
    for (std::size_t i = 0; i < padded; i += kLanes) store(row + i, tanh(load(row + i) * scale));
  }
  if (!block.squares) return x;
  float* out = monomials;
  for (std::size_t p = 0; p < n_inputs; ++p, out += stride) {
    for (std::size_t i = 0; i < padded; i += kLanes) store(out + i, load(x + p * stride + i));
  }
  for (std::size_t p = 0; p < n_inputs; ++p) {
    for (std::size_t q = p; q < n_inputs; ++q, out += stride) {
      for (std::size_t i = 0; i < padded; i += kLanes) {
        store(out + i, load(x + p * stride + i) * load(x + q * stride + i));
      }
    }
  }
  return monomials;
}

// features [Q][stride]; ping and pong [2 D][stride].
static void circuit_batch(const CircuitView& circuit, const float* monomials, std::size_t stride,
                          std::size_t vectors, float* ping, float* pong, float* features) {
  const std::size_t padded = vectors * kLanes;
  const std::size_t turns = circuit.phases[0].n_out, d = circuit.dimension;
  dense_batch(circuit.phases[0], monomials, stride, vectors, ping);
  for (std::size_t k = 0; k < turns; ++k) {
    for (std::size_t i = 0; i < padded; i += kLanes) {
      F cosine, sine;
      cos_sin(load(ping + k * stride + i), cosine, sine);
      store(pong + k * stride + i, cosine);
      store(pong + (turns + k) * stride + i, sine);
    }
  }
  dense_batch(circuit.matrices[0], pong, stride, vectors, ping);
  for (std::size_t u = 1; u < circuit.n_uploads; ++u) {
    dense_batch(circuit.phases[u], monomials, stride, vectors, pong);
    for (std::size_t k = 0; k < d; ++k) {
      for (std::size_t i = 0; i < padded; i += kLanes) {
        F cosine, sine;
        cos_sin(load(pong + k * stride + i), cosine, sine);
        const F re = load(ping + k * stride + i), im = load(ping + (d + k) * stride + i);
        store(ping + k * stride + i, fma(re, cosine, im * sine));
        store(ping + (d + k) * stride + i, fma(im, cosine, -(re * sine)));
      }
    }
    dense_batch(circuit.matrices[u], ping, stride, vectors, pong);
    float* swap = ping;
    ping = pong;
    pong = swap;
  }
  for (std::size_t k = 0; k < 2 * d; ++k) {
    for (std::size_t i = 0; i < padded; i += kLanes) {
      const F amplitude = load(ping + k * stride + i);
      store(ping + k * stride + i, amplitude * amplitude);
    }
  }
  dense_batch(circuit.readout, ping, stride, vectors, features);
}

// Returns the features of all circuits, [sum of Q][stride].
static const float* circuits_batch(const BlockView& block, float* x, std::size_t n_inputs,
                                   std::size_t stride, std::size_t vectors, float* monomials,
                                   float* ping, float* pong, float* features) {
  const float* m = monomials_batch(block, x, n_inputs, stride, vectors, monomials);
  float* out = features;
  for (std::size_t g = 0; g < block.n_circuits; ++g) {
    circuit_batch(block.circuits[g], m, stride, vectors, ping, pong, out);
    out += block.circuits[g].readout.n_out * stride;
  }
  return features;
}

// One shower. D is a power of two: below kLanes one vector holds it all, and what a store leaves
// behind its end is overwritten, or never read. ping, pong and features are aligned and padded.
static void circuit_single(const CircuitView& circuit, const float* monomials, float* ping,
                           float* pong, float* features) {
  const std::size_t turns = circuit.phases[0].n_out, d = circuit.dimension;
  dense_single(circuit.phases[0], monomials, ping);
  for (std::size_t k = 0; k < turns; k += kLanes) {
    F cosine, sine;
    cos_sin(load(ping + k), cosine, sine);
    storeu(pong + k, cosine);
    storeu(pong + turns + k, sine);
  }
  dense_single(circuit.matrices[0], pong, ping);
  for (std::size_t u = 1; u < circuit.n_uploads; ++u) {
    dense_single(circuit.phases[u], monomials, pong);
    for (std::size_t k = 0; k < d; k += kLanes) {
      F cosine, sine;
      cos_sin(load(pong + k), cosine, sine);
      const F re = loadu(ping + k), im = loadu(ping + d + k);
      storeu(ping + k, fma(re, cosine, im * sine));
      storeu(ping + d + k, fma(im, cosine, -(re * sine)));
    }
    dense_single(circuit.matrices[u], ping, pong);
    float* swap = ping;
    ping = pong;
    pong = swap;
  }
  for (std::size_t k = 0; k < 2 * d; k += kLanes) {
    const F amplitude = load(ping + k);
    store(ping + k, amplitude * amplitude);
  }
  dense_single(circuit.readout, ping, pong);
  for (std::size_t q = 0; q < circuit.readout.n_out; ++q) features[q] = pong[q];
}

static const float* circuits_single(const BlockView& block, float* x, std::size_t n_inputs,
                                    float* monomials, float* ping, float* pong, float* features) {
  const F scale = set1(block.inverse_coordinate_scale);
  alignas(64) float squashed[kLanes];
  for (std::size_t j = 0; j < block.n_passive; j += kLanes) {
    store(squashed, tanh(loadu(x + j) * scale));
    for (std::size_t i = 0; i < kLanes && j + i < block.n_passive; ++i) x[j + i] = squashed[i];
  }
  const float* m = x;
  if (block.squares) {
    m = monomials;
    float* out = monomials;
    for (std::size_t p = 0; p < n_inputs; ++p) *out++ = x[p];
    for (std::size_t p = 0; p < n_inputs; ++p) {
      for (std::size_t q = p; q < n_inputs; ++q) *out++ = x[p] * x[q];
    }
  }
  float* out = features;
  for (std::size_t g = 0; g < block.n_circuits; ++g) {
    circuit_single(block.circuits[g], m, ping, pong, out);
    out += block.circuits[g].readout.n_out;
  }
  return features;
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
