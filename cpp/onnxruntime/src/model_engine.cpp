// A graph that is a whole model.
#include <utility>

#include "fastcaloq/error.hpp"
#include "fastcaloq/onnxruntime_engine.hpp"
#include "graph.hpp"

namespace fastcaloq {
namespace {

using detail::Graph;
using detail::GraphTensor;

/// For a whole-shower graph that is asked for layer energies alone.
struct ModelWorkspace final : Engine::Workspace {
  std::vector<float> no_latents, no_voxels;
};

class ModelEngine final : public Engine {
 public:
  ModelEngine(std::shared_ptr<const Model> model, const std::string& path,
              const OnnxRuntimeOptions& options)
      : model_(std::move(model)),
        chunk_rows_(options.chunk_rows),
        graph_(path, options, inputs(*model_), outputs(*model_)) {}

  std::string name() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Role role() const noexcept override { return Role::whole; }
  Features features() const noexcept override {
    const bool given = model_->n_features() > 0 && graph_.has_input(quantum);
    return given ? Features::given : Features::own;
  }
  const BinningCard& binning() const noexcept override { return model_->card().binning; }
  std::size_t chunk_rows() const noexcept override { return chunk_rows_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<ModelWorkspace>();
  }

  void run(const ShowerChunk& chunk, Workspace& workspace) const override {
    const std::size_t n = chunk.rows.n;
    std::vector<const float*> in = {chunk.rows.incident_energy, chunk.rows.eta, chunk.z};
    std::vector<float*> out = {chunk.layer_energy};
    if (model_->n_features() > 0) in.push_back(chunk.rows.quantum);
    if (const std::size_t n_voxels = model_->n_voxels(); n_voxels > 0) {
      auto& own = static_cast<ModelWorkspace&>(workspace);
      if (chunk.voxel_energy == nullptr) {
        own.no_latents.resize(chunk_rows_ * n_voxels);
        own.no_voxels.resize(chunk_rows_ * n_voxels);
      }
      in.push_back(chunk.voxel_energy == nullptr ? own.no_latents.data() : chunk.z_shape);
      out.push_back(chunk.voxel_energy == nullptr ? own.no_voxels.data() : chunk.voxel_energy);
    }
    graph_.run(n, in, out);
  }

 private:
  static constexpr std::size_t quantum = 3;  // its place among the inputs

  static std::vector<GraphTensor> inputs(const Model& model) {
    std::vector<GraphTensor> all = {
        {"incident_energy", 1}, {"eta", 1}, {"z_energy", model.n_layers()}};
    if (model.n_features() > 0) all.push_back({"quantum", model.n_features(), "", true});
    if (model.n_voxels() > 0) all.push_back({"z_shape", model.n_voxels()});
    return all;
  }
  static std::vector<GraphTensor> outputs(const Model& model) {
    std::vector<GraphTensor> all = {{"layer_energy", model.n_layers()}};
    if (model.n_voxels() > 0) all.push_back({"voxel_energy", model.n_voxels()});
    return all;
  }

  std::shared_ptr<const Model> model_;
  std::size_t chunk_rows_;
  Graph graph_;
};

}  // namespace

std::shared_ptr<const Engine> onnxruntime_engine(std::shared_ptr<const Model> model,
                                                 const std::string& path,
                                                 const OnnxRuntimeOptions& options) {
  if (!model) {
    throw InputError(
        "an engine needs the model whose graph it runs, this one is null: load one "
        "with Model::load");
  }
  return std::make_shared<ModelEngine>(std::move(model), path, options);
}

}  // namespace fastcaloq
