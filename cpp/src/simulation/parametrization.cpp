#include "fastcaloq/parametrization.hpp"

#include <cmath>

namespace fastcaloq {

ParametrizationBase::~ParametrizationBase() = default;

void ParametrizationBase::simulate(SimulationRequest* requests, std::size_t n) const noexcept {
  for (SimulationRequest* each = requests; each != requests + n; ++each) {
    each->result = simulate(*each->state, *each->truth, *each->extrapolation);
  }
}

bool ParametrizationBase::is_match_Ekin(double Ekin) const noexcept {
  return Ekin >= Ekin_min() && Ekin < Ekin_max();
}

bool ParametrizationBase::is_match_eta(double eta) const noexcept {
  return std::fabs(eta) >= eta_min() && std::fabs(eta) < eta_max();
}

bool ParametrizationBase::is_match(int pdgid, double Ekin, double eta) const noexcept {
  return is_match_pdgid(pdgid) && is_match_Ekin(Ekin) && is_match_eta(eta);
}

}  // namespace fastcaloq
