// Elementary functions on vectors.
//
// Domain and largest error against the exact value, in units in the last place (ulp), over the
// whole domain; tests/cpp/kernels/math_test.cpp holds every instruction set to these figures.
//   function     domain               error   outside
//   exp          [-87.3, 88.3]        1.1     0 below -87.7; exp(88.37) above
//   expm1        [-87.3, 88.3]        2.0     -1 below; expm1(88.37) above
//   log          positive, finite     1.0     0 -> -inf, negative -> NaN
//   softplus     [-87, inf)           3.0     0 below
//   sigmoid      [-87, inf)           3.0     0 below
//   tanh         finite               3.0     +-1
//   silu         [-87, inf)           3.0     -0 below
//   sin_turns    [0, 1)               of a multiple of 2^-32 turns: 2.0
//   cos_turns    [0, 1)               likewise
//   normal_cdf   any                  2.5e-7 absolute; relative 3e-6 in [-9, 0]; within [0, 1];
//                                     ascends over steps of 2^-12
// NaN gives NaN. `Fused` uses fma; `Separate` rounds products, so that the random numbers made
// with it have the same bits on machines without fma.
// Polynomials: weighted minimax fits (Lawson's iteration on 4,000 Chebyshev nodes).
#pragma once

#include "simd.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

struct Fused {
  FASTCALOQ_INLINE F madd(F a, F b, F c) { return fma(a, b, c); }
};
struct Separate {
  FASTCALOQ_INLINE F madd(F a, F b, F c) { return a * b + c; }
};

// exp(x) = scale * (1 + p): scale a power of two, p = expm1 of the reduced argument.
struct ReducedExp {
  F p;
  F scale;
};

FASTCALOQ_INLINE ReducedExp reduce_exp(F x) {
  x = min(set1(88.37f), max(set1(-88.0f), x));
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum.
  const F shifted = fma(x, set1(1.44269504f), set1(12582912.0f));
  const F n = shifted - set1(12582912.0f);
  F r = fma(n, set1(-0.693145751953125f), x);  // ln 2 in two parts, the first of 16 bits: exact
  r = fma(n, set1(-1.42860677e-06f), r);
  F q = fma(set1(0x1.6bec06p-10f), r, set1(0x1.122776p-7f));
  q = fma(q, r, set1(0x1.555674p-5f));
  q = fma(q, r, set1(0x1.5554b0p-3f));
  q = fma(q, r, set1(0x1.fffffep-2f));
  return {fma(r * r, q, r), floats(shift_left<23>(bits(shifted) + set1(std::uint32_t{127})))};
}

FASTCALOQ_INLINE F exp(F x) {
  const ReducedExp e = reduce_exp(x);
  return fma(e.p, e.scale, e.scale);
}

FASTCALOQ_INLINE F expm1(F x) {
  const ReducedExp e = reduce_exp(x);
  return fma(e.p, e.scale, e.scale - set1(1.0f));
}

template <class Arithmetic>
FASTCALOQ_INLINE F log_with(F x) {
  const M subnormal = x < set1(0x1p-126f);
  const F y = select(subnormal, x * set1(0x1p24f), x);
  // y = 2^n * (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const I offset = bits(y) - set1(std::uint32_t{0x3f3504f3});
  F n = from_signed(shift_right_signed<23>(offset));
  n = select(subnormal, n - set1(24.0f), n);
  const I mantissa = (offset & set1(std::uint32_t{0x007fffff})) + set1(std::uint32_t{0x3f3504f3});
  const F f = floats(mantissa) - set1(1.0f);
  F q = Arithmetic::madd(set1(0x1.1457c4p-4f), f, set1(-0x1.de3c48p-4f));
  q = Arithmetic::madd(q, f, set1(0x1.e6f07ap-4f));
  q = Arithmetic::madd(q, f, set1(-0x1.fc2200p-4f));
  q = Arithmetic::madd(q, f, set1(0x1.233766p-3f));
  q = Arithmetic::madd(q, f, set1(-0x1.555c4ep-3f));
  q = Arithmetic::madd(q, f, set1(0x1.99a4b6p-3f));
  q = Arithmetic::madd(q, f, set1(-0x1.000006p-2f));
  q = Arithmetic::madd(q, f, set1(0x1.555548p-2f));
  const F square = f * f;
  F tail = Arithmetic::madd(n, set1(1.42860677e-06f), square * f * q);
  tail = Arithmetic::madd(square, set1(-0.5f), tail);
  const F result = Arithmetic::madd(n, set1(0.693145751953125f), f + tail);
  const F zero = set1(0.0f);
  const F edge = select(x == zero, set1(-__builtin_inff()), set1(__builtin_nanf("")));
  return select(zero < x, result, edge);
}

FASTCALOQ_INLINE F log(F x) {
  return log_with<Fused>(x);
}

