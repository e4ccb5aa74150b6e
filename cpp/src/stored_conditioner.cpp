#include "stored_conditioner.hpp"

namespace fastcaloq::detail {

std::unique_ptr<const StoredConditioner> make_stored_conditioner(const ModelCard& card,
                                                                 Weights& weights) {
  if (card.conditioning.kind == ConditioningKind::none) return nullptr;
  if (card.conditioning.table) {
    return make_table_conditioner(card, weights);
  }
  if (card.conditioning.mode == ConditioningMode::served) return nullptr;
  if (card.conditioning.kind == ConditioningKind::classical) {
    return make_classical_conditioner(card, weights);
  }
  return make_quantum_conditioner(card, weights);
}

}  // namespace fastcaloq::detail
