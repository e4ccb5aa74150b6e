// Copies what one product of matrices needs of ShapeView::weights into a panel.
#pragma once

#include "shape_views.hpp"
#include "simd.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// kPanel columns of the row at `from`; the row may end before, memory does not.
FASTCALOQ_INLINE void copy_columns(const float* from, float* panel) {
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kPanel; v += kLanes) store(panel + v, loadu(from + v));
}

// Columns [column, column + kPanel) of n_in rows of n_out; returns the end of what was written.
static float* copy_rows(const float* weight, std::size_t n_in, std::size_t n_out,
                        std::size_t column, float* panel) {
  for (std::size_t i = 0; i < n_in; ++i, panel += kPanel) {
    copy_columns(weight + i * n_out + column, panel);
  }
  return panel;
}

// The same of panels in slices; `column` is a multiple of kPanel.
static float* copy_panels(const float* weight, std::size_t n_in, std::size_t n_out,
                          std::size_t column, float* panel) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const std::size_t count = n_in - i < kSlice ? n_in - i : kSlice;
    const float* slice = weight + i * n_out + column * count;
    for (std::size_t k = 0; k < count; ++k, panel += kPanel)
      copy_columns(slice + k * kPanel, panel);
  }
  return panel;
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
