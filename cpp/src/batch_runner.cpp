#include "batch_runner.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "fastcaloq/error.hpp"
#include "instruction_set.hpp"
#include "parallel.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

/// First row that is not all finite and >= 0, or `no_row`.
std::size_t first_bad_row(const float* energies, std::size_t n, std::size_t width) {
  const auto good = [](float energy) {
    return energy >= 0.0F && energy <= std::numeric_limits<float>::max();
  };
  bool all = true;
  for (std::size_t i = 0; i < n * width; ++i) all = all && good(energies[i]);
  if (all) return no_row;
  for (std::size_t i = 0; i < n * width; ++i) {
    if (!good(energies[i])) return i / width;
  }
  return no_row;
}

/// Rows of one piece of work, and how many threads share the batch. A thread takes about 30 us to
/// start, as long as drawing a few dozen layer energies or one whole shower.
struct Division {
  std::size_t rows = 0;
  std::size_t n_workers = 0;
};

Division divide(std::size_t n, bool voxels, std::size_t threads) {
  const auto chunks = [n](std::size_t rows) { return (n + rows - 1) / rows; };
  if (!voxels) {
    return {Network::chunk_rows,
            std::clamp<std::size_t>(chunks(Network::chunk_rows) / 4, 1, threads)};
  }
  constexpr std::size_t fewest = 16;  // as many stream the weights once
  const std::size_t share = (n + threads - 1) / threads;
  const std::size_t rows =
      std::clamp((share + fewest - 1) / fewest * fewest, fewest, Network::voxel_rows);
  return {rows, std::min(chunks(rows), threads)};
}

[[noreturn]] void refuse_result(const Batch& batch, std::size_t row) {
  const Conditions& conditions = batch.conditions;
  throw ModelError("row " + std::to_string(row) +
                   ": the model gives an energy that is not finite (incident energy " +
                   pretty(double{conditions.incident_energy[row]}) + " MeV, eta " +
                   pretty(double{conditions.eta[row]}) +
                   "), so the batch is not usable: stay inside the range of validity, and report "
                   "this if it happens there");
}

}  // namespace

std::size_t first_not_finite(const float* values, std::size_t n, std::size_t width) {
  for (std::size_t i = 0; i < n * width; ++i) {
    if (!std::isfinite(values[i])) return i / width;
  }
  return no_row;
}

BatchRunner::BatchRunner(std::shared_ptr<const Model> shared, const SamplerOptions& options)
    : model(std::move(shared)),
      instruction_set(find_instruction_set(options.instruction_set)),
      kernels(kernels::kernels(instruction_set)),
      threads(options.threads == 0 ? available_processors() : options.threads),
      conditioner_(options.conditioner) {}

std::unique_ptr<ChunkWorkspace> BatchRunner::take_workspace() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!workspaces_.empty()) {
      std::unique_ptr<ChunkWorkspace> workspace = std::move(workspaces_.back());
      workspaces_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<ChunkWorkspace>(model->network());
}

void BatchRunner::give_back(std::unique_ptr<ChunkWorkspace> workspace) {
  const std::lock_guard<std::mutex> lock(mutex_);
  workspaces_.push_back(std::move(workspace));
}

const float* BatchRunner::given_features(const Batch& batch, std::vector<float>& storage) const {
  const Conditions& conditions = batch.conditions;
  const std::size_t width = model->n_features();
  if (conditions.quantum != nullptr) {
    if (width == 0) {
      throw InputError(
          "features were given to a model without a conditioner, which would not look at them: "
          "leave them out");
    }
    const std::size_t row = first_not_finite(conditions.quantum, conditions.n, width);
    if (row != no_row) {
      throw InputError("row " + std::to_string(row) +
                       ": a feature given for it is not a finite number, so no shower can be "
                       "drawn: correct or drop this row");
    }
    return conditions.quantum;
  }
  if (conditioner_) {
    storage.resize(conditions.n * width);
    conditioner_->features(conditions.incident_energy, conditions.eta, conditions.n,
                           storage.data());
    const std::size_t row = first_not_finite(storage.data(), conditions.n, width);
    if (row != no_row) {
      throw ModelError("row " + std::to_string(row) +
                       ": the conditioner gives a feature that is not finite, so no shower can be "
                       "drawn: check what computes the features");
    }
    return storage.data();
  }
  if (!model->network().knows(batch.voxel_energy != nullptr)) {
    throw InputError(
        "the conditioning of this model is served and the file has no table to fall back to, so "
        "its features are unknown: give them (quantum), or a conditioner that asks the service");
  }
  return nullptr;
}

