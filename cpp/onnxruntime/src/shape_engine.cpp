// A graph that makes voxels for layer energies.
#include <algorithm>
#include <cmath>
#include <utility>

#include "fastcaloq/error.hpp"
#include "fastcaloq/onnxruntime_engine.hpp"
#include "graph.hpp"

namespace fastcaloq {
namespace {

using detail::Graph;
using detail::GraphTensor;

struct ShapeWorkspace final : Engine::Workspace {
  std::vector<float> absolute_eta;
};

/// The layers of the energy model with the voxels of the shape model.
BinningCard common(const BinningCard& energies, const BinningCard& shape) {
  BinningCard both{shape.name, {}};
  auto next = shape.layers.begin();
  const auto skip_empty = [&] {
    next = std::find_if(next, shape.layers.end(),
                        [](const LayerCard& layer) { return layer.n_voxels() > 0; });
  };
  skip_empty();
  for (const LayerCard& layer : energies.layers) {
    both.layers.push_back({layer.id, {}, 1});
    if (next == shape.layers.end() || next->id != layer.id) continue;
    both.layers.back() = *next++;
    skip_empty();
  }
  if (next != shape.layers.end()) {
    throw InputError("the binning has voxels in layer " + std::to_string(next->id) +
                     ", for which the model has no energy at that place of its layers: give a "
                     "binning and a model of the same layers, in the same order");
  }
  if (both.n_voxels() == 0) {
    throw InputError(
        "the binning has no voxels, so there is nothing for a graph to make: give one "
        "with r_edges");
  }
  return both;
}

class ShapeEngine final : public Engine {
 public:
  ShapeEngine(const Model& model, const ShapeGraph& graph, const OnnxRuntimeOptions& options)
      : binning_(common(model.card().binning, graph.binning)),
        chunk_rows_(options.chunk_rows),
        threshold_(checked(graph.threshold)),
        graph_(graph.path, options, inputs(graph, model.n_layers(), binning_.n_voxels()),
               {{graph.voxel_energy, binning_.n_voxels(), "ShapeGraph::voxel_energy"}}) {}

  std::string name() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Role role() const noexcept override { return Role::voxels; }
  Features features() const noexcept override { return Features::own; }
  const BinningCard& binning() const noexcept override { return binning_; }
  std::size_t chunk_rows() const noexcept override { return chunk_rows_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<ShapeWorkspace>();
  }

  void run(const ShowerChunk& chunk, Workspace& workspace) const override {
    const std::size_t n = chunk.rows.n;
    auto& eta = static_cast<ShapeWorkspace&>(workspace).absolute_eta;
    eta.resize(std::max(eta.size(), n));
    std::transform(chunk.rows.eta, chunk.rows.eta + n, eta.begin(),
                   [](float value) { return std::fabs(value); });
    graph_.run(n, {chunk.z_shape, chunk.layer_energy, chunk.rows.incident_energy, eta.data()},
               {chunk.voxel_energy});
    if (!threshold_) return;
    float* end = chunk.voxel_energy + n * binning_.n_voxels();
    std::replace_if(
        chunk.voxel_energy, end, [low = *threshold_](float energy) { return energy < low; }, 0.0F);
  }

 private:
  /// In the order of run(); one without a name is not in the graph.
  static std::vector<GraphTensor> inputs(const ShapeGraph& graph, std::size_t n_layers,
                                         std::size_t n_voxels) {
    std::vector<GraphTensor> all = {
        {graph.z_shape, n_voxels, "ShapeGraph::z_shape"},
        {graph.layer_energy, n_layers, "ShapeGraph::layer_energy"},
        {graph.incident_energy, 1, "ShapeGraph::incident_energy"},
        {graph.eta, 1, "ShapeGraph::eta"},
    };
    for (GraphTensor& tensor : all) tensor.optional = tensor.name.empty();
    return all;
  }

  static std::optional<float> checked(std::optional<float> threshold) {
    if (threshold && !(*threshold >= 0.0F && std::isfinite(*threshold))) {
      throw InputError("a threshold for voxels of " + std::to_string(*threshold) +
                       " MeV makes no sense: give a finite one, 0 or more");
    }
    return threshold;
  }

  BinningCard binning_;
  std::size_t chunk_rows_;
  std::optional<float> threshold_;
  Graph graph_;
};

}  // namespace

std::shared_ptr<const Engine> onnxruntime_shape_engine(std::shared_ptr<const Model> model,
                                                       const ShapeGraph& graph,
                                                       const OnnxRuntimeOptions& options) {
  if (!model) {
    throw InputError(
        "an engine of voxels needs the model that draws its layer energies, this one "
        "is null: load one with Model::load");
  }
  return std::make_shared<ShapeEngine>(*model, graph, options);
}

}  // namespace fastcaloq
