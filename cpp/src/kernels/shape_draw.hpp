// What a shape flow does elementwise: energies as inputs of its network, and the draw of one
// coordinate. The lanes are showers in the batch path and the coordinates of a group in the single
// path; the arithmetic is the same, hence the bits.
#pragma once

#include "coupling.hpp"
#include "shape_views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// log(1 + energy / scale) / 4 - 1 / 2. The error of 1 + x counts for nothing beside the 1 / 2.
FASTCALOQ_INLINE F encode(const ShapeView& shape, F energy) {
  const F scaled = fma(energy, set1(shape.inverse_energy_scale), set1(1.0f));
  return fma(log(scaled), set1(0.25f), set1(-0.5f));
}

// log((energy + scale) / incident) / 3, the other way in which the condition holds a layer energy.
FASTCALOQ_INLINE F log_response(const ShapeView& shape, F energy, F incident) {
  return log((energy + set1(shape.energy_scale)) / incident) * set1(1.0f / 3.0f);
}

// asinh(sum) * scale, or the sum itself where the scale is 0. The error is absolute, about 1e-7.
FASTCALOQ_INLINE F encode_moment(F sum, F scale) {
  const F size = abs(sum);
  const F value = log(size + sqrt(fma(size, size, set1(1.0f))));
  const F encoded = select(sum < set1(0.0f), -value, value) * scale;
  return select(set1(0.0f) < scale, encoded, sum);
}

// Divides `total` with the uniform numbers u and v = 1 - u, each with digits of its own, by the
// parameters theta[p * stride + lane]: logits of "nothing" and "all" (that of "part" is 0), shift,
// raw log scale, spline. scratch: 2 * bins * kLanes floats.
//
// The smaller part is rounded and the larger is the rest, so that both sum to `total` to within
// half a unit in its last place, however many times a layer's energy is divided.
FASTCALOQ_INLINE void divide(const ShapeView& shape, const float* theta, std::size_t stride, F u,
                             F v, F total, F& taken, F& left, float* scratch) {
  const F zero = set1(0.0f), one = set1(1.0f);
  const F nothing_logit = loadu(theta), all_logit = loadu(theta + stride);
  const F top = max(zero, max(nothing_logit, all_logit));
  const F nothing = exp(nothing_logit - top), part = exp(-top), all = exp(all_logit - top);
  const F inverse = one / ((nothing + part) + all);
  const F p_nothing = nothing * inverse, p_part = part * inverse, p_all = all * inverse;

  // Where u falls into "part": its place there as a logistic variate, cut where float32 would be.
  const F least = set1(1e-6f), most = set1(1.0f - 1e-6f);
  const F below_it = min(most, max(least, (u - p_nothing) / p_part));
  const F above_it = min(most, max(least, (v - p_all) / p_part));
  const F logistic = log(below_it / above_it);
  const F y = spline_inverse(shape.spline, theta + 4 * stride, stride, logistic, scratch);
  const F bound = set1(shape.spline.log_scale_bound);
  const F scale = exp(bound * tanh(loadu(theta + 3 * stride) / bound));
  const F t = fma(scale, y, loadu(theta + 2 * stride));

  const F e = exp(-abs(t));
  const F smaller = total * (e / (e + one));
  const F larger = total - smaller;
  const M below = t < zero;
  const M is_nothing = u < p_nothing;
  const M is_all = u >= p_nothing + p_part;
  taken = select(is_nothing, zero, select(is_all, total, select(below, smaller, larger)));
  left = select(is_nothing, total, select(is_all, zero, select(below, larger, smaller)));
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
