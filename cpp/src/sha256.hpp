/// \file
/// SHA-256 (FIPS 180-4), which names a model file and finds every flipped bit in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fastcaloq::detail {

/// Adds whole blocks of 64 bytes to a state (section 6.2.2).
using Sha256Blocks = void (*)(std::uint32_t* state, const unsigned char* data,
                              std::size_t n_blocks);

/// In portable code: about 290 MB/s, 35 ms for a model of 10 MB.
void sha256_blocks(std::uint32_t* state, const unsigned char* data, std::size_t n_blocks);
/// With the instructions x86 processors have for it (1.7 GB/s); null where this one has none.
Sha256Blocks hardware_sha256_blocks() noexcept;

/// Streaming SHA-256.
class Sha256 {
 public:
  /// \param blocks null: the fastest this machine has
  explicit Sha256(Sha256Blocks blocks = nullptr);

  void update(std::string_view bytes);
  /// Digest of everything given so far as 64 lower-case hexadecimal characters; ends the stream.
  std::string hex_digest();

 private:
  Sha256Blocks blocks_;
  std::array<std::uint32_t, 8> state_{0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                      0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U};
  std::array<unsigned char, 64> buffer_{};
  std::size_t buffered_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace fastcaloq::detail
