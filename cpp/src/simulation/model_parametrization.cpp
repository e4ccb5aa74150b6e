#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "fastcaloq/error.hpp"
#include "fastcaloq/parametrization.hpp"
#include "simulation/batch_memory.hpp"
#include "simulation/hit_maker.hpp"
#include "simulation/shower_source.hpp"
#include "text.hpp"

namespace fastcaloq {

using detail::BatchMemory;
using detail::HitMaker;
using detail::ShowerSource;

namespace {

constexpr const char* no_memory =
    "there is not enough memory for this shower: free some, or ask for smaller batches";
constexpr const char* not_finite =
    "the model gives an energy that is not finite: try again with other random numbers, and report "
    "it if it happens inside the range of validity";

/// low <= value < high, so that `limits` is inside.
Interval half_open(const Interval& limits) {
  // Conditions are compared in float32: what rounds to the upper limit is inside.
  const auto high = static_cast<float>(limits.high);
  const float above = std::nextafter(high, std::numeric_limits<float>::infinity());
  return {std::min(limits.low, double{static_cast<float>(limits.low)}), double{above}};
}

Interval checked(const std::optional<Interval>& wanted, const Interval& validity,
                 const char* name) {
  if (!wanted) return half_open(validity);
  if (!(wanted->low < wanted->high)) {
    throw InputError(std::string("a parametrisation for ") + name + " from " +
                     detail::pretty(wanted->low) + " to " + detail::pretty(wanted->high) +
                     " would match nothing: give low < high");
  }
  return *wanted;
}

bool all_finite(const float* values, std::size_t n) {
  bool good = true;
  for (std::size_t i = 0; i < n; ++i) {
    good = good && std::fabs(values[i]) <= std::numeric_limits<float>::max();
  }
  return good;
}

/// Without the "row 0: " of a text about a batch.
const char* without_row(const char* text) {
  const std::string_view whole(text);
  const std::size_t colon = whole.find(": ");
  return whole.substr(0, 4) == "row " && colon != std::string_view::npos ? text + colon + 2 : text;
}

}  // namespace

struct ModelParametrization::Implementation {
  Implementation(std::unique_ptr<const ShowerSource> from,
                 const ModelParametrizationOptions& options)
      : source(std::move(from)),
        card(source->card()),
        pdgid(options.pdgid),
        Ekin(checked(options.Ekin, card.validity.incident_energy, "kinetic energies")),
        eta(checked(options.eta, card.validity.eta, "|eta|")),
        n_voxels(options.voxels ? source->n_voxels() : 0),
        hit_maker(card.binning, options.hits),
        make_hits(options.make_hits && n_voxels > 0) {
    constexpr int photon = 22;
    if (pdgid.empty()) {
      pdgid = {card.pdg_id};
      if (card.pdg_id != photon) pdgid.push_back(-card.pdg_id);
    }
    for (const LayerCard& layer : card.binning.layers) layers.push_back(layer.id);
  }

  void run(SimulationRequest* requests, std::size_t n, BatchMemory& memory) const;
  /// Whether the model can be asked; if so its conditions are appended to `memory`.
  bool accept(const SimulationRequest& request, BatchMemory& memory) const;
  /// Draws the accepted particles [first, last), which have one seed.
  void draw(SimulationRequest* requests, BatchMemory& memory, std::size_t first,
            std::size_t last) const;
  ReturnCode finish(const SimulationRequest& request, const float* layer_energy,
                    const float* voxel_energy) const;

