// Vector types on compiler vector extensions: 4 lanes, any architecture that GCC or Clang knows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

#define FASTCALOQ_INLINE static inline __attribute__((always_inline))
#define FASTCALOQ_MEMBER inline __attribute__((always_inline))

constexpr std::size_t kLanes = 4;

typedef float NativeF __attribute__((vector_size(16)));
typedef std::int32_t NativeI __attribute__((vector_size(16)));
typedef std::uint32_t NativeU __attribute__((vector_size(16)));

struct F {
  NativeF v;
};
struct I {
  NativeU v;
};
struct M {
  NativeI v;
};

FASTCALOQ_INLINE F load(const float* p) {
  F a;
  __builtin_memcpy(&a.v, p, sizeof a.v);
  return a;
}
FASTCALOQ_INLINE F loadu(const float* p) {
  return load(p);
}
FASTCALOQ_INLINE void store(float* p, F a) {
  __builtin_memcpy(p, &a.v, sizeof a.v);
}
FASTCALOQ_INLINE void storeu(float* p, F a) {
  store(p, a);
}
FASTCALOQ_INLINE F set1(float a) {
  return {NativeF{a, a, a, a}};
}
FASTCALOQ_INLINE F operator+(F a, F b) {
  return {a.v + b.v};
}
FASTCALOQ_INLINE F operator-(F a, F b) {
  return {a.v - b.v};
}
FASTCALOQ_INLINE F operator*(F a, F b) {
  return {a.v * b.v};
}
FASTCALOQ_INLINE F operator/(F a, F b) {
  return {a.v / b.v};
}
FASTCALOQ_INLINE F operator-(F a) {
  return {-a.v};
}
// Fused where the architecture always has the instruction (then bits equal those of AVX), else
// two roundings: a call of fmaf() per lane would cost more than the rest of the kernel.
FASTCALOQ_INLINE F fma(F a, F b, F c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return {NativeF{__builtin_fmaf(a.v[0], b.v[0], c.v[0]), __builtin_fmaf(a.v[1], b.v[1], c.v[1]),
                  __builtin_fmaf(a.v[2], b.v[2], c.v[2]), __builtin_fmaf(a.v[3], b.v[3], c.v[3])}};
#else
  return {a.v * b.v + c.v};
#endif
}

FASTCALOQ_INLINE I loadu(const std::uint32_t* p) {
  I a;
  __builtin_memcpy(&a.v, p, sizeof a.v);
  return a;
}
FASTCALOQ_INLINE void storeu(std::uint32_t* p, I a) {
  __builtin_memcpy(p, &a.v, sizeof a.v);
}
FASTCALOQ_INLINE I set1(std::uint32_t a) {
  return {NativeU{a, a, a, a}};
}
FASTCALOQ_INLINE I bits(F a) {
  return {(NativeU)a.v};
}
FASTCALOQ_INLINE F floats(I a) {
  return {(NativeF)a.v};
}
FASTCALOQ_INLINE I operator+(I a, I b) {
  return {a.v + b.v};
}
FASTCALOQ_INLINE I operator-(I a, I b) {
  return {a.v - b.v};
}
FASTCALOQ_INLINE I operator&(I a, I b) {
  return {a.v & b.v};
}
FASTCALOQ_INLINE I operator^(I a, I b) {
  return {a.v ^ b.v};
}
template <int N>
FASTCALOQ_INLINE I shift_left(I a) {
  return {a.v << N};
}
template <int N>
FASTCALOQ_INLINE I shift_right(I a) {
  return {a.v >> N};
}
template <int N>
FASTCALOQ_INLINE I shift_right_signed(I a) {
  return {(NativeU)((NativeI)a.v >> N)};
}
FASTCALOQ_INLINE M operator==(I a, I b) {
  return {(NativeI)(a.v == b.v)};
}
FASTCALOQ_INLINE F from_signed(I a) {
  return {__builtin_convertvector((NativeI)a.v, NativeF)};
}

FASTCALOQ_INLINE M operator<(F a, F b) {
  return {(NativeI)(a.v < b.v)};
}
FASTCALOQ_INLINE M operator>=(F a, F b) {
  return {(NativeI)(a.v >= b.v)};
}
FASTCALOQ_INLINE M operator==(F a, F b) {
  return {(NativeI)(a.v == b.v)};
}
FASTCALOQ_INLINE F select(M m, F a, F b) {
  return {(NativeF)((m.v & (NativeI)a.v) | (~m.v & (NativeI)b.v))};
}
// Both return b where either is NaN.
FASTCALOQ_INLINE F min(F a, F b) {
  return select(a < b, a, b);
}
FASTCALOQ_INLINE F max(F a, F b) {
  return select(b < a, a, b);
}
FASTCALOQ_INLINE F abs(F a) {
  return {(NativeF)((NativeI)a.v & 0x7fffffff)};
}
FASTCALOQ_INLINE F copysign(F magnitude, F sign) {
  const NativeI bit = (NativeI)NativeF{-0.0f, -0.0f, -0.0f, -0.0f};
  return {(NativeF)((~bit & (NativeI)magnitude.v) | (bit & (NativeI)sign.v))};
}
FASTCALOQ_INLINE F sqrt(F a) {
  return {NativeF{__builtin_sqrtf(a.v[0]), __builtin_sqrtf(a.v[1]), __builtin_sqrtf(a.v[2]),
                  __builtin_sqrtf(a.v[3])}};
}

// 32 x 32 -> 64 bits, lane by lane.
FASTCALOQ_INLINE void multiply_wide(I a, I b, I& high, I& low) {
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t product = static_cast<std::uint64_t>(a.v[i]) * b.v[i];
    high.v[i] = static_cast<std::uint32_t>(product >> 32);
    low.v[i] = static_cast<std::uint32_t>(product);
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
