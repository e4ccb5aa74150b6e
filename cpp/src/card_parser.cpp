#include "card_parser.hpp"

#include <algorithm>
#include <functional>

#include "card_architecture.hpp"
#include "card_limits.hpp"
#include "card_parity.hpp"
#include "card_shape.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/version.hpp"
#include "json_object.hpp"

namespace fastcaloq::detail {
namespace {

PhaseSpace parse_phase_space(JsonObject object) {
  PhaseSpace space;
  space.incident_energy = parse_interval(object, "incident_energy", tiny, max_energy);
  space.eta = parse_interval(object, "eta", 0.0, max_eta);
  object.finish();
  return space;
}

void require_word(JsonObject& object, const char* key, const std::string& word) {
  object.choice(key, {word});
}

void parse_units(JsonObject units) {
  require_word(units, "energy", "MeV");
  require_word(units, "length", "mm");
  require_word(units, "angle", "rad");
  units.finish();
}

BinningCard parse_binning(JsonObject object) {
  BinningCard binning;
  binning.name = object.text("name");
  for (JsonObject& entry : object.objects("layers", 1, max_layers)) {
    LayerCard layer;
    layer.id = entry.integer("id", 0, 10000);
    layer.r_edges = entry.numbers("r_edges", 0, 10000, 0.0, max_length);
    if (layer.r_edges.size() == 1) entry.fail("r_edges", "has one edge, which bounds nothing");
    if (std::adjacent_find(layer.r_edges.begin(), layer.r_edges.end(), std::greater_equal<>()) !=
        layer.r_edges.end()) {
      entry.fail("r_edges", "does not ascend");
    }
    layer.n_alpha = entry.integer("n_alpha", 1, 10000);
    entry.finish();
    binning.layers.push_back(std::move(layer));
  }
  object.finish();
  return binning;
}

ConditionCard parse_condition(JsonObject object) {
  ConditionCard condition;
  condition.log_energy_center = object.number("log_energy_center", -large, large);
  condition.log_energy_half_width = object.number("log_energy_half_width", 1e-6, large);
  condition.eta_center = object.number("eta_center", -max_eta, max_eta);
  condition.eta_half_width = object.number("eta_half_width", 1e-6, no_dependence);
  object.finish();
  return condition;
}

PreprocessingCard parse_preprocessing(JsonObject object, std::size_t n_layers) {
  PreprocessingCard card;
  require_word(object, "kind", "energy_fractions");
  card.layer_order =
      object.integers("layer_order", n_layers, n_layers, 0, static_cast<int>(n_layers) - 1);
  std::vector<int> sorted = card.layer_order;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    object.fail("layer_order", "names a layer twice");
  }
  card.n_absolute = object.integer("n_absolute", 0, static_cast<int>(n_layers) - 1);
  card.energy_threshold = object.number("energy_threshold", 0.0, max_energy);
  card.zero_width = object.number("zero_width", 0.0, large);
  card.zero_gap = object.number("zero_gap", 0.0, large);
  card.knots = object.numbers("knots", 1, 10000, -100.0, 100.0);
  for (std::size_t i = 1; i < card.knots.size(); ++i) {
    // Knots closer than this have no slope between them in float32.
    if (card.knots[i] - card.knots[i - 1] < 1e-5) object.fail("knots", "does not ascend");
  }
  const std::size_t n_knots = card.knots.size();
  for (JsonObject& entry : object.objects("coordinates", n_layers, n_layers)) {
    CoordinateCard coordinate;
    coordinate.mean = entry.numbers("mean", n_knots, n_knots, -large, large);
    coordinate.scale = entry.numbers("scale", n_knots, n_knots, tiny, large);
    coordinate.lower = entry.number_or_null("lower", -large, large);
    coordinate.upper = entry.number_or_null("upper", -large, large);
    if (coordinate.lower && coordinate.upper && *coordinate.lower >= *coordinate.upper) {
      entry.fail("upper", "is not above lower");
    }
    coordinate.ceiling = entry.number_or_null("ceiling", -large, large);
    if (coordinate.upper && coordinate.ceiling) {
      entry.fail("ceiling", "stands beside an upper bound, which has no room for it");
    }
    coordinate.sharpness = entry.number("sharpness", 1e-6, large);
    entry.finish();
    card.coordinates.push_back(std::move(coordinate));
  }
  for (int k = 0; k <= card.n_absolute; ++k) {
    if (card.coordinates[static_cast<std::size_t>(k)].upper) {
      object.fail("coordinates[" + std::to_string(k) + "].upper",
                  "bounds an energy from above that is no fraction, which has no meaning");
    }
  }
  object.finish();
  return card;
}

/// Whether the model makes voxels.
bool parse_contents(JsonObject& object) {
  const Json& contents = object.list("contents");
  const auto names = [&contents](std::size_t place, const char* what) {
    const auto* text = contents[place].get_ptr<const std::string*>();
    return text != nullptr && *text == what;
  };
  const bool energies = !contents.empty() && names(0, "layer_energy");
  const bool voxels = energies && contents.size() == 2 && names(1, "voxel_energy");
  if (!voxels && !(energies && contents.size() == 1)) {
    object.fail("contents",
                "is neither layer_energy nor layer_energy and voxel_energy, which is all this "
                "version makes");
  }
  if (voxels != object.given("shape")) {
    object.fail("shape", voxels ? "is missing, so the voxels it promises cannot be made"
                                : "belongs to voxels, which its contents do not name");
  }
  return voxels;
}

bool contains(const Interval& outer, const Interval& inner) {
  return outer.low <= inner.low && outer.high >= inner.high;
}

}  // namespace

ModelCard parse_card(std::string_view text) {
  const JsonTree json(text);
  JsonObject object(json.root(), "");
  ModelCard card;
  card.schema = object.integer("schema", 1, 1000000);
  if (card.schema > card_schema) {
    throw ModelError("the model card has schema " + std::to_string(card.schema) +
                     " and this version reads up to " + std::to_string(card_schema) +
                     ", so parts of the model would be misread: update fastcaloq-infer");
  }
  card.name = object.text("name");
  card.particle = object.text("particle");
  card.pdg_id = object.integer("pdg_id", -2000000000, 2000000000);
  const bool voxels = parse_contents(object);
  parse_units(object.object("units"));
  card.binning = parse_binning(object.object("binning"));
  const std::size_t n_layers = card.binning.layers.size();
  card.validity = parse_phase_space(object.object("validity"));
  card.extrapolation = parse_phase_space(object.object("extrapolation"));
  if (!contains(card.extrapolation.incident_energy, card.validity.incident_energy) ||
      !contains(card.extrapolation.eta, card.validity.eta)) {
    object.fail("extrapolation", "does not contain the range of validity");
  }
  card.condition = parse_condition(object.object("condition"));
  card.preprocessing = parse_preprocessing(object.object("preprocessing"), n_layers);
  card.flow = parse_flow(object.object("flow"), static_cast<int>(n_layers));
  card.conditioning = parse_conditioning(object.object("conditioning"), card.extrapolation);
  check_training(object.object("training"));
  const bool served = card.conditioning.mode == ConditioningMode::served;
  const auto n_features = static_cast<std::size_t>(card.conditioning.features);
  card.parity =
      parse_parity(object.object("parity"), {n_layers, 0, served, n_features}, card.extrapolation);
  if (voxels) card.shape = parse_shape(object.object("shape"), card);
  object.finish();
  return card;
}

}  // namespace fastcaloq::detail
