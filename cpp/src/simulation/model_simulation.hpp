/// \file
/// What a ModelParametrization does: particles in, conditions to the model, showers into states.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "fastcaloq/parametrization.hpp"
#include "simulation/batch_memory.hpp"
#include "simulation/hit_maker.hpp"
#include "simulation/shower_source.hpp"

namespace fastcaloq::detail {

inline constexpr const char* no_memory =
    "there is not enough memory for this shower: free some, or ask for smaller batches";

/// Immutable; used by many threads at once.
class ModelSimulation {
 public:
  /// \throws InputError options that make no sense
  ModelSimulation(std::unique_ptr<const ShowerSource> from,
                  const ModelParametrizationOptions& options);

  /// Fills results and states of all requests, or throws: those it did not come to have no reason then.
  /// The states are clear, the results Fatal.
  void run(SimulationRequest* requests, std::size_t n, BatchMemory& memory) const;

  const ModelCard& card() const noexcept { return card_; }
  const std::vector<int>& pdgid() const noexcept { return pdgid_; }
  const Interval& Ekin() const noexcept { return Ekin_; }
  const Interval& eta() const noexcept { return eta_; }

 private:
  /// Whether the model can be asked; if so its conditions are appended to `memory`.
  bool accept(const SimulationRequest& request, BatchMemory& memory) const;
  /// Draws the accepted particles [first, last), which have one seed.
  void draw(SimulationRequest* requests, BatchMemory& memory, std::size_t first,
            std::size_t last) const;
  ReturnCode finish(const SimulationRequest& request, const float* layer_energy,
                    const float* voxel_energy) const;

  std::unique_ptr<const ShowerSource> source_;
  const ModelCard& card_;
  std::vector<int> pdgid_;
  Interval Ekin_, eta_;  // low <= value < high
  std::size_t n_voxels_;
  HitMaker hit_maker_;
  bool make_hits_;
  std::vector<int> layers_;
};

}  // namespace fastcaloq::detail
