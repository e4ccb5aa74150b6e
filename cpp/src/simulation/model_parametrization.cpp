#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "fastcaloq/parametrization.hpp"
#include "simulation/model_simulation.hpp"

namespace fastcaloq {

ModelParametrization::ModelParametrization(Sampler sampler,
                                           const ModelParametrizationOptions& options)
    : ModelParametrization(std::make_unique<detail::SamplerSource>(std::move(sampler)), options) {}

ModelParametrization::ModelParametrization(std::unique_ptr<const detail::ShowerSource> source,
                                           const ModelParametrizationOptions& options)
    : simulation_(std::make_unique<detail::ModelSimulation>(std::move(source), options)) {}

ModelParametrization::~ModelParametrization() = default;

ReturnCode ModelParametrization::simulate(SimulationState& state, const TruthState& truth,
                                          const ExtrapolationState& extrapolation) const noexcept {
  SimulationRequest request{&state, &truth, &extrapolation};
  simulate(&request, 1);
  return request.result;
}

void ModelParametrization::simulate(SimulationRequest* requests, std::size_t n) const noexcept {
  const SimulationRequest* end = requests + n;
  for (SimulationRequest* each = requests; each != end; ++each) {
    each->result = ReturnCode::Fatal;
    each->state->clear();
  }
  if (n == 0) return;
  const auto fail_rest = [&](const char* reason) {
    for (SimulationRequest* each = requests; each != end; ++each) {
      const bool untouched = each->result == ReturnCode::Fatal && each->state->reason()[0] == '\0';
      if (untouched) each->state->fail(ReturnCode::Fatal, reason);
    }
  };
  try {
    simulation_->run(requests, n, requests->state->memory());
  } catch (const std::bad_alloc&) {
    fail_rest(detail::no_memory);
  } catch (const std::exception& error) {
    fail_rest(error.what());
  } catch (...) {
    fail_rest("a conditioner threw what is not an exception of the standard library");
  }
}

bool ModelParametrization::is_match_pdgid(int pdgid) const noexcept {
  const std::vector<int>& own = simulation_->pdgid();
  return std::find(own.begin(), own.end(), pdgid) != own.end();
}
double ModelParametrization::Ekin_min() const noexcept {
  return simulation_->Ekin().low;
}
double ModelParametrization::Ekin_max() const noexcept {
  return simulation_->Ekin().high;
}
double ModelParametrization::eta_min() const noexcept {
  return simulation_->eta().low;
}
double ModelParametrization::eta_max() const noexcept {
  return simulation_->eta().high;
}
const ModelCard& ModelParametrization::card() const noexcept {
  return simulation_->card();
}

}  // namespace fastcaloq
