#include "simulation/hit_drawing.hpp"

#include <algorithm>
#include <cmath>

#include "fastcaloq/random.hpp"
#include "kernels/engine.hpp"

namespace fastcaloq::detail {
namespace {

using kernels::MathFunction;

constexpr double pi = 3.14159265358979323846;

float unit(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24F;  // [0, 1), exact
}

}  // namespace

double wrapped(double phi) noexcept {
  return std::remainder(phi, 2 * pi);
}

HitDrawing::HitDrawing(const ShowerKey& key, RadialDensity density, bool mirrored,
                       std::vector<Hit>& hits)
    : area_(density == RadialDensity::uniform_in_area), mirrored_(mirrored), hits_(hits) {
  const std::uint64_t seed = key.attempt_seed();
  key_[0] = static_cast<std::uint32_t>(seed);
  key_[1] = static_cast<std::uint32_t>(seed >> 32);
  particle_ = key.particle;
  event_[0] = static_cast<std::uint32_t>(key.event);
  event_[1] = static_cast<std::uint32_t>(key.event >> 32);
}

void HitDrawing::start(const VoxelLayer& layer, const ImpactPoint& centre) {
  layer_ = &layer;
  centre_ = centre;
  const double across = std::cosh(centre.eta) / std::hypot(centre.r, centre.z);
  per_mm_eta_ = static_cast<float>(centre.eta < 0.0 ? -across : across);
  per_mm_phi_ = static_cast<float>(mirrored_ ? -1.0 / centre.r : 1.0 / centre.r);
}

void HitDrawing::add(std::size_t ring, std::size_t sector, std::uint32_t block, std::uint32_t n,
                     float energy) {
  std::uint32_t* counter = counters_.data() + 4 * n_blocks_;
  counter[0] = static_cast<std::uint32_t>(LatentStream::hits) << 24 | block;
  counter[1] = particle_;
  counter[2] = event_[0];
  counter[3] = event_[1];
  const float low = layer_->radius[ring];
  voxels_[n_blocks_] = {low, layer_->radius[ring + 1] - low, static_cast<float>(sector), energy, n};
  if (++n_blocks_ == blocks_at_once) flush();
}

void HitDrawing::flush() {
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

void HitDrawing::place(Hit* hits, std::size_t n) {
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

void HitDrawing::place_forward(Hit* hits, std::size_t n) const {
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
float HitDrawing::phi(float displacement) const {
  constexpr auto half = static_cast<float>(pi);
  const double turned = centre_.phi + double{displacement * per_mm_phi_};
  const auto result = static_cast<float>(std::fabs(turned) <= pi ? turned : wrapped(turned));
  return std::clamp(result, -half, half);
}

}  // namespace fastcaloq::detail
