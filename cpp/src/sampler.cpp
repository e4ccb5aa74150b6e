#include "fastcaloq/sampler.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "batch_runner.hpp"
#include "fastcaloq/error.hpp"
#include "parity.hpp"

namespace fastcaloq {
namespace {

void require(const void* array, const char* name) {
  if (array == nullptr) {
    throw InputError(std::string(name) +
                     " is a null pointer for a batch that is not empty: give an array");
  }
}

void require_finite(const float* z, std::size_t n, std::size_t width) {
  const std::size_t row = detail::first_not_finite(z, n, width);
  if (row == detail::no_row) return;
  throw InputError("row " + std::to_string(row) +
                   ": a latent is not a finite number, so no shower can be drawn: give standard "
                   "normal numbers");
}

/// "0, 1, 2"
std::string list(const std::vector<LayerCard>& layers) {
  std::string text;
  for (const LayerCard& layer : layers) {
    text += (text.empty() ? "" : ", ") + std::to_string(layer.id);
  }
  return text;
}

void require_voxels(std::size_t n_voxels) {
  if (n_voxels > 0) return;
  throw InputError(
      "voxels were asked of a model that makes layer energies alone: ask for energies only, or "
      "take a model of whole showers");
}

/// An engine of whole showers must make those of the model, one of voxels must know its layers.
void check_engine(const Engine& engine, const Model& model, bool with_conditioner) {
  const std::vector<LayerCard>& layers = engine.binning().layers;
  const std::vector<LayerCard>& wanted = model.card().binning.layers;
  const bool whole = engine.role() == Engine::Role::whole;
  const bool fits = std::equal(
      layers.begin(), layers.end(), wanted.begin(), wanted.end(),
      [whole](const LayerCard& a, const LayerCard& b) {
        return a.id == b.id && (!whole || (a.r_edges == b.r_edges && a.n_alpha == b.n_alpha));
      });
  if (!fits) {
    throw InputError("the engine (" + engine.name() + ") is for layers " + list(layers) +
                     (whole ? " and their voxels" : "") + ", the model for " + list(wanted) +
                     ", so they do not belong together: give an engine for this model");
  }
  if (engine.role() == Engine::Role::voxels && engine.binning().n_voxels() == 0) {
    throw InputError("the engine (" + engine.name() +
                     ") makes voxels, but its binning has none: give a binning with r_edges");
  }
  if (whole && with_conditioner && engine.features() == Engine::Features::own) {
    throw InputError("the engine (" + engine.name() +
                     ") computes features itself and would not ask the conditioner: leave it out, "
                     "or take a model exported with served conditioning");
  }
}

}  // namespace

struct Sampler::Implementation : detail::BatchRunner {
  using BatchRunner::BatchRunner;

  void draw(const detail::Chunk& chunk) {
    detail::Batch batch{
        chunk.rows,         nullptr,           chunk.z, chunk.z_shape, OutOfRange::extrapolate,
        chunk.layer_energy, chunk.voxel_energy};
    if (engine->features() == Engine::Features::own) batch.conditions.quantum = nullptr;
    run(batch);
  }

  std::size_t checked_run(const detail::Batch& batch) {
    require(batch.conditions.incident_energy, "incident_energy");
    require(batch.conditions.eta, "eta");
    require(batch.layer_energy, "layer_energy");
    return run(batch);
  }
};

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
  if (options.engine) check_engine(*options.engine, *model, options.conditioner != nullptr);
  implementation_ = std::make_unique<Implementation>(std::move(model), options);
  const Implementation& own = *implementation_;
  // The model was verified at load with the best set; any other is verified here.
  if (own.instruction_set != kernels::best_instruction_set()) {
    detail::verify_parity(own.model->network(), own.kernels, own.model->card());
  }
  if (detail::makes_all(own.engine.get()) && options.check_parity) {
    detail::verify_parity([this](const detail::Chunk& chunk) { implementation_->draw(chunk); },
                          own.engine->name(), own.model->card());
  }
}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

std::size_t Sampler::sample(const Conditions& conditions, const ShowerKeys& keys, OutOfRange policy,
                            float* layer_energy, float* voxel_energy) const {
  if (voxel_energy != nullptr) require_voxels(n_voxels());
  if (conditions.n == 0) return 0;
  require(keys.event, "event");
  require(keys.particle, "particle");
  return implementation_->checked_run(
      {conditions, &keys, nullptr, nullptr, policy, layer_energy, voxel_energy});
}

std::size_t Sampler::generate(const Conditions& conditions, const float* z, OutOfRange policy,
                              float* layer_energy) const {
  if (conditions.n == 0) return 0;
  require(z, "z");
  require_finite(z, conditions.n, model()->n_layers());
  return implementation_->checked_run(
      {conditions, nullptr, z, nullptr, policy, layer_energy, nullptr});
}

std::size_t Sampler::generate(const Conditions& conditions, const float* z, const float* z_shape,
                              OutOfRange policy, float* layer_energy, float* voxel_energy) const {
  require_voxels(n_voxels());
  if (conditions.n == 0) return 0;
  require(z, "z");
  require(z_shape, "z_shape");
  require(voxel_energy, "voxel_energy");
  require_finite(z, conditions.n, model()->n_layers());
  require_finite(z_shape, conditions.n, n_voxels());
  return implementation_->checked_run(
      {conditions, nullptr, z, z_shape, policy, layer_energy, voxel_energy});
}

const std::shared_ptr<const Model>& Sampler::model() const noexcept {
  return implementation_->model;
}
const BinningCard& Sampler::binning() const noexcept {
  return implementation_->binning;
}
std::size_t Sampler::n_voxels() const noexcept {
  return implementation_->n_voxels;
}
unsigned Sampler::threads() const noexcept {
  return implementation_->threads;
}
std::string Sampler::instruction_set() const {
  return kernels::name(implementation_->instruction_set);
}

}  // namespace fastcaloq