  std::unique_ptr<const ShowerSource> source;
  const ModelCard& card;
  std::vector<int> pdgid;
  Interval Ekin, eta;
  std::size_t n_voxels;
  HitMaker hit_maker;
  bool make_hits;
  std::vector<int> layers;
};

bool ModelParametrization::Implementation::accept(const SimulationRequest& request,
                                                  BatchMemory& memory) const {
  SimulationState& state = *request.state;
  const TruthState& truth = *request.truth;
  if (std::find(pdgid.begin(), pdgid.end(), truth.pdgid) == pdgid.end()) {
    char text[128];
    std::snprintf(text, sizeof text,
                  "a particle of PDG number %d was given to a parametrisation of %d: select by "
                  "is_match_pdgid",
                  truth.pdgid, pdgid.front());
    state.fail(ReturnCode::Fatal, text);
    return false;
  }
  auto energy = static_cast<float>(truth.Ekin);
  auto pseudorapidity = static_cast<float>(shower_eta(truth, *request.extrapolation));
  try {
    state.mutable_counters().out_of_range += check_conditions(
        card, {1, &energy, &pseudorapidity}, state.out_of_range(), &energy, &pseudorapidity);
  } catch (const InputError& error) {
    // Neither NaN nor a negative energy is out of range, they are nonsense.
    if (energy > 0.0F && std::isfinite(energy) && std::isfinite(pseudorapidity)) {
      ++state.mutable_counters().out_of_range;
    }
    state.fail(ReturnCode::Fatal, without_row(error.what()));
    return false;
  }
  memory.energy.push_back(energy);
  memory.eta.push_back(pseudorapidity);
  memory.seed.push_back(state.key().attempt_seed());
  memory.event.push_back(state.key().event);
  memory.particle.push_back(state.key().particle);
  return true;
}

ReturnCode ModelParametrization::Implementation::finish(const SimulationRequest& request,
                                                        const float* layer_energy,
                                                        const float* voxel_energy) const {
  SimulationState& state = *request.state;
  if (!all_finite(layer_energy, layers.size()) || !all_finite(voxel_energy, n_voxels)) {
    return state.fail(ReturnCode::Retry, not_finite);
  }
  state.set_layer_energies(layers.data(), layer_energy, layers.size());
  state.set_voxel_energies(voxel_energy, n_voxels);
  if (make_hits) {
    const int lost =
        hit_maker.append_hits(layer_energy, voxel_energy, *request.truth, *request.extrapolation,
                              state.key(), state.mutable_hits());
    if (lost != HitMaker::everything_found) {
      char text[160];
      std::snprintf(text, sizeof text,
                    "layer %d has energy but no extrapolated position, so its hits have no place: "
                    "set its positions or the calorimeter's boundary",
                    lost);
      return state.fail(ReturnCode::Fatal, text);
    }
  }
  return state.succeed();
}

void ModelParametrization::Implementation::draw(SimulationRequest* requests, BatchMemory& memory,
                                                std::size_t first, std::size_t last) const {
  const std::size_t n = last - first;
  const std::size_t width = layers.size();
  float* layer_energy = memory.layer_energy.data() + first * width;
  float* voxel_energy = memory.voxel_energy.data() + first * n_voxels;
  try {
    source->sample(
        {n, memory.energy.data() + first, memory.eta.data() + first},
        {memory.seed[first], memory.event.data() + first, memory.particle.data() + first},
        layer_energy, n_voxels > 0 ? voxel_energy : nullptr);
  } catch (const ModelError& error) {
    // Something of one row is not finite. The others are good, so each is asked for by itself.
    if (n > 1) {
      for (std::size_t i = first; i < last; ++i) draw(requests, memory, i, i + 1);
      return;
    }
    SimulationRequest& request = requests[memory.request[first]];
    request.result = request.state->fail(ReturnCode::Retry, without_row(error.what()));
    return;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    for (std::size_t i = first; i < last; ++i) {
      SimulationRequest& request = requests[memory.request[i]];
      request.result = request.state->fail(ReturnCode::Fatal, error.what());
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    SimulationRequest& request = requests[memory.request[first + i]];
    try {
      request.result = finish(request, layer_energy + i * width, voxel_energy + i * n_voxels);
    } catch (const std::bad_alloc&) {
      request.result = request.state->fail(ReturnCode::Fatal, no_memory);
    }
  }
}

void ModelParametrization::Implementation::run(SimulationRequest* requests, std::size_t n,
                                               BatchMemory& memory) const {
  memory.request.clear();
  memory.energy.clear();
  memory.eta.clear();
  memory.seed.clear();
  memory.event.clear();
  memory.particle.clear();
  for (std::size_t i = 0; i < n; ++i) {
    memory.request.push_back(i);  // before accept(): what may throw leaves the request untouched
    if (!accept(requests[i], memory)) memory.request.pop_back();
  }
  const std::size_t accepted = memory.request.size();
  memory.layer_energy.resize(accepted * layers.size());
  memory.voxel_energy.resize(accepted * n_voxels);
  for (std::size_t first = 0; first < accepted;) {
    std::size_t last = first + 1;
    while (last < accepted && memory.seed[last] == memory.seed[first]) ++last;
    draw(requests, memory, first, last);
    first = last;
  }
}

ModelParametrization::ModelParametrization(Sampler sampler,
                                           const ModelParametrizationOptions& options)
    : ModelParametrization(std::make_unique<detail::SamplerSource>(std::move(sampler)), options) {}

ModelParametrization::ModelParametrization(std::unique_ptr<const ShowerSource> source,
                                           const ModelParametrizationOptions& options)
    : implementation_(std::make_unique<Implementation>(std::move(source), options)) {}

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
    implementation_->run(requests, n, requests->state->memory());
  } catch (const std::bad_alloc&) {
    fail_rest(no_memory);
  } catch (const std::exception& error) {
    fail_rest(error.what());
  } catch (...) {
    fail_rest("a conditioner threw what is not an exception of the standard library");
  }
}

bool ModelParametrization::is_match_pdgid(int pdgid) const noexcept {
  const std::vector<int>& own = implementation_->pdgid;
  return std::find(own.begin(), own.end(), pdgid) != own.end();
}
double ModelParametrization::Ekin_min() const noexcept {
  return implementation_->Ekin.low;
}
double ModelParametrization::Ekin_max() const noexcept {
  return implementation_->Ekin.high;
}
double ModelParametrization::eta_min() const noexcept {
  return implementation_->eta.low;
}
double ModelParametrization::eta_max() const noexcept {
  return implementation_->eta.high;
}
const ModelCard& ModelParametrization::card() const noexcept {
  return implementation_->card;
}

}  // namespace fastcaloq
