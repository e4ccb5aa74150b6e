#include "text.hpp"

#include <array>
#include <cstdio>

namespace fastcaloq::detail {

std::string in_quotes(std::string_view name, std::size_t longest) {
  std::string text = "'";
  for (const char c : name.substr(0, longest)) text.push_back(c >= ' ' && c <= '~' ? c : '?');
  text += name.size() > longest ? "...'" : "'";
  return text;
}

std::string pretty(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6g", value);
  return buffer.data();
}

}  // namespace fastcaloq::detail
