/// \file
/// Where a particle, carried on without a shower, crosses the calorimeter's layers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "fastcaloq/export.hpp"
#include "fastcaloq/truth_state.hpp"

namespace fastcaloq {

/// Places in a layer, with FastCaloSim's values.
enum class SubPos : std::uint8_t { MID = 0, ENT = 1, EXT = 2 };

/// A point of the trajectory, seen from the origin of the detector.
struct FASTCALOQ_API Position {
  double eta = 0.0;  ///< pseudorapidity of the point
  double phi = 0.0;  ///< radians
  double r = 0.0;    ///< mm, distance from the beam
  double z = 0.0;    ///< mm
  bool OK = false;   ///< the trajectory reaches it; if false, the numbers mean nothing

  /// From cylindrical coordinates; OK if all is finite and r > 0.
  static Position from_cylindrical(double r, double phi, double z) noexcept;
  /// The point at a distance from the beam where lines of sight have this eta.
  static Position from_eta(double r, double phi, double eta) noexcept;
};

/// How a layer lies, which decides what of a hit's position is the layer's own.
enum class Surface : std::uint8_t {
  cylinder,  ///< barrel: the hits of a layer have one r
  disc,      ///< end-cap: they have one z
  forward,   ///< FCAL: one z, and voxels are circles in x and y
};

/// The surface of an ATLAS layer, by its CaloSampling number: `cylinder` for 0-3, 12-16 and 18-20,
/// `disc` for 4-11 and 17, `forward` for 21-23; `cylinder` for any other.
FASTCALOQ_API Surface atlas_surface(int layer) noexcept;

/// A layer of an ideal calorimeter around the origin, for extrapolate_straight.
struct LayerSurface {
  int layer = 0;  ///< as in the model's binning
  Surface surface = Surface::cylinder;
  double entrance = 0.0;  ///< mm: r of a cylinder, |z| of a disc, > 0
  double exit = 0.0;      ///< mm, >= entrance
};

/// Positions for every layer: FastCaloSim's TFCSExtrapolationState. Set once for each particle by the
/// code that transports it; memory is kept when it is cleared.
class FASTCALOQ_API ExtrapolationState {
 public:
  /// \param layer number of the layer as in the model's binning, 0 to 10,000
  /// \throws InputError another number
  void set(int layer, SubPos subpos, const Position& position);
  /// The same position for entrance, middle and exit.
  void set(int layer, const Position& position);
  /// Where the particle enters the calorimeter (FastCaloSim's IDCaloBoundary).
  void set_calo_boundary(const Position& position) noexcept { boundary_ = position; }
  /// Forgets all positions.
  void clear() noexcept;

  /// A position that was not set is not OK.
  const Position& at(int layer, SubPos subpos) const noexcept;
  bool OK(int layer, SubPos subpos) const noexcept { return at(layer, subpos).OK; }
  double eta(int layer, SubPos subpos) const noexcept { return at(layer, subpos).eta; }
  double phi(int layer, SubPos subpos) const noexcept { return at(layer, subpos).phi; }
  double r(int layer, SubPos subpos) const noexcept { return at(layer, subpos).r; }
  double z(int layer, SubPos subpos) const noexcept { return at(layer, subpos).z; }
  const Position& calo_boundary() const noexcept { return boundary_; }

 private:
  std::vector<std::array<Position, 3>> layers_;
  Position boundary_;
};

/// Follows a straight line from the vertex through ideal layers: what a neutral particle does, and
/// enough for tests. The middle is half-way between entrance and exit. Layers that are missed are not
/// OK; the calorimeter's boundary is the first layer's entrance.
/// \param state out; what it held is forgotten
/// \throws InputError see ExtrapolationState::set
FASTCALOQ_API void extrapolate_straight(const TruthState& truth,
                                        const std::vector<LayerSurface>& layers,
                                        ExtrapolationState& state);

/// The eta a shower is asked for: that of the calorimeter's boundary, as FastCaloSim's chains take it,
/// or the truth's where there is none.
FASTCALOQ_API double shower_eta(const TruthState& truth,
                                const ExtrapolationState& extrapolation) noexcept;

}  // namespace fastcaloq
