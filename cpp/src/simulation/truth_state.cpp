#include "fastcaloq/truth_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fastcaloq {

TruthState TruthState::from_four_momentum(int pdgid, double px, double py, double pz,
                                          double E) noexcept {
  const double pt = std::hypot(px, py);
  const double p = std::hypot(pt, pz);
  TruthState truth;
  truth.pdgid = pdgid;
  // (E - p)(E + p) keeps the digits that E^2 - p^2 loses; what is left below rounding is no mass.
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * E;
  truth.mass = E - p > rounding ? std::sqrt((E - p) * (E + p)) : 0.0;
  truth.Ekin = E - truth.mass;
  truth.eta =
      pt > 0.0 ? std::asinh(pz / pt) : std::copysign(std::numeric_limits<double>::infinity(), pz);
  truth.phi = std::atan2(py, px);
  return truth;
}

double TruthState::P() const noexcept {
  return std::sqrt(std::max(0.0, Ekin * (Ekin + 2 * mass)));
}
double TruthState::Pt() const noexcept {
  return P() / std::cosh(eta);
}
double TruthState::Px() const noexcept {
  return Pt() * std::cos(phi);
}
double TruthState::Py() const noexcept {
  return Pt() * std::sin(phi);
}
double TruthState::Pz() const noexcept {
  return P() * std::tanh(eta);
}

}  // namespace fastcaloq
