#include "card_architecture.hpp"

#include <array>
#include <cmath>

#include "card_limits.hpp"

namespace fastcaloq::detail {
namespace {

BlockCard parse_block(JsonObject object, int n_layers) {
  BlockCard block;
  block.kind =
      object.choice("kind", {"affine", "spline"}) == 0 ? BlockKind::affine : BlockKind::spline;
  block.passive = object.integer("passive", 0, n_layers);
  block.active = object.integer("active", 1, n_layers);
  if (block.passive + block.active != n_layers) {
    object.fail("active",
                "and passive do not add up to the " + std::to_string(n_layers) + " layers");
  }
  if (block.kind == BlockKind::affine) {
    block.log_scale_bound = object.number("log_scale_bound", 1e-3, 20.0);
  } else {
    block.bins = object.integer("bins", 2, 256);
    block.tail_bound = object.number("tail_bound", 0.1, 1000.0);
    block.min_bin_width = object.number("min_bin_width", 1e-6, 1.0);
    block.min_bin_height = object.number("min_bin_height", 1e-6, 1.0);
    block.min_derivative = object.number("min_derivative", 1e-6, 0.9);
    if (block.min_bin_width * block.bins >= 1.0)
      object.fail("min_bin_width", "leaves no room for the bins");
    if (block.min_bin_height * block.bins >= 1.0)
      object.fail("min_bin_height", "leaves no room for the bins");
  }
  object.finish();
  return block;
}

// The matrices of 12 qubits would take 512 MiB for each upload.
constexpr int max_embedded_qubits = 10;

CircuitCard parse_circuit(JsonObject object, int n_inputs) {
  CircuitCard circuit;
  circuit.n_qubits = object.integer("n_qubits", 1, 16);
  circuit.n_layers = object.integer("n_layers", 1, 64);
  circuit.n_inputs = object.integer("n_inputs", n_inputs, n_inputs);
  circuit.encoding = object.text("encoding");
  circuit.ansatz = object.text("ansatz");
  circuit.reuploading = object.boolean("reuploading");
  circuit.observables = object.text("observables");
  circuit.monomial_degree = object.integer("monomial_degree", 1, 2);
  object.finish();
  return circuit;
}

SubnetCard parse_subnet(JsonObject object, const FlowCard& flow) {
  SubnetCard subnet;
  const int passive = flow.blocks.front().passive;
  for (const BlockCard& block : flow.blocks) {
    if (block.passive != passive)
      object.fail("circuit", "is for blocks of one size, but they vary");
  }
  subnet.circuit = parse_circuit(object.object("circuit"), passive + 2);
  subnet.networks = object.integer("networks", 1, 16);
  subnet.coordinate_scale = object.number("coordinate_scale", 1e-3, 1000.0);
  if (subnet.circuit.n_qubits > max_embedded_qubits) {
    object.fail("circuit", "is embedded with more than 10 qubits");
  }
  object.finish();
  return subnet;
}

TableCard parse_table(JsonObject object, const PhaseSpace& reach) {
  TableCard table;
  table.log_energy = parse_interval(object, "log_energy", -100.0, 100.0);
  table.eta = parse_interval(object, "eta", 0.0, max_eta);
  table.n_energy = object.integer("n_energy", 4, 1000000);
  table.n_eta = object.integer("n_eta", 1, 10000);
  if (table.n_eta == 2 || table.n_eta == 3) object.fail("n_eta", "is neither 1 nor at least 4");
  table.max_error = object.number("max_error", 0.0, large);
  table.feature_range = object.number("feature_range", 0.0, large);
  // The grid must reach as far as the model may be asked; 1e-4 is above the float32 rounding of a
  // logarithm and far below one cell.
  constexpr double slack = 1e-4;
  if (!(table.log_energy.high > table.log_energy.low) ||
      table.log_energy.low > std::log(reach.incident_energy.low) + slack ||
      table.log_energy.high < std::log(reach.incident_energy.high) - slack) {
    object.fail("log_energy", "does not cover the energies of the extrapolation range");
  }
  if (table.n_eta > 1 &&
      (!(table.eta.high > table.eta.low) || table.eta.low > reach.eta.low + slack ||
       table.eta.high < reach.eta.high - slack)) {
    object.fail("eta", "does not cover the eta of the extrapolation range");
  }
  object.finish();
  return table;
}

std::string parse_version(JsonObject& object) {
  std::string version = object.text("version");
  if (version.size() != 16 || version.find_first_not_of("0123456789abcdef") != std::string::npos) {
    object.fail("version", "is not 16 hexadecimal digits");
  }
  return version;
}

}  // namespace

Interval parse_interval(JsonObject& object, const char* key, double low, double high) {
  const std::vector<double> ends = object.numbers(key, 2, 2, low, high);
  if (ends[0] > ends[1]) object.fail(key, "ends below where it starts");
  return {ends[0], ends[1]};
}

FlowCard parse_flow(JsonObject object, int n_layers) {
  FlowCard flow;
  for (JsonObject& block : object.objects("blocks", 1, 256)) {
    flow.blocks.push_back(parse_block(std::move(block), n_layers));
  }
  flow.hidden = object.integers("hidden", 0, 16, 1, max_width);
  flow.activation =
      object.choice("activation", {"relu", "silu"}) == 0 ? Activation::relu : Activation::silu;
  if (object.given("subnet")) flow.subnet = parse_subnet(object.object("subnet"), flow);
  if (flow.subnet && !flow.hidden.empty()) {
    object.fail("hidden", "has widths, but circuits take the place of hidden layers");
  }
  object.finish();
  return flow;
}

ConditioningCard parse_conditioning(JsonObject object, const PhaseSpace& reach) {
  ConditioningCard card;
  constexpr std::array kinds{ConditioningKind::none, ConditioningKind::conditioner,
                             ConditioningKind::classical, ConditioningKind::multilinear,
                             ConditioningKind::fourier};
  constexpr std::array modes{ConditioningMode::none, ConditioningMode::precomputed,
                             ConditioningMode::embedded, ConditioningMode::served};
  card.kind =
      kinds[object.choice("kind", {"none", "conditioner", "classical", "multilinear", "fourier"})];
  card.mode = modes[object.choice("mode", {"none", "precomputed", "embedded", "served"})];
  card.features = object.integer("features", 0, 1024);
  if (!object.is_null("circuit")) card.circuit = parse_circuit(object.object("circuit"), 2);
  if (!object.is_null("hidden")) card.hidden = object.integers("hidden", 0, 16, 1, max_width);
  if (!object.is_null("table")) card.table = parse_table(object.object("table"), reach);
  if ((card.kind == ConditioningKind::none) != (card.mode == ConditioningMode::none)) {
    object.fail("mode", "contradicts its kind");
  }
  if ((card.kind == ConditioningKind::none) != (card.features == 0)) {
    object.fail("features", "contradicts its kind");
  }
  if ((card.kind == ConditioningKind::conditioner) != card.circuit.has_value()) {
    object.fail("circuit", "contradicts its kind");
  }
  if (card.kind != ConditioningKind::classical && !card.hidden.empty()) {
    object.fail("hidden", "contradicts its kind");
  }
  const bool served = card.mode == ConditioningMode::served;
  // A served model may carry a table to fall back to.
  if (!served && (card.mode == ConditioningMode::precomputed) != card.table.has_value()) {
    object.fail("table", "contradicts its mode");
  }
  if (object.given("version")) card.version = parse_version(object);
  if (served && card.version.empty()) {
    object.fail("version", "is missing, so the service could not be recognised");
  }
  if (card.mode == ConditioningMode::embedded && card.kind != ConditioningKind::conditioner &&
      card.kind != ConditioningKind::classical) {
    object.fail("mode", "is one that its kind cannot have");
  }
  if (card.mode == ConditioningMode::embedded && card.circuit &&
      card.circuit->n_qubits > max_embedded_qubits) {
    object.fail("circuit", "is embedded with more than 10 qubits");
  }
  object.finish();
  return card;
}

}  // namespace fastcaloq::detail
