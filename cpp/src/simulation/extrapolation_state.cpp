#include "fastcaloq/extrapolation_state.hpp"

#include <cmath>
#include <cstddef>
#include <string>

#include "fastcaloq/error.hpp"

namespace fastcaloq {
namespace {

constexpr double tolerance = 1.0;  // mm: a particle may be made on the surface itself

/// Where the line x + s u, s > 0, crosses r = radius from inside; not OK where it does not.
Position on_cylinder(const Vertex& x, const double (&u)[3], double radius) {
  // |x_T + s u_T|^2 = radius^2
  const double a = u[0] * u[0] + u[1] * u[1];
  const double b = x.x * u[0] + x.y * u[1];
  const double c = x.x * x.x + x.y * x.y - radius * radius;
  const double discriminant = b * b - a * c;
  if (!(a > 0.0) || !(discriminant >= 0.0)) return {};
  const double s = (std::sqrt(discriminant) - b) / a;
  if (!(c < 0.0) && !(std::fabs(s) <= tolerance)) return {};
  return Position::from_cylindrical(radius, std::atan2(x.y + s * u[1], x.x + s * u[0]),
                                    x.z + s * u[2]);
}

/// The same for the disc at z = +-distance that the particle flies to.
Position on_disc(const Vertex& x, const double (&u)[3], double distance) {
  const double s = (std::copysign(distance, u[2]) - x.z) / u[2];
  if (!(s > -tolerance)) return {};
  const double px = x.x + s * u[0];
  const double py = x.y + s * u[1];
  return Position::from_cylindrical(std::hypot(px, py), std::atan2(py, px), x.z + s * u[2]);
}

}  // namespace

Position Position::from_cylindrical(double r, double phi, double z) noexcept {
  const double eta = std::asinh(z / r);
  return {eta, phi, r, z, r > 0.0 && std::isfinite(eta) && std::isfinite(phi) && std::isfinite(r)};
}

Position Position::from_eta(double r, double phi, double eta) noexcept {
  Position position = from_cylindrical(r, phi, r * std::sinh(eta));
  if (position.OK) position.eta = eta;  // to the last bit
  return position;
}

Surface atlas_surface(int layer) noexcept {
  if ((layer >= 4 && layer <= 11) || layer == 17) return Surface::disc;
  if (layer >= 21 && layer <= 23) return Surface::forward;
  return Surface::cylinder;
}

void ExtrapolationState::set(int layer, SubPos subpos, const Position& position) {
  constexpr int most = 10000;
  if (layer < 0 || layer > most) {
    throw InputError("layer " + std::to_string(layer) +
                     " cannot have a position, its number must be 0 to " + std::to_string(most) +
                     ": use the numbers of the model's binning");
  }
  const auto index = static_cast<std::size_t>(layer);
  if (index >= layers_.size()) layers_.resize(index + 1);
  layers_[index][static_cast<std::size_t>(subpos)] = position;
}

void ExtrapolationState::set(int layer, const Position& position) {
  for (const SubPos subpos : {SubPos::MID, SubPos::ENT, SubPos::EXT}) set(layer, subpos, position);
}

void ExtrapolationState::clear() noexcept {
  for (auto& layer : layers_) layer = {};
  boundary_ = {};
}

const Position& ExtrapolationState::at(int layer, SubPos subpos) const noexcept {
  static constexpr Position nowhere{};
  const auto index = static_cast<std::size_t>(layer);  // negative: beyond any size
  if (index >= layers_.size()) return nowhere;
  return layers_[index][static_cast<std::size_t>(subpos)];
}

void extrapolate_straight(const TruthState& truth, const std::vector<LayerSurface>& layers,
                          ExtrapolationState& state) {
  state.clear();
  const double sine = 1.0 / std::cosh(truth.eta);  // of the polar angle
  const double u[3] = {sine * std::cos(truth.phi), sine * std::sin(truth.phi),
                       std::tanh(truth.eta)};
  bool first = true;
  for (const LayerSurface& layer : layers) {
    const auto at = [&](double place) {
      return layer.surface == Surface::cylinder ? on_cylinder(truth.vertex, u, place)
                                                : on_disc(truth.vertex, u, place);
    };
    const Position entrance = at(layer.entrance);
    state.set(layer.layer, SubPos::ENT, entrance);
    state.set(layer.layer, SubPos::MID, at(0.5 * (layer.entrance + layer.exit)));
    state.set(layer.layer, SubPos::EXT, at(layer.exit));
    if (first && entrance.OK) {
      state.set_calo_boundary(entrance);
      first = false;
    }
  }
}

double shower_eta(const TruthState& truth, const ExtrapolationState& extrapolation) noexcept {
  const Position& boundary = extrapolation.calo_boundary();
  return boundary.OK ? boundary.eta : truth.eta;
}

}  // namespace fastcaloq
