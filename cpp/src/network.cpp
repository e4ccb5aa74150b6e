#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

std::size_t count(int number) {
  return static_cast<std::size_t>(number);
}

kernels::CouplingBlock make_block(const BlockCard& card, const FlowCard& flow, std::size_t index,
                                  std::size_t n_features, Weights& weights) {
  const std::string prefix = "energy.block" + std::to_string(index);
  const bool spline = card.kind == BlockKind::spline;
  kernels::CouplingBlock block;
  block.kind = spline ? kernels::CouplingKind::spline : kernels::CouplingKind::affine;
  block.n_passive = count(card.passive);
  block.n_active = count(card.active);
  const std::size_t n_layers = block.n_passive + block.n_active;
  block.permutation = weights.permutation(prefix + ".permutation", n_layers);
  block.actnorm_scale = weights.floats(prefix + ".actnorm.scale", {n_layers});
  block.actnorm_shift = weights.floats(prefix + ".actnorm.shift", {n_layers});
  for (const float scale : block.actnorm_scale) {
    if (!(std::fabs(scale) > 1e-20F)) {
      throw ModelError("initialiser '" + prefix +
                       ".actnorm.scale' holds a zero, so the flow has no inverse: export the model "
                       "again");
    }
  }
  std::vector<std::size_t> widths{block.n_passive + 2 + n_features};
  for (const int width : flow.hidden) widths.push_back(count(width));
  widths.push_back(block.n_active * (spline ? 3 * count(card.bins) - 1 : 2));
  block.subnet = weights.layers(prefix + ".subnet", widths);
  block.activation =
      flow.activation == Activation::relu ? kernels::Activation::relu : kernels::Activation::silu;
  block.bins = count(card.bins);
  block.tail_bound = card.tail_bound;
  block.min_bin_width = card.min_bin_width;
  block.min_bin_height = card.min_bin_height;
  block.min_derivative = card.min_derivative;
  block.log_scale_bound = card.log_scale_bound;
  return block;
}

kernels::PackedFlow pack_flow(const ModelCard& card, Weights& weights) {
  kernels::EnergyFlowParameters parameters;
  parameters.n_layers = card.binning.layers.size();
  parameters.n_features = count(card.conditioning.features);
  for (std::size_t b = 0; b < card.flow.blocks.size(); ++b) {
    parameters.blocks.push_back(
        make_block(card.flow.blocks[b], card.flow, b, parameters.n_features, weights));
  }
  for (const int layer : card.preprocessing.layer_order) {
    parameters.layer_order.push_back(static_cast<std::uint32_t>(layer));
  }
  parameters.n_absolute = count(card.preprocessing.n_absolute);
  parameters.knots = card.preprocessing.knots;
  for (const CoordinateCard& from : card.preprocessing.coordinates) {
    parameters.coordinates.push_back(
        {from.mean, from.scale, from.lower, from.upper, from.ceiling, from.sharpness});
  }
  try {
    return kernels::PackedFlow(parameters);
  } catch (const std::invalid_argument& error) {
    throw ModelError(std::string("the engine cannot hold this model (") + error.what() +
                     "): export the model again");
  }
}

}  // namespace

Network::Network(const ModelCard& card, Weights& weights)
    : n_features_(count(card.conditioning.features)), flow_(pack_flow(card, weights)) {
  condition_.log_energy_center = static_cast<float>(card.condition.log_energy_center);
  condition_.log_energy_half_width = static_cast<float>(card.condition.log_energy_half_width);
  condition_.eta_center = static_cast<float>(card.condition.eta_center);
  condition_.eta_half_width = static_cast<float>(card.condition.eta_half_width);
  conditioner_ = make_stored_conditioner(card, weights);
}

