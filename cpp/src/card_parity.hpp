/// \file
/// The parts of the card that say where a network comes from and what it must reproduce.
#pragma once

#include <cstddef>

#include "fastcaloq/model_card.hpp"
#include "json_object.hpp"

namespace fastcaloq::detail {

/// Numbers per row of the parity vectors.
struct ParityWidths {
  std::size_t n_layers = 0;
  std::size_t n_voxels = 0;  ///< 0: parity of the layer energies alone
  bool served = false;       ///< features are part of the input
  std::size_t n_features = 0;
};

/// Throws ModelError. `reach` bounds the incident energies.
ParityCard parse_parity(JsonObject object, const ParityWidths& widths, const PhaseSpace& reach);

/// Provenance is for people: the engine checks that it is understood and keeps none of it.
void check_training(JsonObject object);

}  // namespace fastcaloq::detail
