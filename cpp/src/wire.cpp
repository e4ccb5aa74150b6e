#include "wire.hpp"

#include <string>

#include "fastcaloq/error.hpp"

namespace fastcaloq::detail {

void WireReader::fail(const char* reason) const {
  throw ModelError(
      std::string("not a readable ONNX file: ") + reason + " at byte " + std::to_string(position_) +
      " of its " + message_ +
      "; the file is damaged, truncated or of another format: fetch or export it again");
}

std::string_view WireReader::take(std::uint64_t size) {
  if (size > bytes_.size() - position_) fail("a field longer than what is left");
  const std::string_view part = bytes_.substr(position_, static_cast<std::size_t>(size));
  position_ += part.size();
  return part;
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (position_ == bytes_.size()) fail("a number cut short");
    const auto byte = static_cast<unsigned char>(bytes_[position_++]);
    // The tenth byte has room for one bit: more would be lost without a word.
    if (shift == 63 && byte > 1) fail("a number above 64 bits");
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  fail("a number above 64 bits");
}

bool WireReader::next(WireField& field) {
  if (done()) return false;
  const std::uint64_t tag = varint();
  if ((tag >> 3) == 0 || (tag >> 3) > 0x1fffffffU) fail("an impossible field number");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.value = 0;
  field.bytes = {};
  switch (tag & 7U) {
    case 0:
      field.type = WireType::varint;
      field.value = varint();
      return true;
    case 1:
      field.type = WireType::fixed64;
      take(8);
      return true;
    case 2:
      field.type = WireType::bytes;
      field.bytes = take(varint());
      return true;
    case 5:
      field.type = WireType::fixed32;
      take(4);
      return true;
    default:
      fail("an unknown kind of field");
  }
}

}  // namespace fastcaloq::detail
