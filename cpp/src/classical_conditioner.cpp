#include <utility>

#include "dense_chain.hpp"
#include "stored_conditioner.hpp"

namespace fastcaloq::detail {
namespace {

/// A small tanh network on the condition, in float32.
class ClassicalConditioner final : public StoredConditioner {
 public:
  explicit ClassicalConditioner(const std::vector<kernels::MlpLayer>& layers)
      : chain_(layers, kernels::Activation::tanh) {}

  void features(const kernels::KernelTable& kernels, const ConditionRows& rows, float* features,
                float* scratch) const override {
    chain_.apply(kernels, rows.condition, features, rows.n, scratch);
  }

  std::size_t scratch_floats(std::size_t n) const override { return chain_.scratch_floats(n); }

 private:
  DenseChain chain_;
};

}  // namespace

std::unique_ptr<const StoredConditioner> make_classical_conditioner(const ConditioningCard& card,
                                                                    const std::string& prefix,
                                                                    Weights& weights) {
  std::vector<std::size_t> widths{2};
  for (const int width : card.hidden) widths.push_back(static_cast<std::size_t>(width));
  widths.push_back(static_cast<std::size_t>(card.features));
  return std::make_unique<ClassicalConditioner>(
      weights.layers(prefix + "conditioner.subnet", widths));
}

}  // namespace fastcaloq::detail
