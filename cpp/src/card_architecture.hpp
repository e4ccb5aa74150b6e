/// \file
/// The parts of the card that describe networks: the flow and its conditioning.
#pragma once

#include "fastcaloq/model_card.hpp"
#include "json_object.hpp"

namespace fastcaloq::detail {

/// Two numbers within [low, high], in order. Throws ModelError naming the key.
Interval parse_interval(JsonObject& object, const char* key, double low, double high);

/// The flow of a model of `n_layers` layers. Throws ModelError.
FlowCard parse_flow(JsonObject object, int n_layers);

/// The conditioning, whose table must cover `reach`. Throws ModelError.
ConditioningCard parse_conditioning(JsonObject object, const PhaseSpace& reach);

}  // namespace fastcaloq::detail