void BatchRunner::draw(const Batch& batch, std::size_t start, std::size_t n,
                       ChunkWorkspace& workspace) const {
  const Network& network = model->network();
  const Conditions& all = batch.conditions;
  const std::size_t n_layers = model->n_layers();
  const std::size_t n_voxels = model->n_voxels();
  const bool voxels = batch.voxel_energy != nullptr;
  Chunk chunk;
  chunk.rows = {n, all.incident_energy + start, all.eta + start,
                all.quantum == nullptr ? nullptr : all.quantum + start * model->n_features()};
  chunk.layer_energy = batch.layer_energy + start * n_layers;
  if (voxels) chunk.voxel_energy = batch.voxel_energy + start * n_voxels;
  if (batch.keys == nullptr) {
    chunk.z = batch.z + start * n_layers;
    if (voxels) chunk.z_shape = batch.z_shape + start * n_voxels;
    chunk.z_shape_stride = n_voxels;
  } else {
    const auto latents = [&](LatentStream stream, std::size_t width, float* z) {
      kernels.latents(batch.keys->seed, batch.keys->event + start, batch.keys->particle + start, n,
                      width, static_cast<std::uint32_t>(stream), z);
      return z;
    };
    chunk.z = latents(LatentStream::energy, n_layers, workspace.z);
    chunk.z_shape_stride = network.n_coordinates();
    if (voxels) {
      chunk.z_shape = latents(LatentStream::shape, chunk.z_shape_stride, workspace.z_shape);
    }
  }
  network.run(kernels, chunk, workspace);
}

std::size_t BatchRunner::run(Batch batch) {
  Conditions& conditions = batch.conditions;
  const std::size_t n = conditions.n;
  std::vector<float> clipped(batch.policy == OutOfRange::clip ? 2 * n : 0);
  float* used = clipped.empty() ? nullptr : clipped.data();
  const std::size_t n_outside = check_conditions(model->card(), conditions, batch.policy, used,
                                                 used == nullptr ? nullptr : used + n);
  if (used != nullptr) conditions = {n, used, used + n, conditions.quantum};
  std::vector<float> storage;
  conditions.quantum = given_features(batch, storage);

  const bool voxels = batch.voxel_energy != nullptr;
  const auto [rows, n_workers] = divide(n, voxels, threads);
  const std::size_t step = rows;
  std::atomic<std::size_t> next_row{0};
  std::atomic<std::size_t> bad_row{no_row};
  const auto work = [&](ChunkWorkspace& workspace) noexcept {
    for (std::size_t start = next_row.fetch_add(step); start < n;
         start = next_row.fetch_add(step)) {
      const std::size_t n_here = std::min(step, n - start);
      draw(batch, start, n_here, workspace);
      const std::size_t n_layers = model->n_layers();
      std::size_t bad = first_bad_row(batch.layer_energy + start * n_layers, n_here, n_layers);
      if (voxels) {
        const std::size_t n_voxels = model->n_voxels();
        bad = std::min(bad, first_bad_row(batch.voxel_energy + start * n_voxels, n_here, n_voxels));
      }
      if (bad == no_row) continue;
      // The lowest row wins, so the message does not depend on the threads.
      std::size_t lowest = bad_row;
      while (start + bad < lowest && !bad_row.compare_exchange_weak(lowest, start + bad)) {
      }
    }
  };
  if (n_workers == 1) {  // no thread, and nothing allocated
    std::unique_ptr<ChunkWorkspace> own = take_workspace();
    work(*own);
    give_back(std::move(own));
  } else {
    std::vector<std::unique_ptr<ChunkWorkspace>> own;
    for (std::size_t i = 0; i < n_workers; ++i) own.push_back(take_workspace());
    run_parallel(n_workers, [&](std::size_t worker) noexcept { work(*own[worker]); });
    for (auto& workspace : own) give_back(std::move(workspace));
  }
  if (bad_row != no_row) refuse_result(batch, bad_row);
  return n_outside;
}

}  // namespace fastcaloq::detail