// log(1 + u) for u in [0, 1]: 2 artanh(u / (2 + u)).
FASTCALOQ_INLINE F log1p_unit(F u) {
  const F s = u / (u + set1(2.0f));
  const F z = s * s;
  F q = fma(set1(0x1.1ed9860p-2f), z, set1(0x1.1ebcb8p-2f));
  q = fma(q, z, set1(0x1.99d20cp-2f));
  q = fma(q, z, set1(0x1.555502p-1f));
  return fma(s * z, q, s + s);
}

FASTCALOQ_INLINE F softplus(F x) {
  return max(set1(0.0f), x) + log1p_unit(exp(-abs(x)));
}

// sigmoid(x) and sigmoid(-x).
FASTCALOQ_INLINE void sigmoids(F x, F& positive, F& negative) {
  const F e = exp(-abs(x));
  const F big = set1(1.0f) / (e + set1(1.0f));
  const F small = e * big;
  const M below = x < set1(0.0f);
  positive = select(below, small, big);
  negative = select(below, big, small);
}

FASTCALOQ_INLINE F tanh(F x) {
  const F e = expm1(abs(x) * set1(-2.0f));
  return copysign(e / (e + set1(2.0f)), x);
}

FASTCALOQ_INLINE F silu(F x) {
  return x / (exp(-x) + set1(1.0f));
}

// Phi(x), the distribution function of the standard normal: for a = |x|, the lower tail is
// exp(-a^2 / 2) t P(t) with t = 1 / (1 + 0.35 a), the fit being good to 4e-8 up to a = 14.
FASTCALOQ_INLINE F normal_cdf(F x) {
  const F a = abs(x);
  const F t = set1(1.0f) / fma(set1(0.35f), a, set1(1.0f));
  F q = fma(set1(-0x1.dd86dcp-6f), t, set1(0x1.26da9ep-3f));
  q = fma(q, t, set1(-0x1.05d9f0p-2f));
  q = fma(q, t, set1(0x1.45fd10p-3f));
  q = fma(q, t, set1(-0x1.7aa174p-6f));
  q = fma(q, t, set1(0x1.b02924p-4f));
  q = fma(q, t, set1(0x1.ead5e0p-4f));
  q = fma(q, t, set1(0x1.1e6fe6p-3f));
  q = fma(q, t, set1(0x1.1df1d4p-3f));
  const F tail = q * t * exp(a * a * set1(-0.5f));
  return select(x < set1(0.0f), tail, set1(1.0f) - tail);
}

// cos and sin of quarter turns and an angle in [-pi/4, pi/4]; only the last two bits count.
FASTCALOQ_INLINE void cos_sin_reduced(I quarter, F angle, F& cosine, F& sine) {
  using S = Separate;
  const F z = angle * angle;
  F s = S::madd(set1(-0x1.994388p-13f), z, set1(0x1.11073ap-7f));
  s = S::madd(s, z, set1(-0x1.555546p-3f));
  s = S::madd(s, z * angle, angle);
  F c = S::madd(set1(-0x1.241e6ap-22f), z, set1(0x1.a010dep-16f));
  c = S::madd(c, z, set1(-0x1.6c16b8p-10f));
  c = S::madd(c, z, set1(0x1.555556p-5f));
  c = S::madd(c * z, z, S::madd(z, set1(-0.5f), set1(1.0f)));
  const I one = set1(std::uint32_t{1});
  const M swapped = (quarter & one) == one;
  const I sine_sign = shift_left<30>(quarter & set1(std::uint32_t{2}));
  const I cosine_sign = shift_left<30>((quarter + one) & set1(std::uint32_t{2}));
  sine = floats(bits(select(swapped, c, s)) ^ sine_sign);
  cosine = floats(bits(select(swapped, s, c)) ^ cosine_sign);
}

// cos and sin of 2 pi turns / 2^32.
FASTCALOQ_INLINE void cos_sin(I turns, F& cosine, F& sine) {
  // Nearest quarter turn, and what is left of the turn in [-1/8, 1/8).
  const I quarter = shift_right<30>(turns + set1(std::uint32_t{1} << 29));
  const F angle =
      from_signed(turns - shift_left<30>(quarter)) * set1(1.46291808e-09f);  // 2 pi/2^32
  cos_sin_reduced(quarter, angle, cosine, sine);
}

// cos and sin of 2 pi turns, |turns| below 2^20.
FASTCALOQ_INLINE void cos_sin(F turns, F& cosine, F& sine) {
  // As in reduce_exp; what is left is exact.
  const F shifted = fma(turns, set1(4.0f), set1(12582912.0f));
  const F rest = fma(shifted - set1(12582912.0f), set1(-0.25f), turns);
  cos_sin_reduced(bits(shifted), rest * set1(6.28318531f), cosine, sine);
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
