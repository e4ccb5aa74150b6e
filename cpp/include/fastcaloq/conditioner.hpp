/// \file
/// Where a shower's features come from: the model's own conditioner, a service, or your own code.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "fastcaloq/export.hpp"
#include "fastcaloq/model.hpp"

namespace fastcaloq {

/// Features of (incident energy, eta), the numbers every coupling subnet sees beside the condition.
/// A Sampler takes one through SamplerOptions::conditioner. Implementations are immutable as seen
/// from outside and may be called from many threads at once.
class FASTCALOQ_API Conditioner {
 public:
  Conditioner() = default;
  Conditioner(const Conditioner&) = delete;
  Conditioner& operator=(const Conditioner&) = delete;
  virtual ~Conditioner();

  /// Numbers per row, Q.
  virtual std::size_t n_features() const noexcept = 0;

  /// \param incident_energy (n) MeV, finite and > 0
  /// \param eta (n) finite; features depend on |eta| alone
  /// \param out (n, Q) row-major; a row's features must depend on that row alone
  /// \throws Error no features can be had; the sampler passes it on, and no shower is drawn
  virtual void features(const float* incident_energy, const float* eta, std::size_t n,
                        float* out) const = 0;
};

/// What the model file itself holds: a table, a circuit or a network. Null where it holds none: kind
/// `none`, or conditioning that is served without a table to fall back to.
/// \param instruction_set as in SamplerOptions; features from the same set have the same bits
/// \throws InputError a null model, or an unknown or unavailable instruction set
FASTCALOQ_API std::shared_ptr<const Conditioner> own_conditioner(
    std::shared_ptr<const Model> model, const std::string& instruction_set = "auto");

}  // namespace fastcaloq
