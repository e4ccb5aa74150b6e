/// \file
/// A model's weights in the form the kernels read, and the way of one chunk of showers through them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "fastcaloq/conditions.hpp"
#include "fastcaloq/engine.hpp"
#include "kernels/engine.hpp"
#include "kernels/shape_parameters.hpp"
#include "stored_conditioner.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {

/// Working memory of one thread for Network::run; allocated once, for one network.
struct ChunkWorkspace;

/// A few showers for the native engine. Features not given are the file's own (see Network::knows).
struct Chunk : ShowerChunk {
  std::size_t z_shape_stride = 0;  ///< numbers per row of z_shape, the first n_coordinates() used
};

/// Immutable; shared by threads.
class Network {
 public:
  /// Rows worked on at once: their buffers (latents, features, network activations) stay in the
  /// second-level cache. Multiples of what the kernels carry together, so that none runs half full.
  static constexpr std::size_t chunk_rows = 4 * kernels::kChunk;
  /// The same with voxels, of which there are hundreds per shower.
  static constexpr std::size_t voxel_rows = kernels::kChunk;

  /// \throws ModelError weights that do not fit the card
  Network(const ModelCard& card, Weights& weights);

  /// Draws n <= chunk_rows showers, or voxel_rows with voxels.
  void run(const kernels::KernelTable& kernels, const Chunk& chunk,
           ChunkWorkspace& workspace) const;

  /// The file's own features (n, Q) of checked conditions, n <= chunk_rows; needs knows(true).
  void features(const kernels::KernelTable& kernels, const Conditions& rows, float* features,
                ChunkWorkspace& workspace) const;

  /// Whether the file holds what showers need without features from elsewhere.
  bool knows(bool voxels) const noexcept {
    return energy_features_.known() && (!voxels || shape_features_.known());
  }
  std::size_t n_features() const noexcept { return energy_features_.n + shape_features_.n; }
  std::size_t n_layers() const noexcept { return flow_.view().n_layers; }
  const kernels::PackedFlow& flow() const noexcept { return flow_; }
  /// None where the model makes no voxels.
  const std::optional<kernels::PackedShape>& shape() const noexcept { return shape_; }
  /// Latents of a shower's voxels; 0 where the model makes none.
  std::size_t n_coordinates() const noexcept { return shape_ ? shape_->view().n_coordinates : 0; }

 private:
  friend struct ChunkWorkspace;

  /// Features of one of the flows.
  struct FlowFeatures {
    std::size_t n = 0;
    std::unique_ptr<const StoredConditioner> conditioner;

    bool known() const noexcept { return n == 0 || conditioner != nullptr; }
  };

  const float* flow_features(const kernels::KernelTable& kernels, const FlowFeatures& part,
                             const Conditions& rows, std::size_t n_unique,
                             ChunkWorkspace& workspace) const;

  kernels::ConditionView condition_;
  kernels::PackedFlow flow_;
  std::optional<kernels::PackedShape> shape_;
  FlowFeatures energy_features_;
  FlowFeatures shape_features_;
};

struct ChunkWorkspace {
  explicit ChunkWorkspace(const Network& network);

  kernels::Workspace flow;
  kernels::Workspace shape;
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
  float* z_shape = nullptr;  // voxel_rows rows
};

}  // namespace fastcaloq::detail
