// Elementwise inverses of the coupling blocks, one vector at a time.
//
// `theta` points at the parameters of the vector's elements: parameter p of lane i is
// theta[p * stride + i]. The lanes are showers in the batch path and the block's active
// coordinates in the single path; the arithmetic is the same, hence the bits.
#pragma once

#include "math.hpp"
#include "views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// exp(raw - max) of `bins` raw values into e [bins * kLanes]; returns (1 - bins * floor) / sum.
FASTCALOQ_INLINE F softmax_terms(const float* raw, std::size_t stride, std::size_t bins, F rest,
                                 float* e) {
  F largest = loadu(raw);
  for (std::size_t k = 1; k < bins; ++k) largest = max(largest, loadu(raw + k * stride));
  F sum = set1(0.0f);
  for (std::size_t k = 0; k < bins; ++k) {
    const F term = exp(loadu(raw + k * stride) - largest);
    sum = sum + term;
    store(e + k * kLanes, term);
  }
  return rest / sum;
}

// Inverse of the monotonic rational-quadratic spline with linear tails of slope 1 outside
// [-tail_bound, tail_bound]: Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows",
// NeurIPS 2019, eqs. (4)-(8). scratch: 2 * bins * kLanes floats.
FASTCALOQ_INLINE F spline_inverse(const BlockView& block, const float* theta, std::size_t stride,
                                  F y, float* scratch) {
  const std::size_t bins = block.bins;
  float* e_width = scratch;
  float* e_height = scratch + bins * kLanes;
  const float* raw_height = theta + bins * stride;
  const float* raw_slope = theta + 2 * bins * stride;
  const float n = static_cast<float>(bins);
  const F width_factor =
      softmax_terms(theta, stride, bins, set1(1.0f - block.min_bin_width * n), e_width);
  const F height_factor =
      softmax_terms(raw_height, stride, bins, set1(1.0f - block.min_bin_height * n), e_height);

  // Walk over the inner knots and keep the ends and the raw slopes of the bin that holds y.
  // A raw slope of 0 means slope 1, which is what the two outer knots have.
  const F bound = set1(block.tail_bound);
  const F span = bound + bound;
  const F min_width = set1(block.min_bin_width);
  const F min_height = set1(block.min_bin_height);
  F x_sum = set1(0.0f), y_sum = set1(0.0f);
  F x_left = -bound, x_right = bound, y_left = -bound, y_right = bound;
  F slope_left = set1(0.0f), slope_right = set1(0.0f);
  M inside_next = y >= y_left;
  for (std::size_t k = 0; k + 1 < bins; ++k) {
    x_sum = x_sum + fma(load(e_width + k * kLanes), width_factor, min_width);
    y_sum = y_sum + fma(load(e_height + k * kLanes), height_factor, min_height);
    const F x_knot = fma(span, x_sum, -bound);
    const F y_knot = fma(span, y_sum, -bound);
    const F slope = loadu(raw_slope + k * stride);
    // inside_next: y is right of the last knot, so this knot ends its bin unless y is right of
    // this one too.
    x_right = select(inside_next, x_knot, x_right);
    y_right = select(inside_next, y_knot, y_right);
    slope_right = select(inside_next, slope, slope_right);
    inside_next = y >= y_knot;
    x_left = select(inside_next, x_knot, x_left);
    y_left = select(inside_next, y_knot, y_left);
    slope_left = select(inside_next, slope, slope_left);
  }
  x_right = select(inside_next, bound, x_right);
  y_right = select(inside_next, bound, y_right);
  slope_right = select(inside_next, set1(0.0f), slope_right);

  const F offset = set1(block.derivative_offset);
  const F min_slope = set1(block.min_derivative);
  const F d_left = min_slope + softplus(slope_left + offset);
  const F d_right = min_slope + softplus(slope_right + offset);
  const F width = x_right - x_left;
  const F height = y_right - y_left;
  const F secant = height / width;
  const F part = (y - y_left) / height;
  // a xi^2 + b xi + c = 0 over the bin's height: a = secant - d_left + part * bend,
  // b = d_left - part * bend, c = -secant * part; the root that does not cancel.
  const F bend = (d_left + d_right) - (secant + secant);
  const F b = fma(-part, bend, d_left);
  const F a = secant - b;
  const F minus_c = secant * part;
  const F discriminant = max(set1(0.0f), fma(b, b, set1(4.0f) * a * minus_c));
  const F xi = (minus_c + minus_c) / (b + sqrt(discriminant));
  const F x = fma(xi, width, x_left);
  return select(abs(y) < bound, x, y);
}

// b = (b' - t) exp(-s), s = bound * tanh(raw / bound).
FASTCALOQ_INLINE F affine_inverse(const BlockView& block, const float* theta, std::size_t stride,
                                  F y) {
  const F bound = set1(block.log_scale_bound);
  const F s = bound * tanh(loadu(theta) / bound);
  return (y - loadu(theta + stride)) * exp(-s);
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
