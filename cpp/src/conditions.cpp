#include "fastcaloq/conditions.hpp"

#include <algorithm>
#include <cmath>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq {
namespace {

struct Limits {
  explicit Limits(const PhaseSpace& space)
      : energy_low(static_cast<float>(space.incident_energy.low)),
        energy_high(static_cast<float>(space.incident_energy.high)),
        eta_low(static_cast<float>(space.eta.low)),
        eta_high(static_cast<float>(space.eta.high)) {}

  // False for NaN as well.
  bool contain(float energy, float eta) const noexcept {
    const float size = std::fabs(eta);
    return energy >= energy_low && energy <= energy_high && size >= eta_low && size <= eta_high;
  }

  float energy_low, energy_high, eta_low, eta_high;
};

std::string row_text(std::size_t row, const char* what, float value) {
  return "row " + std::to_string(row) + ": " + what + " " + detail::pretty(double{value});
}

std::string range_text(float low, float high) {
  return "[" + detail::pretty(double{low}) + ", " + detail::pretty(double{high}) + "]";
}

void check_physical(std::size_t row, float energy, float eta) {
  if (!std::isfinite(energy) || energy <= 0.0F) {
    throw InputError(row_text(row, "incident energy", energy) +
                     " MeV is not a positive finite number, so no shower can be drawn: correct or "
                     "drop this row");
  }
  if (!std::isfinite(eta)) {
    throw InputError(
        row_text(row, "eta", eta) +
        " is not a finite number, so no shower can be drawn: correct or drop this row");
  }
}

[[noreturn]] void refuse(std::size_t row, float energy, float eta, const Limits& limits,
                         const char* range, const char* advice) {
  const bool by_energy = energy < limits.energy_low || energy > limits.energy_high;
  const std::string what = by_energy ? row_text(row, "incident energy", energy) + " MeV"
                                     : row_text(row, "|eta|", std::fabs(eta));
  const std::string bounds = by_energy ? range_text(limits.energy_low, limits.energy_high) + " MeV"
                                       : range_text(limits.eta_low, limits.eta_high);
  throw InputError(what + " is outside the model's range of " + range + " " + bounds +
                   ", where it has learnt nothing: " + advice);
}

}  // namespace

OutOfRange out_of_range_from_name(const std::string& name) {
  if (name == "refuse") return OutOfRange::refuse;
  if (name == "clip") return OutOfRange::clip;
  if (name == "extrapolate") return OutOfRange::extrapolate;
  throw InputError(
      "out_of_range " + detail::in_quotes(name) +
      " is unknown, so it is open what to do with such particles: use 'refuse', 'clip' "
      "or 'extrapolate'");
}

std::size_t check_conditions(const ModelCard& card, const Conditions& conditions, OutOfRange policy,
                             float* incident_energy, float* eta) {
  const Limits validity(card.validity);
  const Limits reach(card.extrapolation);
  std::size_t n_outside = 0;
  for (std::size_t row = 0; row < conditions.n; ++row) {
    float energy = conditions.incident_energy[row];
    float pseudorapidity = conditions.eta[row];
    if (!validity.contain(energy, pseudorapidity)) {
      check_physical(row, energy, pseudorapidity);
      if (policy == OutOfRange::refuse) {
        refuse(row, energy, pseudorapidity, validity, "validity",
               "drop this row or choose out_of_range 'clip' or 'extrapolate'");
      }
      if (policy == OutOfRange::clip) {
        energy = std::clamp(energy, validity.energy_low, validity.energy_high);
        pseudorapidity = std::copysign(
            std::clamp(std::fabs(pseudorapidity), validity.eta_low, validity.eta_high),
            pseudorapidity);
      } else if (!reach.contain(energy, pseudorapidity)) {
        refuse(row, energy, pseudorapidity, reach, "extrapolation",
               "drop this row or choose out_of_range 'clip'");
      }
      ++n_outside;
    }
    if (incident_energy != nullptr) incident_energy[row] = energy;
    if (eta != nullptr) eta[row] = pseudorapidity;
  }
  return n_outside;
}

}  // namespace fastcaloq
