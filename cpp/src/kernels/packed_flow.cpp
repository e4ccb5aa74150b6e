// Packs an energy flow: lays its constants out for the kernels.
#include <algorithm>
#include <limits>

#include "aligned.hpp"
#include "engine.hpp"
#include "packing.hpp"

namespace fastcaloq::kernels {
namespace {

// Rows of CoordinatesView: mean, scale and their slopes; bounds, ceiling, sharpness and its inverse.
constexpr std::size_t kSegmentRows = 4;
constexpr std::size_t kConstantRows = 5;

std::size_t segments(const EnergyFlowParameters& p) {
  return std::max<std::size_t>(p.knots.size(), 2) - 1;
}

}  // namespace

struct PackedFlow::Storage {
  Arena arena;
  std::vector<LinearView> linear;
  std::vector<CircuitView> circuits;
  std::vector<BlockView> blocks;
  std::vector<std::vector<std::uint32_t>> permutations;
  std::vector<std::uint32_t> layer_order;
  FlowView view;
  std::size_t multiply_adds = 0;
  std::size_t workspace_floats = 0;

  LinearView* pack_layers(const std::vector<MlpLayer>& layers, Activation inner);
  void pack_circuits(const CouplingBlock& block, const EnergyFlowParameters& p, BlockView& view);
  void pack_blocks(const EnergyFlowParameters& p);
  void pack_coordinates(const EnergyFlowParameters& p);
  void measure();
};

// `inner` follows every layer but the last.
LinearView* PackedFlow::Storage::pack_layers(const std::vector<MlpLayer>& layers,
                                             Activation inner) {
  LinearView* first = linear.data() + linear.size();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool last = i + 1 == layers.size();
    linear.push_back(pack_layer(arena, layers[i], last ? Activation::none : inner));
    multiply_adds += layers[i].n_in * layers[i].n_out;
    view.max_width = std::max(view.max_width, round_up(layers[i].n_out, kPanel));
  }
  return first;
}

void PackedFlow::Storage::pack_circuits(const CouplingBlock& block, const EnergyFlowParameters& p,
                                        BlockView& b) {
  b.n_circuits = block.circuits.size();
  b.circuits = circuits.data() + circuits.size();
  b.squares = block.monomial_degree == 2;
  b.inverse_coordinate_scale = static_cast<float>(1.0 / block.coordinate_scale);
  std::size_t measured = 0;
  for (const CircuitLayers& from : block.circuits) {
    CircuitView circuit;
    circuit.dimension = from.readout.n_in / 2;
    circuit.n_uploads = from.phases.size();
    circuit.phases = pack_layers(from.phases, Activation::none);
    circuit.matrices = pack_layers(from.matrices, Activation::none);
    circuit.readout = pack_layer(arena, from.readout, Activation::none);
    multiply_adds += from.readout.n_in * from.readout.n_out;
    measured += from.readout.n_out;
    view.max_width = std::max(view.max_width, round_up(from.readout.n_in, kPanel));
    circuits.push_back(circuit);
  }
  if (b.n_circuits > 0 && b.squares) {
    const std::size_t inputs = block.n_passive + 2 + p.n_features;
    view.max_monomials = std::max(view.max_monomials, monomials(inputs, block.monomial_degree));
  }
  view.max_measured = std::max(view.max_measured, round_up(measured, kPanel));
}

void PackedFlow::Storage::pack_blocks(const EnergyFlowParameters& p) {
  std::size_t n_linear = 0, n_circuits = 0;
  for (const CouplingBlock& block : p.blocks) {
    n_linear += block.subnet.size();
    n_circuits += block.circuits.size();
    for (const CircuitLayers& circuit : block.circuits) n_linear += 2 * circuit.phases.size();
  }
  linear.reserve(n_linear);  // views point into them
  circuits.reserve(n_circuits);
  for (const CouplingBlock& block : p.blocks) {
    BlockView b;
    b.kind = block.kind;
    b.n_passive = block.n_passive;
    b.n_active = block.n_active;
    b.n_linear = block.subnet.size();
    b.linear = pack_layers(block.subnet, block.activation);
    pack_circuits(block, p, b);
    permutations.push_back(block.permutation);
    b.permutation = permutations.back().data();
    float* inverse_scale = arena.take(round_up(p.n_layers, kPanel));
    float* minus_shift = arena.take(round_up(p.n_layers, kPanel));
    for (std::size_t j = 0; j < p.n_layers; ++j) {
      inverse_scale[j] = 1.0f / block.actnorm_scale[block.permutation[j]];
      minus_shift[j] = -block.actnorm_shift[block.permutation[j]];
    }
    b.inverse_scale = inverse_scale;
    b.minus_shift = minus_shift;
    view.max_passive = std::max(view.max_passive, block.n_passive);
    pack_elementwise(block, b);
    view.max_bins = std::max(view.max_bins, b.bins);
    blocks.push_back(b);
  }
}

