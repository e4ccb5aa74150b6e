/// \file
/// What is fuzzed: everything that reads a model file, and a few showers of what could be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fastcaloq::test {

/// Reads `bytes` as a model file whose digest was set right, and as a card alone where they are no
/// such file. Nothing but the library's own errors is caught.
void read_anything(std::string_view bytes);

/// The file with the digest that fits it; unchanged where it has no place for one.
std::string resealed(std::string_view bytes);

/// The file's card; empty where it has none.
std::string_view card_of(std::string_view bytes);

/// The file with another card, whatever its length.
std::string with_card(std::string_view bytes, const std::string& card);

/// The card with one value somewhere replaced by a value that cards had better not hold, or one key
/// gone; unchanged where it is no JSON.
std::string with_strange_value(const std::string& card, std::uint32_t seed);

}  // namespace fastcaloq::test
