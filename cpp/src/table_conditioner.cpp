#include "stored_conditioner.hpp"

namespace fastcaloq::detail {
namespace {

/// Features computed at export on a uniform grid in log(E/MeV) and |eta|, interpolated by the cubic
/// through the four nearest nodes along each axis.
class TableConditioner final : public StoredConditioner {
 public:
  explicit TableConditioner(kernels::PackedTable table) : table_(std::move(table)) {}

  void features(const kernels::KernelTable& kernels, const ConditionRows& rows, float* features,
                float* /*scratch*/) const override {
    kernels.table_features(table_.view(), rows.log_energy, rows.eta, features, rows.n);
  }

  std::size_t scratch_floats(std::size_t /*n*/) const override { return 0; }

 private:
  kernels::PackedTable table_;
};

}  // namespace

std::unique_ptr<const StoredConditioner> make_table_conditioner(const ConditioningCard& card,
                                                                const std::string& prefix,
                                                                Weights& weights) {
  const TableCard& table = *card.table;
  const auto n_energy = static_cast<std::size_t>(table.n_energy);
  const auto n_eta = static_cast<std::size_t>(table.n_eta);
  const auto n_features = static_cast<std::size_t>(card.features);
  const std::vector<float> values =
      weights.floats(prefix + "conditioner.table", {n_energy, n_eta, n_features});
  return std::make_unique<TableConditioner>(
      kernels::PackedTable(values, n_energy, n_eta, n_features, table.log_energy.low,
                           table.log_energy.high, table.eta.low, table.eta.high));
}

}  // namespace fastcaloq::detail
