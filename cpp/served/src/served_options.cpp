#include "served_options.hpp"

#include <algorithm>

#include "fastcaloq/error.hpp"
#include "http_client.hpp"

namespace fastcaloq::detail {

std::shared_ptr<const Conditioner> find_fallback(const std::shared_ptr<const Model>& model,
                                                 const ServedOptions& options) {
  if (!options.fallback) return nullptr;
  auto fallback = own_conditioner(model);
  if (!fallback) {
    throw InputError(
        "the model has no table to fall back to when the service is away: export it with one, or "
        "do not allow the fallback");
  }
  return fallback;
}

ServedOptions checked(ServedOptions options, const Model* model) {
  if (model == nullptr) {
    throw InputError("a served conditioner needs a model, this one is null: load one");
  }
  if (model->n_features() == 0) {
    throw InputError(
        "the model has no conditioner, so there is nothing to ask a service for: use it as it is");
  }
  if (options.model_name.empty()) options.model_name = model->card().name;
  if (options.version.empty()) options.version = model->feature_version();
  if (options.version.empty()) {
    throw InputError(
        "the model does not say which version of its conditioner it was made with, so a wrong one "
        "would not be noticed: export it again, or give the version");
  }
  const auto control = [](unsigned char c) { return c < 0x21 || c > 0x7e; };
  if (std::any_of(options.token.begin(), options.token.end(), control)) {
    throw InputError(
        "the token holds a blank, a line end or another character no header can carry: give the "
        "bare token");
  }
  if (std::any_of(options.model_name.begin(), options.model_name.end(), [&](unsigned char c) {
        return control(c) || c == '/' || c == '?' || c == '#';
      })) {
    throw InputError("the name of the served model cannot stand in an address: correct it");
  }
  const auto positive = [](std::chrono::milliseconds time) { return time.count() > 0; };
  if (!positive(options.connect_timeout) || !positive(options.timeout) ||
      options.rows_per_request == 0 || options.failures_to_pause == 0 || options.retries > 100) {
    throw InputError(
        "time-outs, rows per request and failures before a pause must be positive and retries at "
        "most 100, or no answer could come: correct the options");
  }
  options.url = checked_url(options.url);
  return options;
}

}  // namespace fastcaloq::detail
