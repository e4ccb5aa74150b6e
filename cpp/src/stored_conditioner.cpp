#include "stored_conditioner.hpp"

namespace fastcaloq::detail {

std::unique_ptr<const StoredConditioner> make_stored_conditioner(const ConditioningCard& card,
                                                                 const std::string& prefix,
                                                                 Weights& weights) {
  if (card.kind == ConditioningKind::none) return nullptr;
  if (card.table) {
    return make_table_conditioner(card, prefix, weights);
  }
  if (card.mode == ConditioningMode::served) return nullptr;
  if (card.kind == ConditioningKind::classical) {
    return make_classical_conditioner(card, prefix, weights);
  }
  return make_quantum_conditioner(card, prefix, weights);
}

}  // namespace fastcaloq::detail
