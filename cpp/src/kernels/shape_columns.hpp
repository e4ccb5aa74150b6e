// Where a chunk of showers stands on its way through the shape flow: one row per number, the
// showers side by side.
#pragma once

#include "shape_draw.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Scratch of a chunk: rows of kChunk showers, and what a product needs of the weights.
struct ShapeColumns {
  float* known;    // [n_condition + 2 n_known + 1], the condition, the known values, a zero
  float* hidden1;  // [n_condition + n_hidden]
  float* hidden2;  // [n_condition + n_hidden]
  float* energy;   // [n_energies]
  float* inverse;  // [n_layers], 1 / MeV
  float* sums;     // [n_moments]
  float* moments;  // [n_moments + 1], encoded, of what earlier groups revealed; a zero
  float* context;  // [max_group * context rounded up to kPanel]
  float* input;    // [context + kLocal]
  float* head;     // [head]
  float* theta;    // [n_parameters]
  float* panel;    // [n_condition + max(2 n_known, n_hidden, ...)][kPanel], weights of a product
  const float** list;  // [.. + kPrefetched], and where they lie
  float* terms;        // [2 * bins * kPanel]
};

static ShapeColumns shape_columns(const ShapeView& shape, float* scratch) {
  ShapeColumns c;
  const auto take = [&scratch](std::size_t rows) {
    float* row = scratch;
    scratch += rows * kChunk;
    return row;
  };
  const std::size_t context = (shape.max_group * shape.context + kPanel - 1) / kPanel * kPanel;
  c.known = take(shape.n_condition + 2 * shape.n_known + 1);
  c.hidden1 = take(shape.n_condition + shape.n_hidden);
  c.hidden2 = take(shape.n_condition + shape.n_hidden);
  c.energy = take(shape.n_energies);
  c.inverse = take(shape.n_layers);
  c.sums = take(shape.n_moments);
  c.moments = take(shape.n_moments + 1);
  c.context = take(context);
  c.input = take(shape.context + kLocal);
  c.head = take(shape.head);
  c.theta = take(shape.n_parameters);
  c.terms = scratch;
  c.panel = c.terms + 2 * shape.spline.bins * kPanel;
  c.list = reinterpret_cast<const float**>(c.panel + shape.max_inputs * kPanel);
  return c;
}

static void start_batch(const ShapeView& shape, const ShapeColumns& columns,
                        const float* incident_energy, const float* condition, const float* features,
                        const float* layer_energy, std::size_t n, std::size_t padded) {
  constexpr std::size_t stride = kChunk;
  const std::size_t layers = shape.n_layers;
  float* c = columns.known;
  alignas(64) float energies[kLanes], incident[kLanes];
  for (std::size_t first = 0; first < padded; first += kLanes) {
    // The lanes beyond n repeat the last shower.
    const auto shower = [&](std::size_t i) { return first + i < n ? first + i : n - 1; };
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::size_t s = shower(i);
      incident[i] = incident_energy[s];
      c[first + i] = condition[2 * s];
      c[stride + first + i] = condition[2 * s + 1];
      for (std::size_t q = 0; q < shape.n_features; ++q) {
        c[(2 + 2 * layers + q) * stride + first + i] = features[s * shape.n_features + q];
      }
    }
    for (std::size_t l = 0; l < layers; ++l) {
      for (std::size_t i = 0; i < kLanes; ++i) energies[i] = layer_energy[shower(i) * layers + l];
      const F energy = load(energies);
      store(columns.inverse + l * stride + first, set1(1.0f) / max(set1(kLeastEnergy), energy));
      store(c + (2 + l) * stride + first, encode(shape, energy));
      store(c + (2 + layers + l) * stride + first, log_response(shape, energy, load(incident)));
    }
    for (std::size_t k = 0; k < shape.n_starts; ++k) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        columns.energy[shape.starts[k].row * stride + first + i] =
            layer_energy[shower(i) * layers + shape.starts[k].layer];
      }
    }
    store(c + (shape.n_condition + 2 * shape.n_known) * stride + first, set1(0.0f));
    for (std::size_t m = 0; m < shape.n_moments; ++m) {
      store(columns.sums + m * stride + first, set1(0.0f));
    }
    for (std::size_t m = 0; m <= shape.n_moments; ++m) {
      store(columns.moments + m * stride + first, set1(0.0f));
    }
  }
  for (std::size_t i = 0; i < shape.n_condition * stride; ++i) {
    columns.hidden1[i] = columns.hidden2[i] = c[i];
  }
}

// Writes value `value`, `energy` in the vector at i, where the network sees it.
FASTCALOQ_INLINE void reveal_batch(const ShapeView& shape, const ShapeColumns& columns,
                                   std::size_t value, F energy, std::size_t i) {
  constexpr std::size_t stride = kChunk;
  const ShapeValueView& v = shape.values[value];
  const F share = energy * load(columns.inverse + v.layer * stride + i);
  float* known = columns.known + (shape.n_condition + 2 * value) * stride + i;
  store(known, encode(shape, energy));
  store(known + stride, share * set1(kShareScale));
  if (v.moment == shape.n_moments) return;
  float* sums = columns.sums + v.moment * stride + i;
  const float* by_share = shape.by_share + value * kPanel;
  for (std::size_t m = 0; m + 1 < kLayerMoments; ++m) {
    store(sums + m * stride, fma(set1(by_share[m]), share, load(sums + m * stride)));
  }
  float* count = sums + (kLayerMoments - 1) * stride;
  store(count, load(count) + select(set1(0.0f) < energy, set1(v.count), set1(0.0f)));
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
