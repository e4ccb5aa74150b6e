#include "simulation/model_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

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

ModelSimulation::ModelSimulation(std::unique_ptr<const ShowerSource> from,
                                 const ModelParametrizationOptions& options)
    : source_(std::move(from)),
      card_(source_->card()),
      pdgid_(options.pdgid),
      Ekin_(checked(options.Ekin, card_.validity.incident_energy, "kinetic energies")),
      eta_(checked(options.eta, card_.validity.eta, "|eta|")),
      n_voxels_(options.voxels ? source_->n_voxels() : 0),
      hit_maker_(source_->binning(), options.hits),
      make_hits_(options.make_hits && n_voxels_ > 0) {
  constexpr int photon = 22;
  if (pdgid_.empty()) {
    pdgid_ = {card_.pdg_id};
    if (card_.pdg_id != photon) pdgid_.push_back(-card_.pdg_id);
  }
  for (const LayerCard& layer : card_.binning.layers) layers_.push_back(layer.id);
}

bool ModelSimulation::accept(const SimulationRequest& request, BatchMemory& memory) const {
  SimulationState& state = *request.state;
  const TruthState& truth = *request.truth;
  if (std::find(pdgid_.begin(), pdgid_.end(), truth.pdgid) == pdgid_.end()) {
    char text[128];
    std::snprintf(text, sizeof text,
                  "a particle of PDG number %d was given to a parametrisation of %d: select by "
                  "is_match_pdgid",
                  truth.pdgid, pdgid_.front());
    state.fail(ReturnCode::Fatal, text);
    return false;
  }
  auto energy = static_cast<float>(truth.Ekin);
  auto pseudorapidity = static_cast<float>(shower_eta(truth, *request.extrapolation));
  try {
    state.mutable_counters().out_of_range += check_conditions(
        card_, {1, &energy, &pseudorapidity}, state.out_of_range(), &energy, &pseudorapidity);
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

ReturnCode ModelSimulation::finish(const SimulationRequest& request, const float* layer_energy,
                                   const float* voxel_energy) const {
  SimulationState& state = *request.state;
  if (!all_finite(layer_energy, layers_.size()) || !all_finite(voxel_energy, n_voxels_)) {
    return state.fail(ReturnCode::Retry, not_finite);
  }
  state.set_layer_energies(layers_.data(), layer_energy, layers_.size());
  state.set_voxel_energies(voxel_energy, n_voxels_);
  if (make_hits_) {
    const int lost =
        hit_maker_.append_hits(layer_energy, voxel_energy, *request.truth, *request.extrapolation,
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

void ModelSimulation::draw(SimulationRequest* requests, BatchMemory& memory, std::size_t first,
                           std::size_t last) const {
  const std::size_t n = last - first;
  const std::size_t width = layers_.size();
  float* layer_energy = memory.layer_energy.data() + first * width;
  float* voxel_energy = memory.voxel_energy.data() + first * n_voxels_;
  try {
    source_->sample(
        {n, memory.energy.data() + first, memory.eta.data() + first},
        {memory.seed[first], memory.event.data() + first, memory.particle.data() + first},
        layer_energy, n_voxels_ > 0 ? voxel_energy : nullptr);
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
      request.result = finish(request, layer_energy + i * width, voxel_energy + i * n_voxels_);
    } catch (const std::bad_alloc&) {
      request.result = request.state->fail(ReturnCode::Fatal, no_memory);
    }
  }
}

void ModelSimulation::run(SimulationRequest* requests, std::size_t n, BatchMemory& memory) const {
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
  memory.layer_energy.resize(accepted * layers_.size());
  memory.voxel_energy.resize(accepted * n_voxels_);
  for (std::size_t first = 0; first < accepted;) {
    std::size_t last = first + 1;
    while (last < accepted && memory.seed[last] == memory.seed[first]) ++last;
    draw(requests, memory, first, last);
    first = last;
  }
}

}  // namespace fastcaloq::detail
