/// \file
/// The random numbers of showers: counter-based, so a shower is the same wherever it is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fastcaloq/export.hpp"

namespace fastcaloq {

/// What a shower's random numbers are keyed by: (seed, event, particle). Views, (n) each.
struct ShowerKeys {
  std::uint64_t seed = 0;
  const std::uint64_t* event = nullptr;
  const std::uint32_t* particle = nullptr;  ///< number of the particle in its event
};

/// Independent streams of one key.
enum class LatentStream : std::uint32_t {
  energy = 0,     ///< latents of the layer energies
  shape = 1,      ///< latents of the voxels
  condition = 2,  ///< incident energy and eta of an event, where they are drawn too
  hits = 3,       ///< places of hits in their voxels; uniform, not normal
};

/// Standard normal latents by Philox4x32-10 (Salmon et al., SC 2011) and Box-Muller, the same bits on
/// every machine, instruction set, batch and thread.
/// \param z out, (n, n_latents) row-major; |z| < 6.8 (the largest a 32-bit uniform number gives)
FASTCALOQ_API void latents(const ShowerKeys& keys, std::size_t n, std::size_t n_latents,
                           LatentStream stream, float* z);

/// Names of the instruction sets this build holds and this machine runs, best first, the last "plain".
FASTCALOQ_API std::vector<std::string> instruction_sets();

}  // namespace fastcaloq
