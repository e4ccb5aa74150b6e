#include "fastcaloq/conditioner.hpp"

#include <algorithm>
#include <utility>

#include "fastcaloq/error.hpp"
#include "instruction_set.hpp"
#include "network.hpp"

namespace fastcaloq {
namespace {

using detail::Network;

class OwnConditioner final : public Conditioner {
 public:
  OwnConditioner(std::shared_ptr<const Model> model, const kernels::KernelTable& kernels)
      : model_(std::move(model)), kernels_(kernels) {}

  std::size_t n_features() const noexcept override { return model_->n_features(); }

  void features(const float* incident_energy, const float* eta, std::size_t n,
                float* out) const override {
    detail::ChunkWorkspace workspace(model_->network());
    for (std::size_t start = 0; start < n; start += Network::chunk_rows) {
      const std::size_t rows = std::min(Network::chunk_rows, n - start);
      model_->network().features(kernels_, {rows, incident_energy + start, eta + start},
                                 out + start * n_features(), workspace);
    }
  }

 private:
  std::shared_ptr<const Model> model_;
  const kernels::KernelTable& kernels_;
};

}  // namespace

Conditioner::~Conditioner() = default;

std::shared_ptr<const Conditioner> own_conditioner(std::shared_ptr<const Model> model,
                                                   const std::string& instruction_set) {
  if (!model) {
    throw InputError("a null model has no conditioner: load one with Model::load");
  }
  const auto& kernels = kernels::kernels(detail::find_instruction_set(instruction_set));
  if (model->n_features() == 0 || !model->network().knows(true)) return nullptr;
  return std::make_shared<OwnConditioner>(std::move(model), kernels);
}

}  // namespace fastcaloq
