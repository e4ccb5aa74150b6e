#include "simulation/hit_maker.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "fastcaloq/error.hpp"
#include "simulation/particle_charge.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

constexpr std::uint32_t most_blocks = 1U << 24;  // the counter's bits below the stream

void check(const HitOptions& options) {
  if (!(options.default_hit_energy > 0.0) || !std::isfinite(options.default_hit_energy)) {
    throw InputError("a hit energy of " + pretty(options.default_hit_energy) +
                     " MeV gives no number of hits: use a positive number, 4 for instance");
  }
  if (options.max_hits_per_voxel < 1) {
    throw InputError("at most " + std::to_string(options.max_hits_per_voxel) +
                     " hits in a voxel would lose its energy: allow at least 1");
  }
  if (!(options.extrapolation_weight >= 0.0 && options.extrapolation_weight <= 1.0)) {
    throw InputError("an extrapolation weight of " + pretty(options.extrapolation_weight) +
                     " puts showers outside the layer: use 0 (entrance) to 1 (exit)");
  }
}

}  // namespace

HitMaker::HitMaker(const BinningCard& binning, const HitOptions& options)
    : density_(options.radial_density), weight_(options.extrapolation_weight) {
  check(options);
  hit_energy_ = static_cast<float>(options.default_hit_energy);
  max_hits_ = static_cast<std::uint32_t>(options.max_hits_per_voxel);
  const std::size_t blocks = (std::size_t{max_hits_} + 1) / 2;
  if (binning.n_voxels() > 0 && blocks > most_blocks / binning.n_voxels()) {
    throw InputError("up to " + std::to_string(max_hits_) + " hits in each of " +
                     std::to_string(binning.n_voxels()) +
                     " voxels need more random numbers than a shower has: allow fewer");
  }
  for (const LayerCard& card : binning.layers) {
    VoxelLayer layer{card.id,
                     atlas_surface(card.id),
                     card.n_rings(),
                     static_cast<std::size_t>(card.n_alpha),
                     {}};
    for (const auto& [id, surface] : options.surfaces) {
      if (id == card.id) layer.surface = surface;
    }
    for (const double edge : card.r_edges) {
      layer.radius.push_back(
          static_cast<float>(density_ == RadialDensity::uniform_in_area ? edge * edge : edge));
    }
    layers_.push_back(std::move(layer));
  }
}

bool HitMaker::find_centre(int layer, const ExtrapolationState& extrapolation,
                           ImpactPoint& centre) const {
  const Position& entrance = extrapolation.at(layer, SubPos::ENT);
  const Position& exit = extrapolation.at(layer, SubPos::EXT);
  const Position& middle = extrapolation.at(layer, SubPos::MID);
  if (entrance.OK && exit.OK) {
    const auto between = [this](double from, double to) { return from + weight_ * (to - from); };
    centre = {between(entrance.eta, exit.eta),
              wrapped(entrance.phi + weight_ * wrapped(exit.phi - entrance.phi)),
              between(entrance.r, exit.r), between(entrance.z, exit.z)};
  } else {
    const Position& point = middle.OK ? middle : extrapolation.calo_boundary();
    if (!point.OK) return false;
    centre = {point.eta, wrapped(point.phi), point.r, point.z};
  }
  return centre.r > 0.0 && std::isfinite(centre.r) && std::isfinite(centre.z) &&
         std::isfinite(centre.eta) && std::isfinite(centre.phi);
}

int HitMaker::append_hits(const float* layer_energy, const float* voxel_energy,
                          const TruthState& truth, const ExtrapolationState& extrapolation,
                          const ShowerKey& key, std::vector<Hit>& hits) const {
  HitDrawing drawing(key, density_, is_mirrored_in_phi(truth.pdgid), hits);
  const std::uint32_t blocks_per_voxel = (max_hits_ + 1) / 2;
  std::uint32_t first_block = 0;
  const float* voxel = voxel_energy;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const VoxelLayer& layer = layers_[l];
    if (!(layer_energy[l] > 0.0F)) {
      const std::size_t n = layer.n_rings * layer.n_alpha;
      voxel += n;
      first_block += blocks_per_voxel * static_cast<std::uint32_t>(n);
      continue;
    }
    ImpactPoint centre;
    if (!find_centre(layer.id, extrapolation, centre)) return layer.id;
    if (layer.n_rings == 0) {
      hits.push_back({layer.id, static_cast<float>(centre.eta), static_cast<float>(centre.phi),
                      static_cast<float>(centre.r), static_cast<float>(centre.z), layer_energy[l]});
      continue;
    }
    drawing.start(layer, centre);
    for (std::size_t a = 0; a < layer.n_alpha; ++a) {
      for (std::size_t r = 0; r < layer.n_rings; ++r, ++voxel, first_block += blocks_per_voxel) {
        const float energy = *voxel;
        if (!(energy > 0.0F)) continue;
        const float wanted = std::min(energy / hit_energy_, static_cast<float>(max_hits_));
        const std::uint32_t n = std::max(1U, static_cast<std::uint32_t>(wanted));
        const float each = energy / static_cast<float>(n);
        for (std::uint32_t i = 0; i < n; i += 2) {
          drawing.add(r, a, first_block + i / 2, std::min(2U, n - i), each);
        }
      }
    }
    drawing.flush();
  }
  return everything_found;
}

}  // namespace fastcaloq::detail
