/// \file
/// From the card's JSON text to a checked ModelCard.
#pragma once

#include <string_view>

#include "fastcaloq/model_card.hpp"

namespace fastcaloq::detail {

/// Parses and checks a card of schema 1. Throws ModelError for a newer schema, unknown or missing
/// keys, numbers that are not finite or not sane, and parts that contradict each other.
ModelCard parse_card(std::string_view text);

}  // namespace fastcaloq::detail
