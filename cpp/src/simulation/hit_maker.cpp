#include "simulation/hit_maker.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "fastcaloq/error.hpp"
#include "fastcaloq/random.hpp"
#include "kernels/engine.hpp"
#include "simulation/particle_charge.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

using kernels::MathFunction;

constexpr double pi = 3.14159265358979323846;
constexpr std::uint32_t most_blocks = 1U << 24;  // the counter's bits below the stream

double wrapped(double phi) {
  return std::remainder(phi, 2 * pi);
}

float unit(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24F;  // [0, 1), exact
}

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

/// The impact point of a layer.
struct HitMaker::Centre {
  double eta = 0.0, phi = 0.0, r = 0.0, z = 0.0;
};

/// Hits of one layer in the making, a few at a time: the kernels want their numbers side by side.
class HitMaker::Drawing {
 public:
  Drawing(const HitMaker& maker, const ShowerKey& key, bool mirrored, std::vector<Hit>& hits)
      : area_(maker.uniform_in_area_), mirrored_(mirrored), hits_(hits) {
    const std::uint64_t seed = key.attempt_seed();
    key_[0] = static_cast<std::uint32_t>(seed);
    key_[1] = static_cast<std::uint32_t>(seed >> 32);
    particle_ = key.particle;
    event_[0] = static_cast<std::uint32_t>(key.event);
    event_[1] = static_cast<std::uint32_t>(key.event >> 32);
  }

  void start(const Layer& layer, const Centre& centre) {
    layer_ = &layer;
    centre_ = centre;
    const double across = std::cosh(centre.eta) / std::hypot(centre.r, centre.z);
    per_mm_eta_ = static_cast<float>(centre.eta < 0.0 ? -across : across);
    per_mm_phi_ = static_cast<float>(mirrored_ ? -1.0 / centre.r : 1.0 / centre.r);
  }

  void add(std::size_t ring, std::size_t sector, std::uint32_t block, std::uint32_t n,
           float energy) {
    std::uint32_t* counter = counters_.data() + 4 * n_blocks_;
    counter[0] = static_cast<std::uint32_t>(LatentStream::hits) << 24 | block;
    counter[1] = particle_;
    counter[2] = event_[0];
    counter[3] = event_[1];
    const float low = layer_->radius[ring];
    voxels_[n_blocks_] = {low, layer_->radius[ring + 1] - low, static_cast<float>(sector), energy,
                          n};
    if (++n_blocks_ == blocks_at_once) flush();
  }

  void flush() {
    if (n_blocks_ == 0) return;
    const kernels::KernelTable& table = kernels::kernels(kernels::best_instruction_set());
    std::array<std::uint32_t, 4 * blocks_at_once> words;
    table.philox(key_, counters_.data(), words.data(), n_blocks_);
    const auto n_sectors = static_cast<float>(layer_->n_alpha);
    std::size_t n = 0;
    for (std::size_t b = 0; b < n_blocks_; ++b) {
      const Voxel& voxel = voxels_[b];
      for (std::uint32_t i = 0; i < voxel.n; ++i, ++n) {
        const float place = voxel.low + unit(words[4 * b + 2 * i]) * voxel.width;
        radius_[n] = area_ ? std::sqrt(place) : place;
        const float turn = (voxel.sector + unit(words[4 * b + 2 * i + 1])) / n_sectors;
        turn_[n] = std::min(turn, 0x1.fffffep-1F);
        energy_[n] = voxel.energy;
      }
    }
    n_blocks_ = 0;
    // alpha = -pi + 2 pi turn, so both have the other sign.
    table.evaluate(MathFunction::cos_turns, turn_.data(), cosine_.data(), n);
    table.evaluate(MathFunction::sin_turns, turn_.data(), sine_.data(), n);
    const std::size_t first = hits_.size();
    hits_.resize(first + n);
    layer_->surface == Surface::forward ? place_forward(hits_.data() + first, n)
                                        : place(hits_.data() + first, n);
  }

 private:
  struct Voxel {
    float low, width, sector, energy;
    std::uint32_t n;
  };

