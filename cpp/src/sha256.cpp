#include "sha256.hpp"

#include <algorithm>
#include <cstring>

#include "sha256_constants.hpp"

namespace fastcaloq::detail {
namespace {

constexpr std::uint32_t rotate(std::uint32_t value, int bits) noexcept {
  return (value >> bits) | (value << (32 - bits));
}

std::uint32_t big_endian(const unsigned char* bytes) noexcept {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | std::uint32_t{bytes[3]};
}

void compress(std::uint32_t* state, const unsigned char* block) noexcept {
  std::array<std::uint32_t, 64> words;
  for (std::size_t i = 0; i < 16; ++i) words[i] = big_endian(block + 4 * i);
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t a = words[i - 15];
    const std::uint32_t b = words[i - 2];
    words[i] = words[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) + words[i - 7] +
               (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
  }
  std::array<std::uint32_t, 8> work;
  std::copy_n(state, work.size(), work.begin());
  auto [a, b, c, d, e, f, g, h] = work;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                                ((e & f) ^ (~e & g)) + sha256_constants[i] + words[i];
    const std::uint32_t second =
        (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const std::array<std::uint32_t, 8> add{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < add.size(); ++i) state[i] += add[i];
}

Sha256Blocks fastest() noexcept {
  static const Sha256Blocks hardware = hardware_sha256_blocks();
  return hardware != nullptr ? hardware : sha256_blocks;
}

}  // namespace

void sha256_blocks(std::uint32_t* state, const unsigned char* data, std::size_t n_blocks) {
  for (std::size_t i = 0; i < n_blocks; ++i) compress(state, data + 64 * i);
}

Sha256::Sha256(Sha256Blocks blocks) : blocks_(blocks != nullptr ? blocks : fastest()) {}

void Sha256::update(std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  length_ += left;
  while (left > 0) {
    if (buffered_ == 0 && left >= buffer_.size()) {
      const std::size_t n_blocks = left / buffer_.size();
      blocks_(state_.data(), data, n_blocks);
      data += n_blocks * buffer_.size();
      left -= n_blocks * buffer_.size();
      continue;
    }
    const std::size_t take = std::min(left, buffer_.size() - buffered_);
    std::memcpy(buffer_.data() + buffered_, data, take);
    buffered_ += take;
    data += take;
    left -= take;
    if (buffered_ == buffer_.size()) {
      blocks_(state_.data(), buffer_.data(), 1);
      buffered_ = 0;
    }
  }
}

std::string Sha256::hex_digest() {
  const std::uint64_t bits = length_ * 8;
  std::string padding(1, '\x80');
  padding.append((buffered_ < 56 ? 55 : 119) - buffered_, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) {
    padding.push_back(static_cast<char>((bits >> shift) & 0xffU));
  }
  update(padding);
  std::string text;
  for (const std::uint32_t word : state_) {
    for (int shift = 28; shift >= 0; shift -= 4) {
      text.push_back("0123456789abcdef"[(word >> shift) & 0xfU]);
    }
  }
  return text;
}

}  // namespace fastcaloq::detail
