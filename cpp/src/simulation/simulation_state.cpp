#include "fastcaloq/simulation_state.hpp"

#include <algorithm>
#include <cstring>

#include "simulation/batch_memory.hpp"

namespace fastcaloq {

std::uint64_t ShowerKey::attempt_seed() const noexcept {
  if (attempt == 0) return seed;
  // The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection of the attempt.
  std::uint64_t mixed = attempt * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return seed ^ mixed ^ (mixed >> 31);
}

SimulationState::SimulationState() = default;
SimulationState::SimulationState(const ShowerKey& key) : key_(key) {}
SimulationState::~SimulationState() = default;
SimulationState::SimulationState(SimulationState&&) noexcept = default;
SimulationState& SimulationState::operator=(SimulationState&&) noexcept = default;

double SimulationState::E(int layer) const noexcept {
  const auto place = std::find(layers_.begin(), layers_.end(), layer);
  if (place == layers_.end()) return 0.0;
  return double{layer_energy_[static_cast<std::size_t>(place - layers_.begin())]};
}

double SimulationState::Efrac(int layer) const noexcept {
  return total_ > 0.0 ? E(layer) / total_ : 0.0;
}

void SimulationState::clear() noexcept {
  total_ = 0.0;
  layers_.clear();
  layer_energy_.clear();
  voxel_energy_.clear();
  hits_.clear();
  reason_[0] = '\0';
}

void SimulationState::set_layer_energies(const int* layers, const float* energy, std::size_t n) {
  layers_.assign(layers, layers + n);
  layer_energy_.assign(energy, energy + n);
  total_ = 0.0;
  for (std::size_t i = 0; i < n; ++i) total_ += double{energy[i]};
}

void SimulationState::set_voxel_energies(const float* energy, std::size_t n) {
  voxel_energy_.assign(energy, energy + n);
}

ReturnCode SimulationState::fail(ReturnCode code, const char* reason) noexcept {
  clear();
  const std::size_t length = std::min(std::strlen(reason), reason_.size() - 1);
  std::memcpy(reason_.data(), reason, length);
  reason_[length] = '\0';
  ++(code == ReturnCode::Retry ? counters_.retry : counters_.fatal);
  return code;
}

ReturnCode SimulationState::succeed() noexcept {
  reason_[0] = '\0';
  ++counters_.success;
  return ReturnCode::Success;
}

detail::BatchMemory& SimulationState::memory() {
  if (!memory_) memory_ = std::make_unique<detail::BatchMemory>();
  return *memory_;
}

}  // namespace fastcaloq
