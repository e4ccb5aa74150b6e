// Vector types over AVX2 and FMA: 8 lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

#define FASTCALOQ_INLINE static inline __attribute__((always_inline))
#define FASTCALOQ_MEMBER inline __attribute__((always_inline))

constexpr std::size_t kLanes = 8;

struct F {
  __m256 v;
};
struct I {
  __m256i v;
};
struct M {
  __m256 v;
};

FASTCALOQ_INLINE F load(const float* p) {
  return {_mm256_load_ps(p)};
}
FASTCALOQ_INLINE F loadu(const float* p) {
  return {_mm256_loadu_ps(p)};
}
FASTCALOQ_INLINE void store(float* p, F a) {
  _mm256_store_ps(p, a.v);
}
FASTCALOQ_INLINE void storeu(float* p, F a) {
  _mm256_storeu_ps(p, a.v);
}
FASTCALOQ_INLINE F set1(float a) {
  return {_mm256_set1_ps(a)};
}
FASTCALOQ_INLINE F operator+(F a, F b) {
  return {_mm256_add_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator-(F a, F b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator*(F a, F b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F operator/(F a, F b) {
  return {_mm256_div_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F fma(F a, F b, F c) {
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
// Both return b where either is NaN.
FASTCALOQ_INLINE F min(F a, F b) {
  return {_mm256_min_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F max(F a, F b) {
  return {_mm256_max_ps(a.v, b.v)};
}
FASTCALOQ_INLINE F sqrt(F a) {
  return {_mm256_sqrt_ps(a.v)};
}
FASTCALOQ_INLINE F abs(F a) {
  return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)};
}
FASTCALOQ_INLINE F operator-(F a) {
  return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))};
}
FASTCALOQ_INLINE F copysign(F magnitude, F sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.v), _mm256_and_ps(bit, sign.v))};
}
FASTCALOQ_INLINE M operator<(F a, F b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)};
}
FASTCALOQ_INLINE M operator>=(F a, F b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)};
}
FASTCALOQ_INLINE M operator==(F a, F b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)};
}
FASTCALOQ_INLINE F select(M m, F a, F b) {
  return {_mm256_blendv_ps(b.v, a.v, m.v)};
}

FASTCALOQ_INLINE I loadu(const std::uint32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
FASTCALOQ_INLINE void storeu(std::uint32_t* p, I a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
FASTCALOQ_INLINE I set1(std::uint32_t a) {
  return {_mm256_set1_epi32(static_cast<int>(a))};
}
FASTCALOQ_INLINE I bits(F a) {
  return {_mm256_castps_si256(a.v)};
}
FASTCALOQ_INLINE F floats(I a) {
  return {_mm256_castsi256_ps(a.v)};
}
FASTCALOQ_INLINE I operator+(I a, I b) {
  return {_mm256_add_epi32(a.v, b.v)};
}
FASTCALOQ_INLINE I operator-(I a, I b) {
  return {_mm256_sub_epi32(a.v, b.v)};
}
FASTCALOQ_INLINE I operator&(I a, I b) {
  return {_mm256_and_si256(a.v, b.v)};
}
FASTCALOQ_INLINE I operator^(I a, I b) {
  return {_mm256_xor_si256(a.v, b.v)};
}
template <int N>
FASTCALOQ_INLINE I shift_left(I a) {
  return {_mm256_slli_epi32(a.v, N)};
}
template <int N>
FASTCALOQ_INLINE I shift_right(I a) {
  return {_mm256_srli_epi32(a.v, N)};
}
template <int N>
FASTCALOQ_INLINE I shift_right_signed(I a) {
  return {_mm256_srai_epi32(a.v, N)};
}
FASTCALOQ_INLINE M operator==(I a, I b) {
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))};
}
FASTCALOQ_INLINE F from_signed(I a) {
  return {_mm256_cvtepi32_ps(a.v)};
}

// 32 x 32 -> 64 bits, lane by lane.
FASTCALOQ_INLINE void multiply_wide(I a, I b, I& high, I& low) {
  const __m256i even = _mm256_mul_epu32(a.v, b.v);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
  high.v = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  low.v = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
