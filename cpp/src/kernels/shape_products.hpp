// Products of one shower's rows with weights as ShapeView::weights lays them out: the outputs are
// in the lanes, and every output sums its inputs in ascending order, as in the batch path.
#pragma once

#include "dense.hpp"
#include "shape_views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// sum[o] += sum_i x[i] weight[i * row + o] for o < n, and garbage up to the next vector's end.
template <std::size_t kInputs>
static void add_rows(const float* weight, std::size_t row, const float* x, float* sum,
                     std::size_t n) {
  F input[kInputs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kInputs; ++i) input[i] = set1(x[i]);
  for (std::size_t o = 0; o < n; o += kLanes) {
    F total = loadu(sum + o);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kInputs; ++i) {
      total = fma(loadu(weight + i * row + o), input[i], total);
    }
    storeu(sum + o, total);
  }
}

// The same with weight [n / kPanel][kInputs][kPanel].
template <std::size_t kInputs>
static void add_panels(const float* weight, const float* x, float* sum, std::size_t n) {
  F input[kInputs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kInputs; ++i) input[i] = set1(x[i]);
  for (std::size_t o = 0; o < n; o += kPanel) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kPanel; v += kLanes) {
      F total = load(sum + o + v);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kInputs; ++i) {
        total = fma(load(weight + i * kPanel + v), input[i], total);
      }
      store(sum + o + v, total);
    }
    weight += kInputs * kPanel;
  }
}

#define FASTCALOQ_FOR_INPUTS(count, call) \
  switch (count) {                        \
    case 1:                               \
      call(1);                            \
      break;                              \
    case 2:                               \
      call(2);                            \
      break;                              \
    case 3:                               \
      call(3);                            \
      break;                              \
    case 4:                               \
      call(4);                            \
      break;                              \
    case 5:                               \
      call(5);                            \
      break;                              \
    case 6:                               \
      call(6);                            \
      break;                              \
    case 7:                               \
      call(7);                            \
      break;                              \
    default:                              \
      call(8);                            \
  }

static void add_all_rows(const float* weight, const float* x, std::size_t n_in, float* sum,
                         std::size_t n_out) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const float* w = weight + i * n_out;
#define FASTCALOQ_CALL(n) add_rows<n>(w, n_out, x + i, sum, n_out)
    FASTCALOQ_FOR_INPUTS(n_in - i, FASTCALOQ_CALL)
#undef FASTCALOQ_CALL
  }
}

static void add_all_panels(const float* weight, const float* x, std::size_t n_in, float* sum,
                           std::size_t n_out) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const float* w = weight + i * n_out;
#define FASTCALOQ_CALL(n) add_panels<n>(w, x + i, sum, n_out)
    FASTCALOQ_FOR_INPUTS(n_in - i, FASTCALOQ_CALL)
#undef FASTCALOQ_CALL
  }
}
#undef FASTCALOQ_FOR_INPUTS

// y[o] = activation(bias[o] + sum_k x[k] weight[k * row + o]), o < kVectors * kLanes.
template <std::size_t kVectors, Activation kActivation>
static void head_vectors(const float* weight, std::size_t row, const float* bias, const float* x,
                         std::size_t n_in, float* y) {
  F sum[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) sum[v] = loadu(bias + v * kLanes);
  for (std::size_t k = 0; k < n_in; ++k) {
    const F input = set1(x[k]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[v] = fma(loadu(weight + k * row + v * kLanes), input, sum[v]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) storeu(y + v * kLanes, activate<kActivation>(sum[v]));
}

// One layer of a coordinate's head, weight [n_in, n_out]; garbage up to the last vector's end.
template <Activation kActivation>
static void head_layer(const float* weight, const float* bias, const float* x, std::size_t n_in,
                       float* y, std::size_t n_out) {
  for (std::size_t o = 0; o < n_out; o += 4 * kLanes) {
    switch ((n_out - o + kLanes - 1) / kLanes) {
      case 1:
        head_vectors<1, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      case 2:
        head_vectors<2, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      case 3:
        head_vectors<3, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      default:
        head_vectors<4, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
    }
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
