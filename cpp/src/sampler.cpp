#include "fastcaloq/sampler.hpp"

#include <utility>

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

void require_voxels(const Model& model) {
  if (model.n_voxels() > 0) return;
  throw InputError(
      "voxels were asked of a model that makes layer energies alone: ask for energies only, or "
      "take a model of whole showers");
}

}  // namespace

struct Sampler::Implementation : detail::BatchRunner {
  using BatchRunner::BatchRunner;

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
  implementation_ = std::make_unique<Implementation>(std::move(model), options);
  const Implementation& own = *implementation_;
  // The model was verified at load with the best set; any other is verified here.
  if (own.instruction_set != kernels::best_instruction_set()) {
    detail::verify_parity(own.model->network(), own.kernels, own.model->card());
  }
}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

std::size_t Sampler::sample(const Conditions& conditions, const ShowerKeys& keys, OutOfRange policy,
                            float* layer_energy, float* voxel_energy) const {
  if (voxel_energy != nullptr) require_voxels(*model());
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
  require_voxels(*model());
  if (conditions.n == 0) return 0;
  require(z, "z");
  require(z_shape, "z_shape");
  require(voxel_energy, "voxel_energy");
  require_finite(z, conditions.n, model()->n_layers());
  require_finite(z_shape, conditions.n, model()->n_voxels());
  return implementation_->checked_run(
      {conditions, nullptr, z, z_shape, policy, layer_energy, voxel_energy});
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
