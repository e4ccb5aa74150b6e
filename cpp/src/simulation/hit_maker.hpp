/// \file
/// Draws hits from the voxels of a shower.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fastcaloq/hits.hpp"
#include "fastcaloq/model_card.hpp"
#include "fastcaloq/simulation_state.hpp"
#include "simulation/hit_drawing.hpp"

namespace fastcaloq::detail {

/// Immutable; used by many threads at once.
///
/// Random numbers: Philox4x32-10 keyed by the attempt's seed, LatentStream::hits. Hit i of voxel v has
/// words 2 (i % 2) (radius) and 2 (i % 2) + 1 (angle) of block v * ceil(max_hits_per_voxel / 2) + i / 2,
/// so a voxel's hits do not depend on the others.
class HitMaker {
 public:
  static constexpr int everything_found = -1;

  /// \throws InputError options that make no sense
  HitMaker(const BinningCard& binning, const HitOptions& options);

  /// Appends the hits of a shower. May throw std::bad_alloc.
  /// \param layer_energy (layers) MeV, as the voxels finite; only layers without voxels need it, which
  ///        give one hit at the impact point
  /// \param voxel_energy (voxels) MeV
  /// \return a layer with energy for which there is no impact point, or everything_found
  int append_hits(const float* layer_energy, const float* voxel_energy, const TruthState& truth,
                  const ExtrapolationState& extrapolation, const ShowerKey& key,
                  std::vector<Hit>& hits) const;

 private:
  bool find_centre(int layer, const ExtrapolationState& extrapolation, ImpactPoint& centre) const;

  std::vector<VoxelLayer> layers_;
  float hit_energy_ = 0.0F;
  std::uint32_t max_hits_ = 1;
  RadialDensity density_;
  double weight_;
};

}  // namespace fastcaloq::detail
