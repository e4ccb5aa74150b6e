#include "batch_runner.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
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

/// How a batch is cut, and how many threads share the pieces: `n_whole` of `rows` rows, then smaller
/// ones. A thread takes about 30 us to start, as long as drawing a few dozen layer energies or one
/// whole shower.
struct Division {
  std::size_t rows = 0;
  std::size_t n_whole = 0;
  std::size_t rest = 0;  ///< rows of a piece behind the whole ones
  std::size_t n_workers = 0;

  /// First row of a piece.
  std::size_t start(std::size_t piece) const noexcept {
    return piece < n_whole ? piece * rows : n_whole * rows + (piece - n_whole) * rest;
  }
};

Division divide(std::size_t n, bool voxels, const Engine* engine, std::size_t threads) {
  const auto chunks = [n](std::size_t rows) { return (n + rows - 1) / rows; };
  if (engine != nullptr) {
    const std::size_t rows =
        std::clamp<std::size_t>((n + threads - 1) / threads, 1, engine->chunk_rows());
    return {rows, 0, rows, std::min(chunks(rows), threads)};
  }
  if (!voxels) {
    return {Network::chunk_rows, 0, Network::chunk_rows,
            std::clamp<std::size_t>(chunks(Network::chunk_rows) / 4, 1, threads)};
  }
  // As many whole pieces for each thread; both of its last two are of one size: 32 showers take more
  // than half as long as 96, for the weights have to be read all the same.
  constexpr std::size_t rows = Network::voxel_rows;
  constexpr std::size_t fewest = 16;  // as many stream the weights once
  const std::size_t pieces = ((n + threads - 1) / threads + rows - 1) / rows;  // of one thread
  const std::size_t n_last = std::min<std::size_t>(pieces, 2);
  const std::size_t n_whole = (pieces - n_last) * threads;
  const std::size_t left = n - n_whole * rows;
  const std::size_t share = (left + n_last * threads - 1) / (n_last * threads);
  const std::size_t rest = (share + fewest - 1) / fewest * fewest;
  return {rows, n_whole, rest, std::min(n_whole + (left + rest - 1) / rest, threads)};
}

[[noreturn]] void refuse_result(const Batch& batch, std::size_t row) {
  const Conditions& conditions = batch.conditions;
  throw ModelError("row " + std::to_string(row) +
                   ": the model gives an energy that is negative or not finite (incident energy " +
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
      engine(options.engine),
      binning(makes_voxels_only(engine.get()) ? engine->binning() : model->card().binning),
      n_voxels(makes_voxels_only(engine.get()) ? binning.n_voxels() : model->n_voxels()),
      conditioner_(options.conditioner) {
  // The file's own features, for a graph that is to be given them.
  if (asks_for_features() && !conditioner_) conditioner_ = own_conditioner(model);
}

std::unique_ptr<WorkerMemory> BatchRunner::take_memory() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!memories_.empty()) {
      std::unique_ptr<WorkerMemory> memory = std::move(memories_.back());
      memories_.pop_back();
      return memory;
    }
  }
  auto memory = std::make_unique<WorkerMemory>();
  if (engine) memory->engine = engine->make_workspace();
  if (!makes_all(engine.get())) memory->native.emplace(model->network());
  return memory;
}

void BatchRunner::give_back(std::unique_ptr<WorkerMemory> memory) {
  const std::lock_guard<std::mutex> lock(mutex_);
  memories_.push_back(std::move(memory));
}

Conditions BatchRunner::rows_of(const Conditions& all, std::size_t start, std::size_t n) const {
  return {n, all.incident_energy + start, all.eta + start,
          all.quantum == nullptr ? nullptr : all.quantum + start * model->n_features()};
}

const float* BatchRunner::latents(const ShowerKeys& keys, std::size_t start, std::size_t n,
                                  LatentStream stream, std::size_t width, float* z) const {
  kernels.latents(keys.seed, keys.event + start, keys.particle + start, n, width,
                  static_cast<std::uint32_t>(stream), z);
  return z;
}

void BatchRunner::draw_native(const Batch& batch, std::size_t start, std::size_t n, bool voxels,
                              ChunkWorkspace& workspace) const {
  const Network& network = model->network();
  Chunk chunk;
  chunk.rows = rows_of(batch.conditions, start, n);
  const std::size_t n_layers = model->n_layers();
  chunk.layer_energy = batch.layer_energy + start * n_layers;
  if (voxels) chunk.voxel_energy = batch.voxel_energy + start * n_voxels;
  if (batch.keys == nullptr) {
    chunk.z = batch.z + start * n_layers;
    if (voxels) chunk.z_shape = batch.z_shape + start * n_voxels;
    chunk.z_shape_stride = n_voxels;
  } else {
    chunk.z = latents(*batch.keys, start, n, LatentStream::energy, n_layers, workspace.z);
    chunk.z_shape_stride = network.n_coordinates();
    if (voxels) {
      chunk.z_shape = latents(*batch.keys, start, n, LatentStream::shape, chunk.z_shape_stride,
                              workspace.z_shape);
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
  // An engine of voxels alone is not asked for energies.
  const bool by_engine = engine && (voxels || makes_all(engine.get()));
  const Division division = divide(n, voxels, by_engine ? engine.get() : nullptr, threads);
  const std::size_t n_workers = division.n_workers;
  std::atomic<std::size_t> next_piece{0};
  std::atomic<std::size_t> bad_row{no_row};
  std::exception_ptr failure;  // of an engine that is not the native one
  const auto draw_rows = [&](WorkerMemory& memory) {
    for (std::size_t piece = next_piece++; division.start(piece) < n; piece = next_piece++) {
      const std::size_t start = division.start(piece);
      const std::size_t n_here = std::min(division.start(piece + 1), n) - start;
      if (by_engine) {
        draw_with_engine(batch, start, n_here, memory);
      } else {
        draw_native(batch, start, n_here, voxels, *memory.native);
      }
      const std::size_t n_layers = model->n_layers();
      std::size_t bad = first_bad_row(batch.layer_energy + start * n_layers, n_here, n_layers);
      if (voxels) {
        bad = std::min(bad, first_bad_row(batch.voxel_energy + start * n_voxels, n_here, n_voxels));
      }
      if (bad == no_row) continue;
      // The lowest row wins, so the message does not depend on the threads.
      std::size_t lowest = bad_row;
      while (start + bad < lowest && !bad_row.compare_exchange_weak(lowest, start + bad)) {
      }
    }
  };
  const auto work = [&](WorkerMemory& memory) noexcept {
    try {
      draw_rows(memory);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure) failure = std::current_exception();
      next_piece = n;  // the others need not go on
    }
  };
  if (n_workers == 1) {  // no thread, and nothing allocated
    std::unique_ptr<WorkerMemory> own = take_memory();
    work(*own);
    give_back(std::move(own));
  } else {
    std::vector<std::unique_ptr<WorkerMemory>> own;
    own.reserve(n_workers);
    for (std::size_t i = 0; i < n_workers; ++i) own.push_back(take_memory());
    run_parallel(n_workers, [&](std::size_t worker) noexcept { work(*own[worker]); });
    for (auto& memory : own) give_back(std::move(memory));
  }
  if (failure) std::rethrow_exception(failure);
  if (bad_row != no_row) refuse_result(batch, bad_row);
  return n_outside;
}

}  // namespace fastcaloq::detail
