// Dense layers: y = activation(x W + bias).
//
// Law: every output is bias, then fma over the inputs in ascending order, in every path. A
// shower's bits therefore do not depend on how many showers are computed with it.
//   Batch path: showers in the lanes, rows [feature][shower]; a tile of outputs x vectors stays in
//   registers while the weights are broadcast.
//   Single path: outputs in the lanes, a few panels at once to hide the latency of fma.
#pragma once

#include "math.hpp"
#include "views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

template <Activation kActivation>
FASTCALOQ_INLINE F activate(F x) {
  if constexpr (kActivation == Activation::relu) return max(set1(0.0f), x);
  if constexpr (kActivation == Activation::silu) return silu(x);
  if constexpr (kActivation == Activation::tanh) return tanh(x);
  return x;
}

// Register tile: 24 of 32 registers accumulate on AVX-512, 12 of 16 elsewhere.
#if defined(__AVX512F__)
constexpr std::size_t kTileOutputs = 8;
constexpr std::size_t kTileVectors = 3;
#else
constexpr std::size_t kTileOutputs = 4;
constexpr std::size_t kTileVectors = 3;
#endif
template <std::size_t kOutputs, std::size_t kVectors, Activation kActivation>
static void dense_tile(const float* weight, const float* bias, std::size_t n_in, const float* x,
                       std::size_t stride, float* y) {
  F sum[kOutputs][kVectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) sum[o][v] = set1(bias[o]);
  }
  for (std::size_t k = 0; k < n_in; ++k) {
    F input[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) input[v] = load(x + k * stride + v * kLanes);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const F w = set1(weight[k * kPanel + o]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) sum[o][v] = fma(w, input[v], sum[o][v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      store(y + o * stride + v * kLanes, activate<kActivation>(sum[o][v]));
    }
  }
}

template <std::size_t kVectors, Activation kActivation>
static void dense_columns(const LinearView& layer, const float* x, std::size_t stride, float* y) {
  std::size_t o = 0;
  for (; o + kTileOutputs <= layer.n_out; o += kTileOutputs) {
    const float* weight = layer.weight + (o / kPanel) * layer.n_in * kPanel + o % kPanel;
    dense_tile<kTileOutputs, kVectors, kActivation>(weight, layer.bias + o, layer.n_in, x, stride,
                                                    y + o * stride);
  }
  // What is left: pairs, then one (no output is computed that nobody reads).
  for (; o + 2 <= layer.n_out; o += 2) {
    const float* weight = layer.weight + (o / kPanel) * layer.n_in * kPanel + o % kPanel;
    dense_tile<2, kVectors, kActivation>(weight, layer.bias + o, layer.n_in, x, stride,
                                         y + o * stride);
  }
  if (o < layer.n_out) {
    const float* weight = layer.weight + (o / kPanel) * layer.n_in * kPanel + o % kPanel;
    dense_tile<1, kVectors, kActivation>(weight, layer.bias + o, layer.n_in, x, stride,
                                         y + o * stride);
  }
}

template <Activation kActivation>
static void dense_batch_as(const LinearView& layer, const float* x, std::size_t stride,
                           std::size_t vectors, float* y) {
  std::size_t v = 0;
  while (vectors - v >= kTileVectors && vectors - v != kTileVectors + 1) {
    dense_columns<kTileVectors, kActivation>(layer, x + v * kLanes, stride, y + v * kLanes);
    v += kTileVectors;
  }
  for (; vectors - v >= 2; v += 2) {  // 4 left: two and two
    dense_columns<2, kActivation>(layer, x + v * kLanes, stride, y + v * kLanes);
  }
  if (v < vectors) dense_columns<1, kActivation>(layer, x + v * kLanes, stride, y + v * kLanes);
}

// x [n_in][stride], y [n_out][stride]; the first vectors * kLanes of each row are computed.
static void dense_batch(const LinearView& layer, const float* x, std::size_t stride,
                        std::size_t vectors, float* y) {
  switch (layer.activation) {
    case Activation::relu:
      return dense_batch_as<Activation::relu>(layer, x, stride, vectors, y);
    case Activation::silu:
      return dense_batch_as<Activation::silu>(layer, x, stride, vectors, y);
    case Activation::tanh:
      return dense_batch_as<Activation::tanh>(layer, x, stride, vectors, y);
    case Activation::none:
      break;
  }
  dense_batch_as<Activation::none>(layer, x, stride, vectors, y);
}

template <std::size_t kPanels, Activation kActivation>
static void dense_panels(const float* weight, const float* bias, std::size_t n_in, const float* x,
                         float* y) {
  constexpr std::size_t per_panel = kPanel / kLanes;
  constexpr std::size_t vectors = kPanels * per_panel;
  const std::size_t panel_size = n_in * kPanel;
  F sum[vectors];
#pragma GCC unroll 16
  for (std::size_t v = 0; v < vectors; ++v) sum[v] = load(bias + v * kLanes);
  for (std::size_t k = 0; k < n_in; ++k) {
    const F input = set1(x[k]);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) {
      const float* w = weight + (v / per_panel) * panel_size + (v % per_panel) * kLanes;
      sum[v] = fma(load(w + k * kPanel), input, sum[v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t v = 0; v < vectors; ++v) store(y + v * kLanes, activate<kActivation>(sum[v]));
}

// Panels side by side hide the latency of fma: one alone would take 4 cycles for each input.
template <Activation kActivation>
static void dense_single_as(const LinearView& layer, const float* x, float* y) {
  const std::size_t panels = (layer.n_out + kPanel - 1) / kPanel;
  const std::size_t n_in = layer.n_in;
  for (std::size_t p = 0; p < panels;) {
    const float* weight = layer.weight + p * n_in * kPanel;
    const float* bias = layer.bias + p * kPanel;
    float* out = y + p * kPanel;
    std::size_t together = panels - p;
    if (together > 6) together = together < 8 ? 4 : 6;  // never one or two left alone
    switch (together) {
      case 6:
        dense_panels<6, kActivation>(weight, bias, n_in, x, out);
        break;
      case 5:
        dense_panels<5, kActivation>(weight, bias, n_in, x, out);
        break;
      case 4:
        dense_panels<4, kActivation>(weight, bias, n_in, x, out);
        break;
      case 3:
        dense_panels<3, kActivation>(weight, bias, n_in, x, out);
        break;
      case 2:
        dense_panels<2, kActivation>(weight, bias, n_in, x, out);
        break;
      default:
        dense_panels<1, kActivation>(weight, bias, n_in, x, out);
    }
    p += together;
  }
}

// x [n_in], y [n_out rounded up to kPanel], 64-byte aligned.
static void dense_single(const LinearView& layer, const float* x, float* y) {
  switch (layer.activation) {
    case Activation::relu:
      return dense_single_as<Activation::relu>(layer, x, y);
    case Activation::silu:
      return dense_single_as<Activation::silu>(layer, x, y);
    case Activation::tanh:
      return dense_single_as<Activation::tanh>(layer, x, y);
    case Activation::none:
      break;
  }
  dense_single_as<Activation::none>(layer, x, y);
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
