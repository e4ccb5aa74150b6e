#include "fastcaloq/parametrization_chain.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <new>
#include <utility>

#include "fastcaloq/error.hpp"
#include "simulation/batch_memory.hpp"

namespace fastcaloq {
namespace {

/// How far a value is outside an interval; NaN where it is no number.
double gap(double value, double low, double high) {
  return value < low ? low - value : std::max(value - high, 0.0);
}

/// First |eta|, then log(Ekin).
std::pair<double, double> distance(const ParametrizationBase& one, double Ekin, double eta) {
  return {gap(std::fabs(eta), one.eta_min(), one.eta_max()),
          gap(std::log(Ekin), std::log(one.Ekin_min()), std::log(one.Ekin_max()))};
}

/// Keeps a chain's own attempts from showing in the caller's key.
class KeptKey {
 public:
  explicit KeptKey(SimulationState& state) : state_(state), key_(state.key()) {}
  ~KeptKey() { state_.set_key(key_); }
  KeptKey(const KeptKey&) = delete;
  KeptKey& operator=(const KeptKey&) = delete;

 private:
  SimulationState& state_;
  ShowerKey key_;
};

template <typename Member>
double extreme(const std::vector<std::shared_ptr<const ParametrizationBase>>& chain, Member member,
               double start, bool largest) {
  double result = chain.empty() ? start : ((*chain.front()).*member)();
  for (const auto& one : chain) {
    const double value = ((*one).*member)();
    result = largest ? std::max(result, value) : std::min(result, value);
  }
  return result;
}

}  // namespace

void ParametrizationChain::push_back(std::shared_ptr<const ParametrizationBase> parametrization) {
  if (!parametrization) {
    throw InputError("a chain cannot hold a null parametrisation: give one that was made");
  }
  chain_.push_back(std::move(parametrization));
}

const ParametrizationBase* ParametrizationChain::select(int pdgid, double Ekin, double eta,
                                                        OutOfRange policy) const noexcept {
  for (const auto& one : chain_) {
    if (one->is_match(pdgid, Ekin, eta)) return one.get();
  }
  if (policy == OutOfRange::refuse || !(Ekin > 0.0) || !std::isfinite(eta)) return nullptr;
  const ParametrizationBase* nearest = nullptr;
  for (const auto& one : chain_) {
    if (!one->is_match_pdgid(pdgid)) continue;
    if (!nearest || distance(*one, Ekin, eta) < distance(*nearest, Ekin, eta)) nearest = one.get();
  }
  return nearest;
}

void ParametrizationChain::retry(SimulationRequest& request,
                                 const ParametrizationBase& parametrization) const noexcept {
  if (request.result != ReturnCode::Retry) return;
  SimulationState& state = *request.state;
  const KeptKey kept(state);
  ShowerKey key = state.key();
  for (unsigned i = 0; i < retries_ && request.result == ReturnCode::Retry; ++i) {
    ++key.attempt;
    state.set_key(key);
    request.result = parametrization.simulate(state, *request.truth, *request.extrapolation);
  }
  if (request.result == ReturnCode::Retry) {
    char text[256];
    std::snprintf(text, sizeof text, "no shower after %u more attempts: %.200s", retries_,
                  state.reason());
    request.result = state.fail(ReturnCode::Fatal, text);
  }
}

ReturnCode ParametrizationChain::simulate(SimulationState& state, const TruthState& truth,
                                          const ExtrapolationState& extrapolation) const noexcept {
  SimulationRequest request{&state, &truth, &extrapolation};
  simulate(&request, 1);
  return request.result;
}

void ParametrizationChain::simulate(SimulationRequest* requests, std::size_t n) const noexcept {
  const auto choose = [this](const SimulationRequest& request) -> const ParametrizationBase* {
    SimulationState& state = *request.state;
    const TruthState& truth = *request.truth;
    const double eta = shower_eta(truth, *request.extrapolation);
    const ParametrizationBase* one = select(truth.pdgid, truth.Ekin, eta, state.out_of_range());
    if (one) return one;
    char text[256];
    std::snprintf(
        text, sizeof text,
        "no parametrisation is for a particle of PDG number %d, kinetic energy %g MeV and "
        "eta %g: add one to the chain, or choose out_of_range clip or extrapolate",
        truth.pdgid, truth.Ekin, eta);
    ++state.mutable_counters().out_of_range;
    state.fail(ReturnCode::Fatal, text);
    return nullptr;
  };

  if (n == 1) {
    requests->result = ReturnCode::Fatal;
    if (const ParametrizationBase* one = choose(*requests)) {
      one->simulate(requests, 1);
      retry(*requests, *one);
    }
    return;
  }
  if (n == 0) return;
  // A daughter may be a chain, and use the same memory: what is in use here is taken out meanwhile.
  std::vector<SimulationRequest> part;
  std::vector<const ParametrizationBase*> choice;
  std::vector<std::size_t> origin;
  try {
    detail::BatchMemory& memory = requests->state->memory();
    part.swap(memory.part);
    choice.swap(memory.choice);
    origin.swap(memory.origin);
    part.reserve(n);
    origin.reserve(n);
    choice.assign(n, nullptr);
  } catch (const std::bad_alloc&) {  // one by one, then
    for (std::size_t i = 0; i < n; ++i) simulate(requests + i, 1);
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    requests[i].result = ReturnCode::Fatal;
    choice[i] = choose(requests[i]);
  }
  for (std::size_t first = 0; first < n; ++first) {
    const ParametrizationBase* one = choice[first];
    if (!one) continue;
    part.clear();
    origin.clear();
    for (std::size_t i = first; i < n; ++i) {
      if (choice[i] != one) continue;
      part.push_back(requests[i]);
      origin.push_back(i);
      choice[i] = nullptr;
    }
    one->simulate(part.data(), part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
      retry(part[i], *one);
      requests[origin[i]].result = part[i].result;
    }
  }
  try {
    detail::BatchMemory& memory = requests->state->memory();
    memory.part.swap(part);
    memory.choice.swap(choice);
    memory.origin.swap(origin);
  } catch (const std::bad_alloc&) {  // then they are not kept
  }
}

bool ParametrizationChain::is_match_pdgid(int pdgid) const noexcept {
  return std::any_of(chain_.begin(), chain_.end(),
                     [=](const auto& one) { return one->is_match_pdgid(pdgid); });
}
bool ParametrizationChain::is_match_Ekin(double Ekin) const noexcept {
  return std::any_of(chain_.begin(), chain_.end(),
                     [=](const auto& one) { return one->is_match_Ekin(Ekin); });
}
bool ParametrizationChain::is_match_eta(double eta) const noexcept {
  return std::any_of(chain_.begin(), chain_.end(),
                     [=](const auto& one) { return one->is_match_eta(eta); });
}
bool ParametrizationChain::is_match(int pdgid, double Ekin, double eta) const noexcept {
  return std::any_of(chain_.begin(), chain_.end(),
                     [=](const auto& one) { return one->is_match(pdgid, Ekin, eta); });
}
double ParametrizationChain::Ekin_min() const noexcept {
  return extreme(chain_, &ParametrizationBase::Ekin_min, 0.0, false);
}
double ParametrizationChain::Ekin_max() const noexcept {
  return extreme(chain_, &ParametrizationBase::Ekin_max, 0.0, true);
}
double ParametrizationChain::eta_min() const noexcept {
  return extreme(chain_, &ParametrizationBase::eta_min, 0.0, false);
}
double ParametrizationChain::eta_max() const noexcept {
  return extreme(chain_, &ParametrizationBase::eta_max, 0.0, true);
}

}  // namespace fastcaloq
