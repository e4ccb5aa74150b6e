// Where the features of a batch come from, when they are not the native engine's own.
#include "batch_runner.hpp"
#include "fastcaloq/error.hpp"

namespace fastcaloq::detail {

const float* BatchRunner::given_features(const Batch& batch, std::vector<float>& storage) const {
  const Conditions& conditions = batch.conditions;
  const std::size_t width = model->n_features();
  if (conditions.quantum != nullptr) {
    if (width == 0) {
      throw InputError(
          "features were given to a model without a conditioner, which would not look at them: "
          "leave them out");
    }
    if (makes_all(engine.get()) && !asks_for_features()) {
      throw InputError(
          "features were given to an engine that computes them itself and has no input for them: "
          "use the native engine, or a model exported with served conditioning");
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
  const bool known = makes_all(engine.get())
                         ? !asks_for_features()
                         : model->network().knows(batch.voxel_energy != nullptr && !engine);
  if (!known) {
    throw InputError(
        "the conditioning of this model is served and the file has no table to fall back to, so "
        "its features are unknown: give them (quantum), or a conditioner that asks the service");
  }
  return nullptr;
}

}  // namespace fastcaloq::detail
