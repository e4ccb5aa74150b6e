#include "fastcaloq/sampler.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "fastcaloq/error.hpp"
#include "instruction_set.hpp"
#include "network.hpp"
#include "parallel.hpp"
#include "text.hpp"

namespace fastcaloq {

using detail::ChunkWorkspace;
using detail::Network;

namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

void require(const void* array, const char* name) {
  if (array == nullptr) {
    throw InputError(std::string(name) +
                     " is a null pointer for a batch that is not empty: give an array");
  }
}

/// Row of the first value that is not finite, or `none`.
std::size_t first_not_finite(const float* values, std::size_t n, std::size_t width) {
  for (std::size_t i = 0; i < n * width; ++i) {
    if (!std::isfinite(values[i])) return i / width;
  }
  return none;
}

/// First row that is not all finite and >= 0, or `none`.
std::size_t first_bad_row(const float* energies, std::size_t n, std::size_t width) {
  bool good = true;
  for (std::size_t i = 0; i < n * width; ++i) {
    good = good && energies[i] >= 0.0F && energies[i] <= std::numeric_limits<float>::max();
  }
  if (good) return none;
  for (std::size_t i = 0; i < n * width; ++i) {
    if (!(energies[i] >= 0.0F && energies[i] <= std::numeric_limits<float>::max()))
      return i / width;
  }
  return none;
}

void require_voxels(const Model& model) {
  if (model.n_voxels() > 0) return;
  throw InputError(
      "voxels were asked of a model that makes layer energies alone: ask for energies only, or "
      "give a model of whole showers");
}

}  // namespace

struct Sampler::Implementation {
  Implementation(std::shared_ptr<const Model> shared, const SamplerOptions& options)
      : model(std::move(shared)),
        instruction_set(detail::find_instruction_set(options.instruction_set)),
        kernels(kernels::kernels(instruction_set)),
        threads(options.threads == 0 ? detail::available_processors() : options.threads),
        conditioner(options.conditioner) {}

  std::unique_ptr<ChunkWorkspace> take_workspace() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!workspaces.empty()) {
        std::unique_ptr<ChunkWorkspace> workspace = std::move(workspaces.back());
        workspaces.pop_back();
        return workspace;
      }
    }
    return std::make_unique<ChunkWorkspace>(model->network());
  }

  void give_back(std::unique_ptr<ChunkWorkspace> workspace) {
    const std::lock_guard<std::mutex> lock(mutex);
    workspaces.push_back(std::move(workspace));
  }

  /// Features of all rows where they do not come from the model itself: those the caller gave, or
  /// those of the sampler's conditioner, kept in `storage`. Null: the model's own.
  const float* given_features(const Conditions& conditions, std::vector<float>& storage) const;

  /// Draws all chunks; latents come from `z` or, where that is null, from `keys`.
  std::size_t run(Conditions conditions, const ShowerKeys* keys, const float* z, OutOfRange policy,
                  float* layer_energy);

  std::shared_ptr<const Model> model;
  kernels::InstructionSet instruction_set;
  const kernels::KernelTable& kernels;
  unsigned threads;
  std::shared_ptr<const Conditioner> conditioner;
  std::mutex mutex;
  std::vector<std::unique_ptr<ChunkWorkspace>> workspaces;
};

const float* Sampler::Implementation::given_features(const Conditions& conditions,
                                                     std::vector<float>& storage) const {
  const std::size_t width = model->n_features();
  if (conditions.quantum != nullptr) {
    if (width == 0) {
      throw InputError(
          "features were given to a model without a conditioner, which would not look at them: "
          "leave them out");
    }
    const std::size_t row = first_not_finite(conditions.quantum, conditions.n, width);
    if (row != none) {
      throw InputError("row " + std::to_string(row) +
                       ": a feature given for it is not a finite number, so no shower can be "
                       "drawn: correct or drop this row");
    }
    return conditions.quantum;
  }
  if (conditioner) {
    storage.resize(conditions.n * width);
    conditioner->features(conditions.incident_energy, conditions.eta, conditions.n, storage.data());
    const std::size_t row = first_not_finite(storage.data(), conditions.n, width);
    if (row != none) {
      throw ModelError("row " + std::to_string(row) +
                       ": the conditioner gives a feature that is not finite, so no shower can be "
                       "drawn: check what computes the features");
    }
    return storage.data();
  }
  if (width != 0 && !model->network().has_conditioner()) {
    throw InputError(
        "the conditioning of this model is served and the file has no table to fall back to, so "
        "its features are unknown: give them (quantum), or a conditioner that asks the service");
  }
  return nullptr;
}

