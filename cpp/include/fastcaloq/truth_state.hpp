/// \file
/// The particle that starts a shower.
#pragma once

#include "fastcaloq/export.hpp"

namespace fastcaloq {

/// Where and when the particle was made.
struct Vertex {
  double x = 0.0;  ///< mm
  double y = 0.0;  ///< mm
  double z = 0.0;  ///< mm
  double t = 0.0;  ///< mm, c times the time
};

/// What FastCaloSim's TFCSTruthState says of a particle, as plain values. The kinetic energy is kept
/// as it is, not worked out from a four-momentum, so that an energy at the limit of a model's range
/// stays there.
struct FASTCALOQ_API TruthState {
  int pdgid = 0;       ///< PDG number
  double Ekin = 0.0;   ///< MeV, kinetic energy: the incident energy a model is asked for
  double eta = 0.0;    ///< pseudorapidity of the momentum
  double phi = 0.0;    ///< radians, azimuth of the momentum
  double mass = 0.0;   ///< MeV
  Vertex vertex = {};  ///< mm

  /// From a four-momentum in MeV. A particle along the beam has an infinite eta, which every
  /// parametrisation refuses. E below the momentum (rounding, virtual particles) counts as massless.
  static TruthState from_four_momentum(int pdgid, double px, double py, double pz,
                                       double E) noexcept;

  double E() const noexcept { return Ekin + mass; }  ///< MeV
  double P() const noexcept;                         ///< MeV, momentum
  double Pt() const noexcept;                        ///< MeV, transverse momentum
  double Px() const noexcept;                        ///< MeV
  double Py() const noexcept;                        ///< MeV
  double Pz() const noexcept;                        ///< MeV
};

}  // namespace fastcaloq
