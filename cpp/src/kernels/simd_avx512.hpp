// Vector types over AVX-512 (F, DQ, BW, VL): 16 lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

#define FASTCALOQ_INLINE static inline __attribute__((always_inline))
#define FASTCALOQ_MEMBER inline __attribute__((always_inline))

constexpr std::size_t kLanes = 16;

struct F {
  __m512 v;
};
struct I {
  __m512i v;
};
struct M {
  __mmask16 v;
};

FASTCALOQ_INLINE F load(const float* p) {
  return {_mm512_load_ps(p)};
}
FASTCALOQ_INLINE F loadu(const float* p) {
  return {_mm512_loadu_ps(p)};
}
FASTCALOQ_INLINE void store(float* p, F a) {
  _mm512_store_ps(p, a.v);
}
FASTCALOQ_INLINE void storeu(float* p, F a) {
  _mm512_storeu_ps(p, a.v);
}
FASTCALOQ_INLINE F set1(float a) {
  return {_mm512_set1_ps(a)};
}
FASTCALOQ_INLINE F operator+(F a, F b) {
  return {_mm512_add_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator-(F a, F b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator*(F a, F b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator/(F a, F b) {
  return {_mm512_div_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F fma(F a, F b, F c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
// Both return b where either is NaN.
FASTCALOQ_INLINE F min(F a, F b) {
  return {_mm512_min_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F max(F a, F b) {
  return {_mm512_max_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F sqrt(F a) {
  return {_mm512_sqrt_ps(a.v)};
}
FASTCALOQ_INLINE F abs(F a) {
  return {_mm512_abs_ps(a.v)};
}
FASTCALOQ_INLINE F operator-(F a) {
  return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))};
}
FASTCALOQ_INLINE F copysign(F magnitude, F sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return {_mm512_or_ps(_mm512_andnot_ps(bit, magnitude.v), _mm512_and_ps(bit, sign.v))};
}
FASTCALOQ_INLINE M operator<(F a, F b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
FASTCALOQ_INLINE M operator>=(F a, F b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)};
}
FASTCALOQ_INLINE M operator==(F a, F b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)};
}
FASTCALOQ_INLINE F select(M m, F a, F b) {
  return {_mm512_mask_blend_ps(m.v, b.v, a.v)};
}

FASTCALOQ_INLINE I loadu(const std::uint32_t* p) {
  return {_mm512_loadu_si512(p)};
}
FASTCALOQ_INLINE void storeu(std::uint32_t* p, I a) {
  _mm512_storeu_si512(p, a.v);
}
FASTCALOQ_INLINE I set1(std::uint32_t a) {
  return {_mm512_set1_epi32(static_cast<int>(a))};
}
FASTCALOQ_INLINE I bits(F a) {
  return {_mm512_castps_si512(a.v)};
}
FASTCALOQ_INLINE F floats(I a) {
  return {_mm512_castsi512_ps(a.v)};
}
FASTCALOQ_INLINE I operator+(I a, I b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
FASTCALOQ_INLINE I operator-(I a, I b) {
  return {_mm512_sub_epi32(a.v, b.v)};
}
FASTCALOQ_INLINE I operator&(I a, I b) {
  return {_mm512_and_si512(a.v, b.v)};
}
FASTCALOQ_INLINE I operator^(I a, I b) {
  return {_mm512_xor_si512(a.v, b.v)};
}
template <int N>
FASTCALOQ_INLINE I shift_left(I a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
FASTCALOQ_INLINE I shift_right(I a) {
  return {_mm512_srli_epi32(a.v, N)};
}
template <int N>
FASTCALOQ_INLINE I shift_right_signed(I a) {
  return {_mm512_srai_epi32(a.v, N)};
}
FASTCALOQ_INLINE M operator==(I a, I b) {
  return {_mm512_cmpeq_epi32_mask(a.v, b.v)};
}
FASTCALOQ_INLINE F from_signed(I a) {
  return {_mm512_cvtepi32_ps(a.v)};
}

// 32 x 32 -> 64 bits, lane by lane.
FASTCALOQ_INLINE void multiply_wide(I a, I b, I& high, I& low) {
  const __m512i even = _mm512_mul_epu32(a.v, b.v);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  high.v = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
  low.v = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