void Network::run(const kernels::KernelTable& kernels, const Conditions& rows, const float* z,
                  float* layer_energy, ChunkWorkspace& workspace) const {
  // Neighbours often share their condition (a scan at fixed energies): its features are computed
  // once for each run of equal rows.
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
  kernels.condition(condition_, workspace.unique_energy, workspace.unique_eta,
                    workspace.unique_condition, workspace.log_energy, n_unique);
  const bool own = rows.quantum == nullptr && conditioner_ != nullptr;
  if (own) {
    const ConditionRows unique{n_unique, workspace.unique_condition, workspace.log_energy,
                               workspace.unique_eta};
    conditioner_->features(kernels, unique, workspace.unique_features,
                           workspace.conditioner.data());
  }
  const float* condition = workspace.unique_condition;
  const float* features = own ? workspace.unique_features : rows.quantum;
  if (n_unique < rows.n) {
    std::size_t from = 0;
    for (std::size_t row = 0; row < rows.n; ++row) {
      if (rows.incident_energy[row] != workspace.unique_energy[from] ||
          rows.eta[row] != workspace.unique_eta[from]) {
        ++from;
      }
      std::copy_n(workspace.unique_condition + 2 * from, 2, workspace.condition + 2 * row);
      if (!own) continue;
      std::copy_n(workspace.unique_features + n_features_ * from, n_features_,
                  workspace.features + n_features_ * row);
    }
    condition = workspace.condition;
    if (own) features = workspace.features;
  }
  kernels.sample(flow_.view(), rows.incident_energy, condition, features, z, layer_energy, rows.n,
                 workspace.flow.data());
}

void Network::features(const kernels::KernelTable& kernels, const Conditions& rows, float* features,
                       ChunkWorkspace& workspace) const {
  kernels.condition(condition_, rows.incident_energy, rows.eta, workspace.condition,
                    workspace.log_energy, rows.n);
  conditioner_->features(kernels, {rows.n, workspace.condition, workspace.log_energy, rows.eta},
                         features, workspace.conditioner.data());
}

void Network::verify(const kernels::KernelTable& kernels, const ParityCard& parity) const {
  ChunkWorkspace workspace(*this);
  const std::size_t width = n_layers();
  std::vector<float> energies(chunk_rows * width);
  for (std::size_t start = 0; start < parity.incident_energy.size(); start += chunk_rows) {
    const std::size_t n = std::min(chunk_rows, parity.incident_energy.size() - start);
    const float* quantum =
        parity.quantum.empty() ? nullptr : parity.quantum.data() + start * n_features_;
    run(kernels, {n, parity.incident_energy.data() + start, parity.eta.data() + start, quantum},
        parity.z_energy.data() + start * width, energies.data(), workspace);
    for (std::size_t i = 0; i < n * width; ++i) {
      const double want = parity.layer_energy[start * width + i];
      const double got = energies[i];
      // Written so that NaN fails.
      if (!(std::fabs(got - want) <=
            parity.absolute_tolerance + parity.relative_tolerance * std::fabs(want))) {
        throw ModelError("the engine (" + std::string(kernels.name) + ") gives " + pretty(got) +
                         " MeV where the model's parity vector " +
                         std::to_string(start + i / width) + " has " + pretty(want) +
                         " MeV in layer " + std::to_string(i % width) +
                         ", so its showers cannot be trusted: export the model again, and report "
                         "this if it stays");
      }
    }
  }
}

ChunkWorkspace::ChunkWorkspace(const Network& network)
    : flow(network.flow_),
      conditioner(network.conditioner_ ? network.conditioner_->scratch_floats(Network::chunk_rows)
                                       : 0) {
  const std::size_t rows = Network::chunk_rows;
  const std::size_t n_features = network.n_features_;
  const std::size_t n_layers = network.n_layers();
  buffers = kernels::Workspace(rows * (7 + 2 * n_features + n_layers));
  float* free = buffers.data();
  // Every part is a multiple of chunk_rows, so all stay aligned.
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
}

}  // namespace fastcaloq::detail