std::size_t Sampler::Implementation::run(Conditions conditions, const ShowerKeys* keys,
                                         const float* z, OutOfRange policy, float* layer_energy) {
  const std::size_t n = conditions.n;
  if (n == 0) return 0;
  require(conditions.incident_energy, "incident_energy");
  require(conditions.eta, "eta");
  require(layer_energy, "layer_energy");

  std::vector<float> clipped(policy == OutOfRange::clip ? 2 * n : 0);
  float* used = clipped.empty() ? nullptr : clipped.data();
  const std::size_t n_outside = check_conditions(model->card(), conditions, policy, used,
                                                 used == nullptr ? nullptr : used + n);
  if (used != nullptr) conditions = {n, used, used + n, conditions.quantum};
  std::vector<float> storage;
  const float* quantum = given_features(conditions, storage);

  const std::size_t width = model->n_layers();
  const std::size_t n_features = model->n_features();
  const std::size_t n_chunks = (n + Network::chunk_rows - 1) / Network::chunk_rows;
  // A thread takes about 30 us to start: below 4 chunks each it does not pay.
  const std::size_t n_workers = std::clamp<std::size_t>(n_chunks / 4, 1, threads);
  std::vector<std::unique_ptr<ChunkWorkspace>> own;
  for (std::size_t i = 0; i < n_workers; ++i) own.push_back(take_workspace());

  std::atomic<std::size_t> next_chunk{0};
  std::atomic<std::size_t> bad_row{none};
  detail::run_parallel(n_workers, [&](std::size_t worker) noexcept {
    ChunkWorkspace& workspace = *own[worker];
    for (std::size_t chunk = next_chunk++; chunk < n_chunks; chunk = next_chunk++) {
      const std::size_t start = chunk * Network::chunk_rows;
      const std::size_t rows = std::min(Network::chunk_rows, n - start);
      const float* latents = z == nullptr ? workspace.z : z + start * width;
      if (z == nullptr) {
        kernels.latents(keys->seed, keys->event + start, keys->particle + start, rows, width,
                        static_cast<std::uint32_t>(LatentStream::energy), workspace.z);
      }
      float* out = layer_energy + start * width;
      model->network().run(kernels,
                           {rows, conditions.incident_energy + start, conditions.eta + start,
                            quantum == nullptr ? nullptr : quantum + start * n_features},
                           latents, out, workspace);
      const std::size_t bad = first_bad_row(out, rows, width);
      if (bad == none) continue;
      // The lowest row wins, so the message does not depend on the threads.
      std::size_t lowest = bad_row;
      while (start + bad < lowest && !bad_row.compare_exchange_weak(lowest, start + bad)) {
      }
    }
  });
  for (auto& workspace : own) give_back(std::move(workspace));

  if (const std::size_t row = bad_row; row != none) {
    throw ModelError(
        "row " + std::to_string(row) +
        ": the model gives a layer energy that is not finite (incident energy " +
        detail::pretty(double{conditions.incident_energy[row]}) + " MeV, eta " +
        detail::pretty(double{conditions.eta[row]}) +
        "), so the batch is not usable: stay inside the range of validity, and report this "
        "if it happens there");
  }
  return n_outside;
}

Sampler::Sampler(std::shared_ptr<const Model> model, const SamplerOptions& options) {
  if (!model)
    throw InputError("a sampler needs a model, this one is null: load one with Model::load");
  constexpr unsigned most = 1024;
  if (options.threads > most) {
    throw InputError("a sampler with " + std::to_string(options.threads) +
                     " threads would only slow the machine down: use at most " +
                     std::to_string(most));
  }
  if (options.conditioner && options.conditioner->n_features() != model->n_features()) {
    throw InputError("the conditioner gives " + std::to_string(options.conditioner->n_features()) +
                     " features where the model takes " + std::to_string(model->n_features()) +
                     ", so it belongs to another model: give the one this model was trained with");
  }
  implementation_ = std::make_unique<Implementation>(std::move(model), options);
  const Implementation& own = *implementation_;
  // The model was verified at load with the best set; any other is verified here.
  if (own.instruction_set != kernels::best_instruction_set()) {
    own.model->network().verify(own.kernels, own.model->card().parity);
  }
}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

std::size_t Sampler::sample(const Conditions& conditions, const ShowerKeys& keys, OutOfRange policy,
                            float* layer_energy, float* voxel_energy) const {
  if (voxel_energy != nullptr) require_voxels(*model());
  if (conditions.n > 0) {
    require(keys.event, "event");
    require(keys.particle, "particle");
  }
  return implementation_->run(conditions, &keys, nullptr, policy, layer_energy);
}

std::size_t Sampler::generate(const Conditions& conditions, const float* z, OutOfRange policy,
                              float* layer_energy) const {
  if (conditions.n == 0) return 0;
  require(z, "z");
  const std::size_t width = implementation_->model->n_layers();
  const std::size_t row = first_not_finite(z, conditions.n, width);
  if (row != none) {
    throw InputError(
        "row " + std::to_string(row) +
        ": a latent is not a finite number, so no shower can be drawn: give standard normal "
        "numbers");
  }
  return implementation_->run(conditions, nullptr, z, policy, layer_energy);
}

std::size_t Sampler::generate(const Conditions& conditions, const float* z, const float* z_shape,
                              OutOfRange policy, float* layer_energy, float* voxel_energy) const {
  require_voxels(*model());
  if (conditions.n == 0) return 0;
  require(z_shape, "z_shape");
  require(voxel_energy, "voxel_energy");
  return generate(conditions, z, policy, layer_energy);
}

const std::shared_ptr<const Model>& Sampler::model() const noexcept {
  return implementation_->model;
}
unsigned Sampler::threads() const noexcept {
  return implementation_->threads;
}
std::string Sampler::instruction_set() const {
  return kernels::name(implementation_->instruction_set);
}

}  // namespace fastcaloq
