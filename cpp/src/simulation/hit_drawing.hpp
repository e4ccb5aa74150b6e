/// \file
/// Hits of one layer in the making.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fastcaloq/hits.hpp"
#include "fastcaloq/simulation_state.hpp"

namespace fastcaloq::detail {

/// A layer's voxels and how the layer lies.
struct VoxelLayer {
  int id = 0;
  Surface surface = Surface::cylinder;
  std::size_t n_rings = 0;
  std::size_t n_alpha = 1;
  std::vector<float>
      radius;  ///< n_rings + 1 edges: mm, or mm^2 where the density is uniform in area
};

/// Where the shower's axis crosses a layer.
struct ImpactPoint {
  double eta = 0.0;
  double phi = 0.0;  ///< radians, in [-pi, pi]
  double r = 0.0;    ///< mm, > 0
  double z = 0.0;    ///< mm
};

/// In [-pi, pi].
double wrapped(double phi) noexcept;

/// Draws hits a few voxels at a time: the kernels want their numbers side by side. Nothing but `hits`
/// allocates.
class HitDrawing {
 public:
  /// \param mirrored d_phi has the other sign
  /// \param hits out: hits are appended
  HitDrawing(const ShowerKey& key, RadialDensity density, bool mirrored, std::vector<Hit>& hits);

  /// What follows belongs to this layer, which must outlive it.
  void start(const VoxelLayer& layer, const ImpactPoint& centre);
  /// Adds `n` hits, 1 or 2, of `energy` MeV each from block `block` of the random numbers.
  void add(std::size_t ring, std::size_t sector, std::uint32_t block, std::uint32_t n,
           float energy);
  /// Draws what was added: at the end of each layer.
  void flush();

 private:
  struct Voxel {
    float low, width;  // of its ring, as VoxelLayer::radius
    float sector;
    float energy;  // MeV, of one hit
    std::uint32_t n;
  };
  static constexpr std::size_t blocks_at_once = 64;
  static constexpr std::size_t hits_at_once = 2 * blocks_at_once;

  void place(Hit* hits, std::size_t n);
  void place_forward(Hit* hits, std::size_t n) const;
  float phi(float displacement) const;

  bool area_, mirrored_;
  std::vector<Hit>& hits_;
  std::uint32_t key_[2];
  std::uint32_t particle_;
  std::uint32_t event_[2];
  const VoxelLayer* layer_ = nullptr;
  ImpactPoint centre_;
  float per_mm_eta_ = 0.0F, per_mm_phi_ = 0.0F;
  std::size_t n_blocks_ = 0;
  std::array<std::uint32_t, 4 * blocks_at_once> counters_;
  std::array<Voxel, blocks_at_once> voxels_;
  std::array<float, hits_at_once> radius_, turn_, cosine_, sine_, eta_, energy_;
};

}  // namespace fastcaloq::detail
