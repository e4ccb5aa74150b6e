// Gathers the weights that one product of matrices needs into a panel. They come from many places of
// ShapeView::weights, and nothing but the list of these places says where to read on: copied row by row
// without asking for what comes later, they took a fifth of the time.
#pragma once

#include "dense.hpp"
#include "shape_views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Where rows [n_in][n_out] start from `column` on; returns the end of the list.
static const float** list_rows(const float* weight, std::size_t n_in, std::size_t n_out,
                               std::size_t column, const float** list) {
  for (std::size_t i = 0; i < n_in; ++i) *list++ = weight + i * n_out + column;
  return list;
}

// The same of panels in slices; `column` is a multiple of kPanel.
static const float** list_panels(const float* weight, std::size_t n_in, std::size_t n_out,
                                 std::size_t column, const float** list) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const std::size_t count = n_in - i < kSlice ? n_in - i : kSlice;
    const float* slice = weight + i * n_out + column * count;
    for (std::size_t k = 0; k < count; ++k) *list++ = slice + k * kPanel;
  }
  return list;
}

// Rows for the first tile of a product, which copies them into a panel for all other tiles.
struct GatheredRows {
  const float* const* list;
  float* panel;

  FASTCALOQ_MEMBER const float* row(std::size_t k) const {
    __builtin_prefetch(list[k + kPrefetched]);
    const float* found = list[k];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kPanel; v += kLanes) {
      store(panel + k * kPanel + v, loadu(found + v));
    }
    return found;
  }
};

// A tile of the first outputs and vectors, if there is one that large.
template <std::size_t kOutputs, Activation kActivation>
static bool gather_tile(const GatheredRows rows, const LinearView& layer, std::size_t n_vectors,
                        const float* x, float* y) {
  if (layer.n_out < kOutputs) return false;
  switch (n_vectors) {
    case 1:
      dense_tile<kOutputs, 1, kActivation>(rows, layer.bias, layer.n_in, x, kChunk, y);
      break;
    case 2:
      dense_tile<kOutputs, 2, kActivation>(rows, layer.bias, layer.n_in, x, kChunk, y);
      break;
    default:
      dense_tile<kOutputs, kTileVectors, kActivation>(rows, layer.bias, layer.n_in, x, kChunk, y);
  }
  return true;
}

// y = activation(x W + bias) for kPanel columns or fewer of W. Its rows are listed up to `end`, with room
// for kPrefetched more; they may end before kPanel columns, memory does not.
template <Activation kActivation>
static void gathered_batch(const float** list, const float** end, float* panel, std::size_t n_out,
                           const float* bias, const float* x, std::size_t vectors, float* y) {
  for (std::size_t i = 0; i < kPrefetched; ++i) end[i] = end[-1];
  const auto n_in = static_cast<std::size_t>(end - list);
  const LinearView layer = {n_in, n_out, panel, bias, kActivation};
  const GatheredRows rows = {list, panel};
  const std::size_t together = tile_vectors(vectors);
  std::size_t done = 0;
  if (gather_tile<kTileOutputs, kActivation>(rows, layer, together, x, y)) {
    done = kTileOutputs;
  } else {
    for (std::size_t k = 0; k < n_in; ++k) rows.row(k);
  }
  dense_columns_as<kActivation>(layer, together, done, x, kChunk, y);
  dense_batch_as<kActivation>(layer, x, kChunk, together, vectors, y);
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
