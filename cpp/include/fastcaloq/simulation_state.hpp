/// \file
/// What a parametrisation writes, and how the caller wants it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fastcaloq/conditions.hpp"
#include "fastcaloq/export.hpp"
#include "fastcaloq/hits.hpp"

namespace fastcaloq {

namespace detail {
struct BatchMemory;
}

/// What `simulate` returns, with FastCaloSim's values.
enum class ReturnCode : std::uint8_t {
  Fatal =
      0,  ///< no shower, and none would come from trying again; SimulationState::reason says why
  Success = 1,  ///< the state holds a shower
  Retry = 2,    ///< no shower, other random numbers may give one
};

/// What a shower's random numbers are keyed by. The same key, energy and eta give the same shower.
struct ShowerKey {
  std::uint64_t seed = 0;
  std::uint64_t event = 0;
  std::uint32_t particle = 0;  ///< number of the particle in its event
  std::uint32_t attempt = 0;   ///< other random numbers for each; chains count it up after a Retry

  /// The seed of this attempt; `seed` itself for the first.
  FASTCALOQ_API std::uint64_t attempt_seed() const noexcept;
};

/// What happened to the showers asked of one state.
struct SimulationCounters {
  std::uint64_t success = 0;  ///< showers made
  std::uint64_t out_of_range =
      0;                    ///< particles outside a model's range of validity, whatever became of
                            ///< them
  std::uint64_t retry = 0;  ///< times Retry was returned or tried again
  std::uint64_t fatal = 0;  ///< particles without a shower, those refused among them
};

/// A shower and the memory it is made in: FastCaloSim's TFCSSimulationState. One thread uses it at a
/// time; used again and again, it stops allocating.
class FASTCALOQ_API SimulationState {
 public:
  SimulationState();
  explicit SimulationState(const ShowerKey& key);
  ~SimulationState();
  SimulationState(SimulationState&&) noexcept;
  SimulationState& operator=(SimulationState&&) noexcept;

  /// Random numbers of the next shower.
  void set_key(const ShowerKey& key) noexcept { key_ = key; }
  const ShowerKey& key() const noexcept { return key_; }
  /// What to do with particles outside a model's range of validity: refuse them (Fatal; as it is from
  /// the start), clip or extrapolate.
  void set_out_of_range(OutOfRange policy) noexcept { out_of_range_ = policy; }
  OutOfRange out_of_range() const noexcept { return out_of_range_; }

  /// MeV, the sum over the layers.
  double E() const noexcept { return total_; }
  /// MeV in one layer; 0 for a layer the shower does not know.
  double E(int layer) const noexcept;
  /// E(layer) / E(); 0 for an empty shower.
  double Efrac(int layer) const noexcept;
  /// Numbers of the layers, in the order of layer_energy.
  const std::vector<int>& layers() const noexcept { return layers_; }
  const std::vector<float>& layer_energy() const noexcept { return layer_energy_; }  ///< MeV
  /// MeV, layer after layer, alpha after alpha, r fastest; empty for a model of energies alone.
  const std::vector<float>& voxel_energy() const noexcept { return voxel_energy_; }
  /// Empty for a model of energies alone.
  const std::vector<Hit>& hits() const noexcept { return hits_; }
  /// Why the last call returned Retry or Fatal, on one line; empty after Success.
  const char* reason() const noexcept { return reason_.data(); }
  const SimulationCounters& counters() const noexcept { return counters_; }
  void reset_counters() noexcept { counters_ = {}; }

  /// Forgets the shower; key, policy, counters and memory stay. `simulate` does it first.
  void clear() noexcept;

  /// \name For classes derived from ParametrizationBase
  /// @{
  /// Sets layers, their energies and the total. May throw std::bad_alloc.
  void set_layer_energies(const int* layers, const float* energy, std::size_t n);
  void set_voxel_energies(const float* energy, std::size_t n);  ///< May throw std::bad_alloc.
  std::vector<Hit>& mutable_hits() noexcept { return hits_; }
  SimulationCounters& mutable_counters() noexcept { return counters_; }
  /// Forgets the shower, keeps the reason (255 characters of it), counts, and returns `code`.
  ReturnCode fail(ReturnCode code, const char* reason) noexcept;
  /// Counts a shower and returns Success.
  ReturnCode succeed() noexcept;
  /// Memory of the library's own classes for a batch that starts with this state.
  detail::BatchMemory& memory();
  /// @}

 private:
  ShowerKey key_;
  OutOfRange out_of_range_ = OutOfRange::refuse;
  double total_ = 0.0;
  std::vector<int> layers_;
  std::vector<float> layer_energy_;
  std::vector<float> voxel_energy_;
  std::vector<Hit> hits_;
  SimulationCounters counters_;
  std::array<char, 256> reason_{};
  std::unique_ptr<detail::BatchMemory> memory_;
};

}  // namespace fastcaloq
