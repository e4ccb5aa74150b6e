#include "network.hpp"

#include <algorithm>

#include "flow_weights.hpp"

namespace fastcaloq::detail {
namespace {

/// Copies `width` numbers of every run of equal rows to each of its rows.
void expand(const Conditions& rows, const ChunkWorkspace& workspace, const float* unique,
            std::size_t width, float* out) {
  std::size_t from = 0;
  for (std::size_t row = 0; row < rows.n; ++row) {
    if (rows.incident_energy[row] != workspace.unique_energy[from] ||
        rows.eta[row] != workspace.unique_eta[from]) {
      ++from;
    }
    std::copy_n(unique + width * from, width, out + width * row);
  }
}

/// Finds the runs of equal conditions and returns how many there are.
std::size_t find_unique(const Conditions& rows, ChunkWorkspace& workspace) {
  std::size_t n_unique = 0;
  for (std::size_t row = 0; row < rows.n; ++row) {
    const float energy = rows.incident_energy[row];
    const float eta = rows.eta[row];
    if (n_unique > 0 && energy == workspace.unique_energy[n_unique - 1] &&
        eta == workspace.unique_eta[n_unique - 1]) {
      continue;
    }
    workspace.unique_energy[n_unique] = energy;
    workspace.unique_eta[n_unique] = eta;
    ++n_unique;
  }
  return n_unique;
}

/// Copies columns of rows of one width to rows of another.
void copy_columns(const float* from, std::size_t from_width, float* to, std::size_t to_width,
                  std::size_t n_columns, std::size_t n) {
  for (std::size_t row = 0; row < n; ++row) {
    std::copy_n(from + row * from_width, n_columns, to + row * to_width);
  }
}

}  // namespace

Network::Network(const ModelCard& card, Weights& weights) : flow_(pack_energy_flow(card, weights)) {
  condition_.log_energy_center = static_cast<float>(card.condition.log_energy_center);
  condition_.log_energy_half_width = static_cast<float>(card.condition.log_energy_half_width);
  condition_.eta_center = static_cast<float>(card.condition.eta_center);
  condition_.eta_half_width = static_cast<float>(card.condition.eta_half_width);
  energy_features_ = {static_cast<std::size_t>(card.conditioning.features),
                      make_stored_conditioner(card.conditioning, "", weights)};
  if (!card.shape) return;
  shape_.emplace(pack_shape_flow(card, weights));
  shape_features_ = {static_cast<std::size_t>(card.shape->conditioning.features),
                     make_stored_conditioner(card.shape->conditioning, "shape.", weights)};
}

/// (rows.n, part.n) features: given ones, or the file's own, computed once for each run of rows.
const float* Network::flow_features(const kernels::KernelTable& kernels, const FlowFeatures& part,
                                    const Conditions& rows, std::size_t n_unique,
                                    ChunkWorkspace& workspace) const {
  if (part.n == 0) return nullptr;
  if (rows.quantum != nullptr) {
    const float* first = rows.quantum + (&part == &energy_features_ ? 0 : energy_features_.n);
    if (part.n == n_features()) return first;
    copy_columns(first, n_features(), workspace.features, part.n, part.n, rows.n);
    return workspace.features;
  }
  const ConditionRows unique{n_unique, workspace.unique_condition, workspace.log_energy,
                             workspace.unique_eta};
  part.conditioner->features(kernels, unique, workspace.unique_features,
                             workspace.conditioner.data());
  if (n_unique == rows.n) return workspace.unique_features;
  expand(rows, workspace, workspace.unique_features, part.n, workspace.features);
  return workspace.features;
}

void Network::run(const kernels::KernelTable& kernels, const Chunk& chunk,
                  ChunkWorkspace& workspace) const {
  const Conditions& rows = chunk.rows;
  // Neighbours often share their condition (a scan at fixed energies).
  const std::size_t n_unique = find_unique(rows, workspace);
  kernels.condition(condition_, workspace.unique_energy, workspace.unique_eta,
                    workspace.unique_condition, workspace.log_energy, n_unique);
  const float* condition = workspace.unique_condition;
  if (n_unique < rows.n) {
    expand(rows, workspace, workspace.unique_condition, 2, workspace.condition);
    condition = workspace.condition;
  }
  kernels.sample(flow_.view(), rows.incident_energy, condition,
                 flow_features(kernels, energy_features_, rows, n_unique, workspace), chunk.z,
                 chunk.layer_energy, rows.n, workspace.flow.data());
  if (chunk.voxel_energy == nullptr) return;
  const float* z_shape = chunk.z_shape;
  if (chunk.z_shape_stride != n_coordinates()) {
    copy_columns(z_shape, chunk.z_shape_stride, workspace.z_shape, n_coordinates(), n_coordinates(),
                 rows.n);
    z_shape = workspace.z_shape;
  }
  kernels.sample_shape(shape_->view(), rows.incident_energy, condition,
                       flow_features(kernels, shape_features_, rows, n_unique, workspace),
                       chunk.layer_energy, z_shape, chunk.voxel_energy, rows.n,
                       workspace.shape.data());
}

void Network::features(const kernels::KernelTable& kernels, const Conditions& rows, float* features,
                       ChunkWorkspace& workspace) const {
  kernels.condition(condition_, rows.incident_energy, rows.eta, workspace.condition,
                    workspace.log_energy, rows.n);
  for (const FlowFeatures* part : {&energy_features_, &shape_features_}) {
    if (part->n == 0) continue;
    part->conditioner->features(kernels,
                                {rows.n, workspace.condition, workspace.log_energy, rows.eta},
                                workspace.features, workspace.conditioner.data());
    float* first = features + (part == &energy_features_ ? 0 : energy_features_.n);
    copy_columns(workspace.features, part->n, first, n_features(), part->n, rows.n);
  }
}

ChunkWorkspace::ChunkWorkspace(const Network& network) : flow(network.flow_) {
  const std::size_t rows = Network::chunk_rows;
  if (network.shape_) shape = kernels::Workspace(network.shape_->workspace_floats());
  std::size_t n_features = 0;  // both flows take turns
  std::size_t scratch = 0;
  for (const Network::FlowFeatures* part : {&network.energy_features_, &network.shape_features_}) {
    n_features = std::max(n_features, part->n);
    if (part->conditioner) scratch = std::max(scratch, part->conditioner->scratch_floats(rows));
  }
  conditioner = kernels::Workspace(scratch);
  const std::size_t n_layers = network.n_layers();
  const std::size_t n_coordinates = network.n_coordinates();
  buffers = kernels::Workspace(rows * (7 + 2 * n_features + n_layers) +
                               Network::voxel_rows * n_coordinates);
  float* free = buffers.data();
  // Every part is a multiple of voxel_rows, so all stay aligned.
  const auto take = [&free](std::size_t n_floats) {
    float* part = free;
    free += n_floats;
    return part;
  };
  unique_energy = take(rows);
  unique_eta = take(rows);
  log_energy = take(rows);
  unique_condition = take(2 * rows);
  condition = take(2 * rows);
  unique_features = take(n_features * rows);
  features = take(n_features * rows);
  z = take(n_layers * rows);
  z_shape = take(n_coordinates * Network::voxel_rows);
}

}  // namespace fastcaloq::detail
