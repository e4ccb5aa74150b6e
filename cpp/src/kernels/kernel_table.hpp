// Dispatch table of the vector kernels. Plain declarations only, see views.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shape_views.hpp"
#include "views.hpp"

namespace fastcaloq::kernels {

// None of these allocates, throws or keeps state. All arrays are row-major.
struct KernelTable {
  const char* name;  // "plain", "avx2", "avx512"

  // Layer energies from latents: inverse flow and inverse preprocessing, any n.
  //   incident_energy [n] MeV, > 0; condition [n, 2]; features [n, Q] (nullptr if Q = 0);
  //   latents [n, L]; layer_energy [n, L] MeV, out; scratch: PackedFlow::workspace_floats(),
  //   64-byte aligned.
  void (*sample)(const FlowView& flow, const float* incident_energy, const float* condition,
                 const float* features, const float* latents, float* layer_energy, std::size_t n,
                 float* scratch);

  // Voxel energies from layer energies and latents, any n.
  //   incident_energy [n] MeV, > 0; condition [n, 2]; features [n, Q] (nullptr if Q = 0);
  //   layer_energy [n, L] MeV; latents [n, C]; voxel_energy [n, V] MeV, out; scratch:
  //   PackedShape::workspace_floats(), 64-byte aligned.
  void (*sample_shape)(const ShapeView& shape, const float* incident_energy, const float* condition,
                       const float* features, const float* layer_energy, const float* latents,
                       float* voxel_energy, std::size_t n, float* scratch);

  // condition [n, 2] and, if not nullptr, log_energy [n] = log(E_inc / MeV).
  void (*condition)(const ConditionView& condition, const float* incident_energy, const float* eta,
                    float* c, float* log_energy, std::size_t n);

  // features [n, Q] from the precomputed table; log_energy [n] as given by `condition`, eta [n].
  void (*table_features)(const TableView& table, const float* log_energy, const float* eta,
                         float* features, std::size_t n);

  // y [n, n_out] = activation(x [n, n_in] W + bias), row by row.
  void (*linear)(const LinearView& layer, const float* x, float* y, std::size_t n);

  // The same with showers side by side, as batches are drawn: shower i's number k is x[k][i], of rows
  // of kChunk; n <= kChunk. Rows start on cache lines and may be written to their ends.
  void (*dense)(const LinearView& layer, const float* x, float* y, std::size_t n);

  // Standard normal latents [n, n_latents] by Philox4x32-10 and Box-Muller:
  //   key = (seed low, seed high); counter = (stream << 24 | j / 4, particle, event low, high);
  //   latent j of a shower is normal j % 4 of its block j / 4. |latent| < 6.8. stream < 256.
  void (*latents)(std::uint64_t seed, const std::uint64_t* event, const std::uint32_t* particle,
                  std::size_t n, std::size_t n_latents, std::uint32_t stream, float* out);

  // The raw generator, for known-answer tests: out [n, 4] from counters [n, 4] and one key [2].
  void (*philox)(const std::uint32_t* key, const std::uint32_t* counters, std::uint32_t* out,
                 std::size_t n);

  // Elementary functions over an array, for the accuracy tests; domains and errors in math.hpp.
  void (*evaluate)(MathFunction function, const float* x, float* y, std::size_t n);
};

}  // namespace fastcaloq::kernels