void PackedFlow::Storage::pack_coordinates(const EnergyFlowParameters& p) {
  CoordinatesView& c = view.coordinates;
  const std::size_t n = segments(p);
  const std::size_t stride = round_up(p.n_layers, kPanel);
  c.n_segments = n;
  c.stride = stride;
  float* start = arena.take(n);
  float* rows[kSegmentRows];
  for (float*& row : rows) row = arena.take(n * stride);
  float* constants[kConstantRows];
  for (float*& row : constants) row = arena.take(stride);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (std::size_t s = 0; s < n; ++s) {
    start[s] = static_cast<float>(p.knots[s]);
    const bool sloped = p.knots.size() > 1;
    const double step = sloped ? p.knots[s + 1] - p.knots[s] : 1.0;
    for (std::size_t k = 0; k < p.n_layers; ++k) {
      const Coordinate& from = p.coordinates[k];
      const std::size_t end = sloped ? s + 1 : s;
      rows[0][s * stride + k] = static_cast<float>(from.mean[s]);
      rows[1][s * stride + k] = static_cast<float>((from.mean[end] - from.mean[s]) / step);
      rows[2][s * stride + k] = static_cast<float>(from.scale[s]);
      rows[3][s * stride + k] = static_cast<float>((from.scale[end] - from.scale[s]) / step);
    }
  }
  for (std::size_t k = 0; k < stride; ++k) {
    const Coordinate from = k < p.n_layers ? p.coordinates[k] : Coordinate{};
    constants[0][k] = from.lower ? static_cast<float>(*from.lower) : -infinity;
    constants[1][k] = from.upper ? static_cast<float>(*from.upper) : infinity;
    constants[2][k] = static_cast<float>(from.sharpness);
    constants[3][k] = static_cast<float>(1.0 / from.sharpness);
    constants[4][k] = from.ceiling ? static_cast<float>(*from.ceiling) : infinity;
  }
  c.segment_start = start;
  c.mean = rows[0];
  c.mean_slope = rows[1];
  c.scale = rows[2];
  c.scale_slope = rows[3];
  c.lower = constants[0];
  c.upper = constants[1];
  c.sharpness = constants[2];
  c.inverse_sharpness = constants[3];
  c.ceiling = constants[4];
}

// Scratch of sample_batch and sample_single in flow.hpp, whichever is larger.
void PackedFlow::Storage::measure() {
  const std::size_t terms = 2 * std::max<std::size_t>(view.max_bins, 1) * kPanel;
  const std::size_t context = view.max_passive + 2 + view.n_features;
  const std::size_t circuit = view.max_monomials + view.max_measured;
  const std::size_t batch =
      kChunk * (2 * view.n_layers + context + 2 * view.max_width + circuit + 1) + terms;
  const std::size_t row = view.coordinates.stride + kPanel;
  const std::size_t single = 6 * row + round_up(context, kPanel) + 2 * (view.max_width + kPanel) +
                             round_up(view.max_monomials, kPanel) + view.max_measured + terms;
  workspace_floats = std::max(batch, single);
}

PackedFlow::PackedFlow(const EnergyFlowParameters& p) : storage_(std::make_unique<Storage>()) {
  check_parameters(p);
  Storage& s = *storage_;
  for (const CouplingBlock& block : p.blocks) {
    for (const MlpLayer& layer : block.subnet) reserve_layer(s.arena, layer);
    for (const CircuitLayers& circuit : block.circuits) {
      for (const MlpLayer& layer : circuit.phases) reserve_layer(s.arena, layer);
      for (const MlpLayer& layer : circuit.matrices) reserve_layer(s.arena, layer);
      reserve_layer(s.arena, circuit.readout);
    }
    s.arena.reserve(round_up(p.n_layers, kPanel));
    s.arena.reserve(round_up(p.n_layers, kPanel));
  }
  const std::size_t stride = round_up(p.n_layers, kPanel);
  s.arena.reserve(segments(p));
  for (std::size_t i = 0; i < kSegmentRows; ++i) s.arena.reserve(segments(p) * stride);
  for (std::size_t i = 0; i < kConstantRows; ++i) s.arena.reserve(stride);
  s.arena.allocate();

  s.view.n_layers = p.n_layers;
  s.view.n_features = p.n_features;
  s.view.n_absolute = p.n_absolute;
  s.pack_blocks(p);
  s.pack_coordinates(p);
  s.layer_order = p.layer_order;
  s.view.n_blocks = s.blocks.size();
  s.view.blocks = s.blocks.data();
  s.view.layer_order = s.layer_order.data();
  s.measure();
}

PackedFlow::PackedFlow(PackedFlow&&) noexcept = default;
PackedFlow& PackedFlow::operator=(PackedFlow&&) noexcept = default;
PackedFlow::~PackedFlow() = default;
const FlowView& PackedFlow::view() const noexcept {
  return storage_->view;
}
std::size_t PackedFlow::bytes() const noexcept {
  return storage_->arena.bytes();
}
std::size_t PackedFlow::multiply_adds() const noexcept {
  return storage_->multiply_adds;
}
std::size_t PackedFlow::workspace_floats() const noexcept {
  return storage_->workspace_floats;
}

}  // namespace fastcaloq::kernels
