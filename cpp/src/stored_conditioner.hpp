/// \file
/// Features of the condition: one class per way a model file can carry them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "fastcaloq/model_card.hpp"
#include "kernels/engine.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {

/// What features are computed from, in two forms: conditioners read the one they need.
struct ConditionRows {
  std::size_t n = 0;
  const float* condition = nullptr;   ///< (n, 2), see ConditionCard
  const float* log_energy = nullptr;  ///< (n) log(E_inc/MeV)
  const float* eta = nullptr;         ///< (n)
};

/// Immutable; a row's features depend on that row alone.
class StoredConditioner {
 public:
  virtual ~StoredConditioner() = default;

  /// features out, (rows.n, Q) row-major; `scratch` holds scratch_floats(rows.n) floats.
  virtual void features(const kernels::KernelTable& kernels, const ConditionRows& rows,
                        float* features, float* scratch) const = 0;
  virtual std::size_t scratch_floats(std::size_t n) const = 0;
};

/// One of a file's conditioners, with its weights; null for a flow without one, and where features are
/// served and there is no table to fall back to.
/// \param prefix stands before the names of its weights
/// Throws ModelError, see Weights.
std::unique_ptr<const StoredConditioner> make_stored_conditioner(const ConditioningCard& card,
                                                                 const std::string& prefix,
                                                                 Weights& weights);

std::unique_ptr<const StoredConditioner> make_table_conditioner(const ConditioningCard& card,
                                                                const std::string& prefix,
                                                                Weights& weights);
std::unique_ptr<const StoredConditioner> make_quantum_conditioner(const ConditioningCard& card,
                                                                  const std::string& prefix,
                                                                  Weights& weights);
std::unique_ptr<const StoredConditioner> make_classical_conditioner(const ConditioningCard& card,
                                                                    const std::string& prefix,
                                                                    Weights& weights);

}  // namespace fastcaloq::detail
