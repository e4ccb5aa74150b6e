/// \file
/// Reading the protocol-buffers wire format, every byte bounds-checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fastcaloq::detail {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field of a message. `bytes` points into the file and is set for WireType::bytes only.
struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;
  std::string_view bytes;
};

/// Walks the fields of one message; throws ModelError, with the message's name and the offset in it,
/// where the bytes are not a message (truncated, overlong varint, group, field number 0).
class WireReader {
 public:
  WireReader(std::string_view bytes, const char* message) : bytes_(bytes), message_(message) {}

  /// Reads the next field into `field`; false at the end of the message.
  bool next(WireField& field);

  /// Reads a bare varint, the element of a packed field.
  std::uint64_t varint();
  bool done() const noexcept { return position_ == bytes_.size(); }

  [[noreturn]] void fail(const char* reason) const;

 private:
  std::string_view take(std::uint64_t size);

  std::string_view bytes_;
  const char* message_;
  std::size_t position_ = 0;
};

}  // namespace fastcaloq::detail
