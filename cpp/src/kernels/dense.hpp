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
// Where a tile finds the weights of input k: in a panel.
struct PanelRows {
  const float* panel;

  FASTCALOQ_MEMBER const float* row(std::size_t k) const { return panel + k * kPanel; }
};

template <std::size_t kOutputs, std::size_t kVectors, Activation kActivation, class Rows>
static void dense_tile(const Rows weight, const float* bias, std::size_t n_in, const float* x,
                       std::size_t stride, float* y) {
  F sum[kOutputs][kVectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) sum[o][v] = set1(bias[o]);
  }
  for (std::size_t k = 0; k < n_in; ++k) {
    const float* row = weight.row(k);
    F input[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) input[v] = load(x + k * stride + v * kLanes);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < kOutputs; ++o) {
      const F w = set1(row[o]);
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

// The last outputs, fewer than a tile has: none is computed that nobody reads.
template <std::size_t kVectors, Activation kActivation>
static void dense_rest(std::size_t n, const PanelRows weight, const float* bias, std::size_t n_in,
                       const float* x, std::size_t stride, float* y) {
  switch (n) {
    case 1:
      return dense_tile<1, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
    case 2:
      return dense_tile<2, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
    case 3:
      return dense_tile<3, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
#if defined(__AVX512F__)
    case 4:
      return dense_tile<4, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
    case 5:
      return dense_tile<5, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
    case 6:
      return dense_tile<6, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
    case 7:
      return dense_tile<7, kVectors, kActivation>(weight, bias, n_in, x, stride, y);
#endif
    default:
      return;
  }
}

// Outputs from `o` on, which is 0 or at the end of a tile.
template <std::size_t kVectors, Activation kActivation>
static void dense_columns(const LinearView& layer, std::size_t o, const float* x,
                          std::size_t stride, float* y) {
  const auto rows = [&layer](std::size_t column) {
    return PanelRows{layer.weight + (column / kPanel) * layer.n_in * kPanel + column % kPanel};
  };
  for (; o + kTileOutputs <= layer.n_out; o += kTileOutputs) {
    dense_tile<kTileOutputs, kVectors, kActivation>(rows(o), layer.bias + o, layer.n_in, x, stride,
                                                    y + o * stride);
  }
  dense_rest<kVectors, kActivation>(layer.n_out - o, rows(o), layer.bias + o, layer.n_in, x, stride,
                                    y + o * stride);
}

// Vectors of a tile where so many are left: two and two of four.
FASTCALOQ_INLINE std::size_t tile_vectors(std::size_t left) {
  return left >= kTileVectors && left != kTileVectors + 1 ? kTileVectors : left == 1 ? 1 : 2;
}

template <Activation kActivation>
static void dense_columns_as(const LinearView& layer, std::size_t n_vectors, std::size_t o,
                             const float* x, std::size_t stride, float* y) {
  switch (n_vectors) {
    case 1:
      return dense_columns<1, kActivation>(layer, o, x, stride, y);
    case 2:
      return dense_columns<2, kActivation>(layer, o, x, stride, y);
    default:
      return dense_columns<kTileVectors, kActivation>(layer, o, x, stride, y);
  }
}

// The vectors from `v` on.
template <Activation kActivation>
static void dense_batch_as(const LinearView& layer, const float* x, std::size_t stride,
                           std::size_t v, std::size_t vectors, float* y) {
  while (v < vectors) {
    const std::size_t together = tile_vectors(vectors - v);
    dense_columns_as<kActivation>(layer, together, 0, x + v * kLanes, stride, y + v * kLanes);
    v += together;
  }
}

// x [n_in][stride], y [n_out][stride]; the first vectors * kLanes of each row are computed.
static void dense_batch(const LinearView& layer, const float* x, std::size_t stride,
                        std::size_t vectors, float* y) {
  switch (layer.activation) {
    case Activation::relu:
      return dense_batch_as<Activation::relu>(layer, x, stride, 0, vectors, y);
    case Activation::silu:
      return dense_batch_as<Activation::silu>(layer, x, stride, 0, vectors, y);
    case Activation::tanh:
      return dense_batch_as<Activation::tanh>(layer, x, stride, 0, vectors, y);
    case Activation::none:
      break;
  }
  dense_batch_as<Activation::none>(layer, x, stride, 0, vectors, y);
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
