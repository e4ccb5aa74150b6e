/// \file
/// What showers are asked for, and what happens outside the range a model was trained in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "fastcaloq/export.hpp"
#include "fastcaloq/model_card.hpp"

namespace fastcaloq {

/// The particles showers are asked for. Views: the arrays stay the caller's.
struct Conditions {
  std::size_t n = 0;
  const float* incident_energy = nullptr;  ///< (n) MeV, > 0
  const float* eta = nullptr;              ///< (n) pseudorapidity, either sign
  /// (n, Q) row-major features, finite; null: those of the sampler's conditioner. Those of the values
  /// that are used, so of the clipped ones where the policy is to clip.
  const float* quantum = nullptr;
};

/// What to do with particles outside the card's range of validity.
enum class OutOfRange : std::uint8_t {
  refuse,      ///< InputError naming the first such row
  clip,        ///< use the nearest energy and |eta| of the range of validity
  extrapolate  ///< use the model as it is, up to the card's extrapolation range; beyond: InputError
};

/// From "refuse", "clip" or "extrapolate"; throws InputError for anything else.
FASTCALOQ_API OutOfRange out_of_range_from_name(const std::string& name);

/// Checks every row and applies the policy. Limits are compared in float32, so that a limit of the
/// card given as float32 is inside.
/// \param incident_energy,eta out, (n) each: the values to use (clipped where the policy says so);
///        may be the arrays of `conditions` themselves, or null where they are not wanted.
/// \return number of rows outside the range of validity
/// \throws InputError NaN, infinite, zero or negative energy, NaN or infinite eta, or outside what the
///         policy allows; names the first such row, counted from 0.
FASTCALOQ_API std::size_t check_conditions(const ModelCard& card, const Conditions& conditions,
                                           OutOfRange policy, float* incident_energy, float* eta);

}  // namespace fastcaloq
