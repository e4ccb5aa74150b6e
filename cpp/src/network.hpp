/// \file
/// A model's weights in the form the kernels read, and the way of one chunk of showers through them.
#pragma once

#include <cstddef>
#include <memory>

#include "fastcaloq/conditions.hpp"
#include "kernels/engine.hpp"
#include "stored_conditioner.hpp"
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

  /// Layer energies (n, L) MeV of checked conditions from latents z (n, L), n <= chunk_rows. Features
  /// are rows.quantum, or the file's own (has_conditioner() or no features at all).
  void run(const kernels::KernelTable& kernels, const Conditions& rows, const float* z,
           float* layer_energy, ChunkWorkspace& workspace) const;

  /// The file's own features (n, Q) of checked conditions, n <= chunk_rows; needs has_conditioner().
  void features(const kernels::KernelTable& kernels, const Conditions& rows, float* features,
                ChunkWorkspace& workspace) const;

  /// \throws ModelError the parity vectors are not reproduced
  void verify(const kernels::KernelTable& kernels, const ParityCard& parity) const;

  bool has_conditioner() const noexcept { return conditioner_ != nullptr; }
  std::size_t n_layers() const noexcept { return flow_.view().n_layers; }

 private:
  friend struct ChunkWorkspace;

  std::size_t n_features_;
  kernels::ConditionView condition_;
  kernels::PackedFlow flow_;
  std::unique_ptr<const StoredConditioner> conditioner_;
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
