/// \file
/// Draws a batch of showers: features, chunks, threads, and a look at what came out.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fastcaloq/engine.hpp"
#include "fastcaloq/sampler.hpp"
#include "network.hpp"

namespace fastcaloq::detail {

/// What a batch is drawn from, and where it goes.
struct Batch {
  Conditions conditions;
  const ShowerKeys* keys = nullptr;  ///< latents of these keys; null: the given ones
  const float* z = nullptr;          ///< (n, L)
  const float* z_shape = nullptr;    ///< (n, V)
  OutOfRange policy = OutOfRange::refuse;
  float* layer_energy = nullptr;  ///< out, (n, L)
  float* voxel_energy = nullptr;  ///< out, (n, V); null: energies only
};

inline bool makes_all(const Engine* engine) noexcept {
  return engine != nullptr && engine->role() == Engine::Role::whole;
}
inline bool makes_voxels_only(const Engine* engine) noexcept {
  return engine != nullptr && engine->role() == Engine::Role::voxels;
}

/// Memory of one thread.
struct WorkerMemory {
  std::optional<ChunkWorkspace> native;
  // Of an engine that is not the native one, and the latents it gets.
  std::unique_ptr<Engine::Workspace> engine;
  std::vector<float> z, z_shape;
};

/// A model with all that drawing from it needs; may be used by many threads at once.
class BatchRunner {
 public:
  /// \throws InputError an unknown or unavailable instruction set
  BatchRunner(std::shared_ptr<const Model> shared, const SamplerOptions& options);

  /// Returns the number of rows outside the range of validity. Throws as Sampler::sample does.
  std::size_t run(Batch batch);

  const std::shared_ptr<const Model> model;
  const kernels::InstructionSet instruction_set;
  const kernels::KernelTable& kernels;
  const unsigned threads;
  /// Null: the native one does everything.
  const std::shared_ptr<const Engine> engine;
  const BinningCard& binning;
  const std::size_t n_voxels;

 private:
  std::unique_ptr<WorkerMemory> take_memory();
  void give_back(std::unique_ptr<WorkerMemory> memory);

  /// Features of all rows where they do not come from the model itself: those the caller gave, or
  /// those of the sampler's conditioner, kept in `storage`. Null: the model's own.
  const float* given_features(const Batch& batch, std::vector<float>& storage) const;

  bool asks_for_features() const noexcept {
    return makes_all(engine.get()) && engine->features() == Engine::Features::given;
  }
  Conditions rows_of(const Conditions& all, std::size_t start, std::size_t n) const;
  /// Fills and returns `z`, (n, width), with the latents of the keys from `start` on.
  const float* latents(const ShowerKeys& keys, std::size_t start, std::size_t n,
                       LatentStream stream, std::size_t width, float* z) const;

  // Rows [start, start + n) of the batch.
  void draw_native(const Batch& batch, std::size_t start, std::size_t n, bool voxels,
                   ChunkWorkspace& workspace) const;
  void draw_with_engine(const Batch& batch, std::size_t start, std::size_t n,
                        WorkerMemory& memory) const;

  std::shared_ptr<const Conditioner> conditioner_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<WorkerMemory>> memories_;
};

/// Row of the first value that is not finite, or `no_row`.
std::size_t first_not_finite(const float* values, std::size_t n, std::size_t width);
inline constexpr auto no_row = static_cast<std::size_t>(-1);

}  // namespace fastcaloq::detail
