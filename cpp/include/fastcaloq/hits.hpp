/// \file
/// Energy deposits with a position, and how they are drawn from voxels.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fastcaloq/extrapolation_state.hpp"

namespace fastcaloq {

/// One deposit. Its position lies on the layer's surface: eta = asinh(z / r).
struct Hit {
  int layer = 0;     ///< ATLAS CaloSampling number
  float eta = 0.0F;  ///< pseudorapidity, seen from the origin
  float phi = 0.0F;  ///< radians, in [-pi, pi]
  float r = 0.0F;    ///< mm, distance from the beam
  float z = 0.0F;    ///< mm
  float E = 0.0F;    ///< MeV, > 0
};

/// Density of the hits of one voxel between its inner and its outer radius.
enum class RadialDensity : std::uint8_t {
  uniform_in_r,    ///< as FastCaloSim draws them; close to showers, which fall like 1/r or steeper
  uniform_in_area  ///< uniform in r^2
};

/// How voxels become hits.
///
/// A voxel (r, alpha) is an interval of the distance from the impact point, in mm, and of the angle
/// around it, from -pi: alpha = 0 points to larger eta, pi/2 to larger phi. A point of it is
/// displaced by d_eta = r cos(alpha) and d_phi = r sin(alpha), both in mm, and lies at
///   eta = eta_c + d_eta cosh(eta_c) / sqrt(r_c^2 + z_c^2),   phi = phi_c + d_phi / r_c
/// with (r_c, phi_c, z_c) the impact point: d_eta is measured across the line of sight, FastCaloSim's
/// convention. On a cylinder r = r_c and z = r_c sinh(eta); on a disc z = z_c and r = z_c / sinh(eta).
/// In forward layers r = |r_c + d_eta|, phi as above and z = z_c.
///
/// Models are trained at positive eta and on positively charged hadrons and electrons: d_eta changes
/// its sign where eta_c < 0 (not in forward layers), d_phi for particles of negative charge but the
/// electron, and for the positron.
struct HitOptions {
  /// MeV. A voxel of energy E gives E / default_hit_energy hits, rounded down, at least one, of equal
  /// energy.
  double default_hit_energy = 4.0;
  int max_hits_per_voxel = 100;
  RadialDensity radial_density = RadialDensity::uniform_in_r;
  /// The impact point is entrance * (1 - weight) + exit * weight.
  double extrapolation_weight = 0.5;
  /// Surfaces of layers that are not as in atlas_surface: (layer, surface).
  std::vector<std::pair<int, Surface>> surfaces;
};

}  // namespace fastcaloq
