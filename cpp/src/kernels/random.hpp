// Counter-based random numbers: Philox4x32-10 and standard normal latents.
//
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (2011), section 4.3; the
// normals by Box and Muller, Ann. Math. Statist. 29 (1958) 610. No fma anywhere here, so the bits
// are the same on every instruction set.
#pragma once

#include "math.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

struct Counter {
  I word[4];
};

FASTCALOQ_INLINE Counter philox4x32(Counter c, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    I high0, low0, high1, low1;
    multiply_wide(c.word[0], set1(std::uint32_t{0xD2511F53}), high0, low0);
    multiply_wide(c.word[2], set1(std::uint32_t{0xCD9E8D57}), high1, low1);
    c = {high1 ^ c.word[1] ^ set1(key0), low1, high0 ^ c.word[3] ^ set1(key1), low0};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

// Two normals from two words. The radius is at most sqrt(2 * 33 ln 2) = 6.764.
FASTCALOQ_INLINE void box_muller(I first, I second, F& normal0, F& normal1) {
  // Word to float with one rounding: the halves convert exactly, 2^16 * high + low rounds once.
  const F high = from_signed(shift_right<16>(first)) * set1(65536.0f);
  const F low = from_signed(first & set1(std::uint32_t{0xffff}));
  const F uniform = ((high + low) + set1(0.5f)) * set1(0x1p-32f);  // in (0, 1]
  const F radius = sqrt(log_with<Separate>(uniform) * set1(-2.0f));
  F cosine, sine;
  cos_sin(second, cosine, sine);
  normal0 = radius * cosine;
  normal1 = radius * sine;
}

static void philox_kernel(const std::uint32_t* key, const std::uint32_t* counters,
                          std::uint32_t* out, std::size_t n) {
  alignas(64) std::uint32_t words[4][kLanes];
  for (std::size_t first = 0; first < n; first += kLanes) {
    const std::size_t count = n - first < kLanes ? n - first : kLanes;
    for (std::size_t i = 0; i < kLanes; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        words[j][i] = i < count ? counters[4 * (first + i) + j] : 0;
      }
    }
    const Counter c = philox4x32(
        {loadu(words[0]), loadu(words[1]), loadu(words[2]), loadu(words[3])}, key[0], key[1]);
    for (std::size_t j = 0; j < 4; ++j) storeu(words[j], c.word[j]);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < 4; ++j) out[4 * (first + i) + j] = words[j][i];
    }
  }
}

static void latents_kernel(std::uint64_t seed, const std::uint64_t* event,
                           const std::uint32_t* particle, std::size_t n, std::size_t n_latents,
                           std::uint32_t stream, float* out) {
  // The lanes are (shower, block of four latents) pairs, so that a single shower fills them too.
  const std::size_t blocks = (n_latents + 3) / 4;
  alignas(64) std::uint32_t words[4][kLanes];
  alignas(64) float normals[4][kLanes];
  std::size_t shower = 0, block = 0;
  while (shower < n && blocks > 0) {
    const std::size_t first_shower = shower, first_block = block;
    std::size_t count = 0;
    for (; count < kLanes && shower < n; ++count) {
      words[0][count] = stream << 24 | static_cast<std::uint32_t>(block);
      words[1][count] = particle[shower];
      words[2][count] = static_cast<std::uint32_t>(event[shower]);
      words[3][count] = static_cast<std::uint32_t>(event[shower] >> 32);
      if (++block == blocks) {
        block = 0;
        ++shower;
      }
    }
    for (std::size_t i = count; i < kLanes; ++i) {
      words[0][i] = words[1][i] = words[2][i] = words[3][i] = 0;
    }
    const Counter c =
        philox4x32({loadu(words[0]), loadu(words[1]), loadu(words[2]), loadu(words[3])},
                   static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    F z0, z1, z2, z3;
    box_muller(c.word[0], c.word[1], z0, z1);
    box_muller(c.word[2], c.word[3], z2, z3);
    store(normals[0], z0);
    store(normals[1], z1);
    store(normals[2], z2);
    store(normals[3], z3);
    std::size_t s = first_shower, b = first_block;
    for (std::size_t i = 0; i < count; ++i) {
      float* target = out + s * n_latents + 4 * b;
      const std::size_t width = n_latents - 4 * b < 4 ? n_latents - 4 * b : 4;
      for (std::size_t j = 0; j < width; ++j) target[j] = normals[j][i];
      if (++b == blocks) {
        b = 0;
        ++s;
      }
    }
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
