/// \file
/// Texts for error messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fastcaloq::detail {

/// A name from a file in quotes, safe to print: at most `longest` characters, anything but
/// plain ASCII as '?'.
std::string in_quotes(std::string_view name, std::size_t longest = 60);

/// A number as people write it: 6 significant digits, no trailing zeros.
std::string pretty(double value);

}  // namespace fastcaloq::detail
