/// \file
/// Working memory of one batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fastcaloq/parametrization.hpp"

namespace fastcaloq::detail {

struct BatchMemory {
  // Those of the batch that a model is asked for.
  std::vector<std::size_t> request;  // their places in the batch
  std::vector<float> energy, eta;
  std::vector<std::uint64_t> seed, event;
  std::vector<std::uint32_t> particle;
  std::vector<float> layer_energy, voxel_energy;
  // Of a chain: those of one daughter, and where they came from.
  std::vector<SimulationRequest> part;
  std::vector<const ParametrizationBase*> choice;
  std::vector<std::size_t> origin;
};

}  // namespace fastcaloq::detail
