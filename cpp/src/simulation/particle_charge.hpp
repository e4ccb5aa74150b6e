/// \file
/// Charge of a particle from its PDG number.
#pragma once

namespace fastcaloq::detail {

/// In units of a third of e, from the digits of the number (PDG, Monte Carlo particle numbering
/// scheme): quarks and leptons, W, H+, mesons, baryons, nuclei. 0 for what it does not know.
int charge_in_thirds(int pdgid) noexcept;

/// True where d_phi changes its sign: models are trained on electrons and positive hadrons, particles
/// of the other charge are their mirror image.
bool is_mirrored_in_phi(int pdgid) noexcept;

}  // namespace fastcaloq::detail
