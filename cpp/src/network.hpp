/// \file
/// A model's weights in the form the kernels read, and the way of one chunk of showers through them.
#pragma once

#include <cstddef>
#include <memory>

#include "conditioner.hpp"
#include "fastcaloq/conditions.hpp"
#include "kernels/engine.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {

/// Working memory of one thread for Network::run; allocated once, for one network.
struct ChunkWorkspace;

/// Immutable; shared by threads.
class Network {
 public:
  /// Rows worked on at once: their buffers (latents, features, network activations) stay in the
  /// second-level cache. A multiple of what the kernels carry together, so that none runs half full.
  static constexpr std::size_t chunk_rows = 4 * kernels::kChunk;

  /// \throws ModelError weights that do not fit the card
  Network(const ModelCard& card, Weights& weights);

  /// Layer energies (n, L) MeV of checked conditions from latents z (n, L), n <= chunk_rows.
  void run(const kernels::KernelTable& kernels, const Conditions& rows, const float* z,
           float* layer_energy, ChunkWorkspace& workspace) const;

  /// \throws ModelError the parity vectors are not reproduced
  void verify(const kernels::KernelTable& kernels, const ParityCard& parity) const;

  std::size_t n_layers() const noexcept { return flow_.view().n_layers; }

 private:
  friend struct ChunkWorkspace;

  std::size_t n_features_;
  kernels::ConditionView condition_;
  kernels::PackedFlow flow_;
  std::unique_ptr<const Conditioner> conditioner_;
};

struct ChunkWorkspace {
  explicit ChunkWorkspace(const Network& network);

  kernels::Workspace flow;
  kernels::Workspace conditioner;
  kernels::Workspace buffers;
  // Parts of `buffers`, one row for each shower; `unique` are runs of equal conditions.
  float* unique_energy = nullptr;
  float* unique_eta = nullptr;
  float* log_energy = nullptr;
  float* unique_condition = nullptr;
  float* condition = nullptr;
  float* unique_features = nullptr;
  float* features = nullptr;
  float* z = nullptr;
};

}  // namespace fastcaloq::detail
