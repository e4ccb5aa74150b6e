#include "fastcaloq/collector.hpp"

#include <string>
#include <utility>

#include "fastcaloq/error.hpp"

namespace fastcaloq {

Collector::Collector(const ParametrizationBase& parametrization, std::size_t capacity,
                     Handler handler, OutOfRange policy)
    : parametrization_(parametrization),
      capacity_(capacity),
      handler_(std::move(handler)),
      policy_(policy) {
  constexpr std::size_t most = 1000000;
  if (capacity == 0 || capacity > most) {
    throw InputError("a collector for " + std::to_string(capacity) +
                     " particles cannot work: give it room for 1 to " + std::to_string(most));
  }
  if (!handler_) {
    throw InputError("a collector without a handler would lose its showers: give a function");
  }
}

Collector::~Collector() = default;

void Collector::add(const TruthState& truth, const ExtrapolationState& extrapolation,
                    const ShowerKey& key) {
  if (n_ == capacity_) flush();
  if (n_ == particles_.size()) particles_.emplace_back();
  Particle& particle = particles_[n_];
  particle.truth = truth;
  particle.extrapolation = extrapolation;
  particle.state.set_key(key);
  particle.state.set_out_of_range(policy_);
  ++n_;
}

std::size_t Collector::flush() {
  requests_.clear();
  for (std::size_t i = 0; i < n_; ++i) {
    Particle& particle = particles_[i];
    particle.state.reset_counters();
    requests_.push_back({&particle.state, &particle.truth, &particle.extrapolation});
  }
  n_ = 0;  // a handler that throws, or adds, finds an empty collector
  parametrization_.simulate(requests_.data(), requests_.size());
  std::size_t without = 0;
  for (const SimulationRequest& request : requests_) {
    const SimulationCounters& counted = request.state->counters();
    counters_.success += counted.success;
    counters_.out_of_range += counted.out_of_range;
    counters_.retry += counted.retry;
    counters_.fatal += counted.fatal;
    if (request.result != ReturnCode::Success) ++without;
  }
  for (const SimulationRequest& request : requests_) {
    handler_(*request.state, *request.truth, request.result);
  }
  return without;
}

}  // namespace fastcaloq