  void place(Hit* hits, std::size_t n) {
    const bool cylinder = layer_->surface == Surface::cylinder;
    const auto eta = static_cast<float>(centre_.eta);
    const auto r = static_cast<float>(centre_.r);
    const auto z = static_cast<float>(centre_.z);
    for (std::size_t i = 0; i < n; ++i) {
      float place = eta - radius_[i] * cosine_[i] * per_mm_eta_;
      if (!cylinder) {
        // No ray to the other side meets this disc: such hits stay far out on it.
        constexpr float least = 0.01F;
        place = z > 0.0F ? std::max(place, least) : std::min(place, -least);
      }
      eta_[i] = place;
    }
    // sinh: radius_ and cosine_ are free to be overwritten now.
    float* exponential = cosine_.data();
    kernels::kernels(kernels::best_instruction_set())
        .evaluate(MathFunction::exp, eta_.data(), exponential, n);
    for (std::size_t i = 0; i < n; ++i) {
      const float sinh = 0.5F * (exponential[i] - 1.0F / exponential[i]);
      hits[i] = {layer_->id,
                 eta_[i],
                 phi(-radius_[i] * sine_[i]),
                 cylinder ? r : z / sinh,
                 cylinder ? r * sinh : z,
                 energy_[i]};
    }
  }

  void place_forward(Hit* hits, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      double r = centre_.r - double{radius_[i]} * double{cosine_[i]};
      float azimuth = phi(-radius_[i] * sine_[i]);
      if (r < 0.0) {  // beyond the beam
        r = -r;
        azimuth =
            azimuth > 0.0F ? azimuth - static_cast<float>(pi) : azimuth + static_cast<float>(pi);
      }
      r = std::max(r, 1e-3);  // a micrometre: eta stays finite
      hits[i] = {layer_->id,
                 static_cast<float>(std::asinh(centre_.z / r)),
                 azimuth,
                 static_cast<float>(r),
                 static_cast<float>(centre_.z),
                 energy_[i]};
    }
  }

  /// Azimuth of a displacement in mm.
  float phi(float displacement) const {
    constexpr auto half = static_cast<float>(pi);
    const double turned = centre_.phi + double{displacement * per_mm_phi_};
    const auto result = static_cast<float>(std::fabs(turned) <= pi ? turned : wrapped(turned));
    return std::clamp(result, -half, half);
  }

  static constexpr std::size_t blocks_at_once = 64;
  static constexpr std::size_t hits_at_once = 2 * blocks_at_once;

  bool area_, mirrored_;
  std::vector<Hit>& hits_;
  std::uint32_t key_[2];
  std::uint32_t particle_;
  std::uint32_t event_[2];
  const Layer* layer_ = nullptr;
  Centre centre_;
  float per_mm_eta_ = 0.0F, per_mm_phi_ = 0.0F;
  std::size_t n_blocks_ = 0;
  std::array<std::uint32_t, 4 * blocks_at_once> counters_;
  std::array<Voxel, blocks_at_once> voxels_;
  std::array<float, hits_at_once> radius_, turn_, cosine_, sine_, eta_, energy_;
};

HitMaker::HitMaker(const BinningCard& binning, const HitOptions& options)
    : uniform_in_area_(options.radial_density == RadialDensity::uniform_in_area),
      weight_(options.extrapolation_weight) {
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
    Layer layer{card.id,
                atlas_surface(card.id),
                card.n_rings(),
                static_cast<std::size_t>(card.n_alpha),
                {}};
    for (const auto& [id, surface] : options.surfaces) {
      if (id == card.id) layer.surface = surface;
    }
    for (const double edge : card.r_edges) {
      layer.radius.push_back(static_cast<float>(uniform_in_area_ ? edge * edge : edge));
    }
    layers_.push_back(std::move(layer));
  }
}

bool HitMaker::find_centre(int layer, const ExtrapolationState& extrapolation,
                           Centre& centre) const {
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
  Drawing drawing(*this, key, is_mirrored_in_phi(truth.pdgid), hits);
  const std::uint32_t blocks_per_voxel = (max_hits_ + 1) / 2;
  std::uint32_t first_block = 0;
  const float* voxel = voxel_energy;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    if (!(layer_energy[l] > 0.0F)) {
      const std::size_t n = layer.n_rings * layer.n_alpha;
      voxel += n;
      first_block += blocks_per_voxel * static_cast<std::uint32_t>(n);
      continue;
    }
    Centre centre;
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
