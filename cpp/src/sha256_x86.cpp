// SHA-256 with the SHA extensions of x86 processors. Holds no inline function of other headers but
// intrinsics, so that nothing compiled here for such a processor can run on another.
#include "sha256.hpp"
#include "sha256_constants.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace fastcaloq::detail {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

__attribute__((target("sha,sse4.1,ssse3"))) void blocks_with_extensions(std::uint32_t* state,
                                                                        const unsigned char* data,
                                                                        std::size_t n_blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto word = [state](int i) { return static_cast<int>(state[i]); };
  // The instructions want the state as (a, b, e, f) and (c, d, g, h), first word highest.
  __m128i abef = _mm_set_epi32(word(0), word(1), word(4), word(5));
  __m128i cdgh = _mm_set_epi32(word(2), word(3), word(6), word(7));
  for (; n_blocks > 0; --n_blocks, data += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i words[4];
    for (int i = 0; i < 4; ++i) {
      words[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i);
      words[i] = _mm_shuffle_epi8(words[i], big_endian);
    }
    // Four rounds a turn; words[0] are theirs, and the words of 16 rounds later take the place.
    for (int i = 0; i < 16; ++i) {
      const auto* constants = reinterpret_cast<const __m128i*>(sha256_constants) + i;
      const __m128i sum = _mm_add_epi32(words[0], _mm_load_si128(constants));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
      __m128i later = _mm_sha256msg1_epu32(words[0], words[1]);
      later = _mm_add_epi32(later, _mm_alignr_epi8(words[3], words[2], 4));
      later = _mm_sha256msg2_epu32(later, words[3]);
      words[0] = words[1];
      words[1] = words[2];
      words[2] = words[3];
      words[3] = later;
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  alignas(16) std::uint32_t first[4];
  alignas(16) std::uint32_t second[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(first), abef);
  _mm_store_si128(reinterpret_cast<__m128i*>(second), cdgh);
  state[0] = first[3];
  state[1] = first[2];
  state[2] = second[3];
  state[3] = second[2];
  state[4] = first[1];
  state[5] = first[0];
  state[6] = second[1];
  state[7] = second[0];
}

}  // namespace

Sha256Blocks hardware_sha256_blocks() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned sha_extensions = 1U << 29;  // CPUID leaf 7, EBX
  __builtin_cpu_init();
  const bool here = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha_extensions) != 0 &&
                    __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
  return here ? blocks_with_extensions : nullptr;
}
#else
Sha256Blocks hardware_sha256_blocks() noexcept {
  return nullptr;
}
#endif

}  // namespace fastcaloq::detail
