#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "card_parser.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/version.hpp"
#include "model_file.hpp"

namespace fastcaloq::detail {
namespace {

using Json = nlohmann::json;
using test::Conditioning;
using test::make_model;

TEST(CardParser, ReadsEveryPart) {
  const ModelCard card = parse_card(make_model(Conditioning::table).card.dump());
  EXPECT_EQ(card.particle, "photon");
  EXPECT_EQ(card.pdg_id, 22);
  ASSERT_EQ(card.binning.layers.size(), 3U);
  EXPECT_EQ(card.binning.layers[2].id, 12);
  EXPECT_EQ(card.validity.incident_energy.high, 65536.0);
  EXPECT_EQ(card.preprocessing.coordinates[1].upper, 4.0);
  EXPECT_FALSE(card.preprocessing.coordinates[2].upper);
  EXPECT_EQ(card.flow.blocks[1].kind, BlockKind::affine);
  EXPECT_EQ(card.flow.activation, Activation::silu);
  ASSERT_TRUE(card.conditioning.table);
  EXPECT_EQ(card.conditioning.table->n_eta, 5);
  EXPECT_EQ(card.conditioning.circuit->ansatz, "rotation_ring");
  EXPECT_EQ(card.parity.z_energy.size(), 18U);
}

TEST(CardParser, RefusesANewerSchemaWithTheReason) {
  Json card = make_model().card;
  card["schema"] = card_schema + 1;
  card["something_new"] = 1;  // the schema is the reason given, not its unknown keys
  try {
    parse_card(card.dump());
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("update fastcaloq-infer"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("schema 2"), std::string::npos);
  }
}

TEST(CardParser, RefusesACeilingBesideAnUpperBound) {
  Json card = make_model().card;
  EXPECT_NO_THROW(parse_card(card.dump()));
  card["preprocessing"]["coordinates"][1]["ceiling"] = 5.0;
  EXPECT_THROW(parse_card(card.dump()), ModelError);
}

TEST(CardParser, RefusesAnUnknownKeyInEveryObject) {
  const Json good = make_model().card;
  int n_objects = 0;
  const std::function<void(const Json::json_pointer&)> visit =
      [&](const Json::json_pointer& place) {
        const Json& here = good[place];
        if (here.is_object()) {
          Json bad = good;
          bad[place]["unknown"] = 1;
          EXPECT_THROW(parse_card(bad.dump()), ModelError) << place.to_string();
          ++n_objects;
          for (const auto& entry : here.items()) visit(place / entry.key());
        } else if (here.is_array()) {
          for (std::size_t i = 0; i < here.size(); ++i) visit(place / i);
        }
      };
  visit(Json::json_pointer());
  EXPECT_GT(n_objects, 20);
}

TEST(CardParser, RefusesEveryMissingKeyAndEveryWrongType) {
  const Json good = make_model().card;
  const std::function<void(const Json::json_pointer&)> visit =
      [&](const Json::json_pointer& place) {
        const Json& here = good[place];
        if (here.is_object()) {
          for (const auto& entry : here.items()) {
            Json bad = good;
            bad[place].erase(entry.key());
            EXPECT_THROW(parse_card(bad.dump()), ModelError) << (place / entry.key()).to_string();
            visit(place / entry.key());
          }
        } else if (here.is_array()) {
          for (std::size_t i = 0; i < here.size(); ++i) visit(place / i);
        }
        if (!place.empty()) {
          Json bad = good;
          bad[place] = here.is_boolean() ? Json("text") : Json(true);
          EXPECT_THROW(parse_card(bad.dump()), ModelError) << place.to_string();
        }
      };
  visit(Json::json_pointer());
}

TEST(CardParser, ReadsServedConditioning) {
  for (const Conditioning before : {Conditioning::table, Conditioning::quantum}) {
    test::ModelFile file = make_model(before);
    file.serve();
    const ModelCard card = parse_card(file.card.dump());
    EXPECT_EQ(card.conditioning.mode, ConditioningMode::served);
    EXPECT_EQ(card.conditioning.version, "0123456789abcdef");
    EXPECT_EQ(card.conditioning.table.has_value(), before == Conditioning::table);
    EXPECT_EQ(card.parity.quantum.size(), 2 * card.parity.eta.size());
    for (const char* key : {"/conditioning/version", "/parity/quantum"}) {
      Json bad = file.card;
      const Json::json_pointer place(key);
      bad[place.parent_pointer()].erase(place.back());
      EXPECT_THROW(parse_card(bad.dump()), ModelError) << key;
      bad[place] = key;
      EXPECT_THROW(parse_card(bad.dump()), ModelError) << key;
    }
  }
}

TEST(CardParser, ReadsKindsThatHaveNoFormInAGraph) {
  for (const char* kind : {"multilinear", "fourier"}) {
    Json card = make_model(Conditioning::table).card;
    card["conditioning"]["kind"] = kind;
    card["conditioning"]["circuit"] = nullptr;
    EXPECT_NO_THROW(parse_card(card.dump())) << kind;
    card["conditioning"]["mode"] = "embedded";
    card["conditioning"]["table"] = nullptr;
    EXPECT_THROW(parse_card(card.dump()), ModelError) << kind;
  }
}

TEST(CardParser, TakesAVersionOrNone) {
  Json card = make_model().card;
  EXPECT_EQ(parse_card(card.dump()).conditioning.version, "");
  card["conditioning"]["version"] = nullptr;
  EXPECT_EQ(parse_card(card.dump()).conditioning.version, "");
  card["parity"]["quantum"] = nullptr;
  EXPECT_NO_THROW(parse_card(card.dump()));
  card["parity"]["quantum"] = {{0.0, 0.0}};
  EXPECT_THROW(parse_card(card.dump()), ModelError);
}

// One spline over three layers, one of which is passive, set by two circuits.
Json card_with_circuits() {
  Json card = make_model().card;
  card["flow"]["blocks"] = Json::array({card["flow"]["blocks"][0]});
  const int passive = card["flow"]["blocks"][0]["passive"].get<int>();
  card["flow"]["hidden"] = Json::array();
  card["flow"]["subnet"] = {{"circuit",
                             {{"n_qubits", 3},
                              {"n_layers", 2},
                              {"n_inputs", passive + 2},
                              {"encoding", "angle_y"},
                              {"ansatz", "rotation_ring"},
                              {"reuploading", true},
                              {"observables", "z_zz"},
                              {"monomial_degree", 1}}},
                            {"networks", 2},
                            {"coordinate_scale", 3.0}};
  return card;
}

TEST(CardParser, ReadsCircuitsOfSubnets) {
  const ModelCard card = parse_card(card_with_circuits().dump());
  ASSERT_TRUE(card.flow.subnet);
  EXPECT_EQ(card.flow.subnet->networks, 2);
  EXPECT_EQ(card.flow.subnet->coordinate_scale, 3.0);
  EXPECT_EQ(card.flow.subnet->circuit.n_qubits, 3);
}

TEST(CardParser, RefusesCircuitsThatDoNotFitTheirBlocks) {
  for (const auto& [place, value] :
       std::vector<std::pair<const char*, Json>>{{"/flow/hidden", {16}},
                                                 {"/flow/subnet/networks", 0},
                                                 {"/flow/subnet/coordinate_scale", 0.0},
                                                 {"/flow/subnet/circuit/n_inputs", 7},
                                                 {"/flow/subnet/circuit/n_qubits", 11},
                                                 {"/flow/subnet/circuit", nullptr},
                                                 {"/flow/subnet/spare", 1}}) {
    Json card = card_with_circuits();
    card[Json::json_pointer(place)] = value;
    EXPECT_THROW(parse_card(card.dump()), ModelError) << place;
  }
}

struct Change {
  const char* place;
  Json value;
};

class BadCard : public testing::TestWithParam<Change> {};

TEST_P(BadCard, IsRefused) {
  Json card = make_model().card;
  const Json::json_pointer place(GetParam().place);
  ASSERT_TRUE(card.contains(place));
  card[place] = GetParam().value;
  EXPECT_THROW(parse_card(card.dump()), ModelError);
}

INSTANTIATE_TEST_SUITE_P(
    CardParser, BadCard,
    testing::Values(
        Change{"/schema", 0}, Change{"/schema", 1.5}, Change{"/units/energy", "GeV"},
        Change{"/contents", {"voxel_energy"}}, Change{"/binning/layers", Json::array()},
        Change{"/binning/layers/0/r_edges", {0, 5, 5}}, Change{"/binning/layers/0/r_edges", {0}},
        Change{"/validity/incident_energy", {65536.0, 256.0}},
        Change{"/validity/incident_energy", {0.0, 256.0}}, Change{"/extrapolation/eta", {0.0, 0.4}},
        Change{"/condition/eta_half_width", 0.0}, Change{"/preprocessing/kind", "fractions"},
        Change{"/preprocessing/layer_order", {0, 1, 1}},
        Change{"/preprocessing/layer_order", {0, 1, 3}}, Change{"/preprocessing/n_absolute", 3},
        Change{"/preprocessing/n_absolute", 1},  // coordinate 1 has an upper bound
        Change{"/preprocessing/knots", {6.0, 5.0}},
        Change{"/preprocessing/coordinates/0/upper", 3.0},
        Change{"/preprocessing/coordinates/1/upper", -2.0},
        Change{"/preprocessing/coordinates/0/scale", {0.1, 0.0}},
        Change{"/preprocessing/coordinates/0/mean", {0.1}},
        Change{"/preprocessing/coordinates/0/sharpness", 0.0},
        Change{"/flow/blocks", Json::array()}, Change{"/flow/blocks/0/active", 1},
        Change{"/flow/blocks/0/bins", 1}, Change{"/flow/blocks/0/min_bin_width", 0.2},
        Change{"/flow/blocks/0/min_derivative", 0.0}, Change{"/flow/blocks/0/kind", "cubic"},
        Change{"/flow/blocks/1/log_scale_bound", -1.0}, Change{"/flow/hidden", {0}},
        Change{"/flow/activation", "gelu"}, Change{"/conditioning/kind", "none"},
        Change{"/conditioning/mode", "embedded"}, Change{"/conditioning/mode", "served"},
        Change{"/conditioning/features", 0}, Change{"/conditioning/hidden", {3}},
        Change{"/conditioning/circuit", nullptr}, Change{"/conditioning/circuit/n_qubits", 40},
        Change{"/conditioning/circuit/monomial_degree", 3}, Change{"/conditioning/table", nullptr},
        Change{"/conditioning/table/n_energy", 3}, Change{"/conditioning/table/n_eta", 2},
        Change{"/conditioning/table/log_energy", {5.0, 9.0}},
        Change{"/conditioning/table/eta", {0.0, 0.4}}, Change{"/parity/eta", {0.1}},
        Change{"/parity/incident_energy", Json::array()}, Change{"/parity/z_energy/0", {0.0}},
        Change{"/parity/layer_energy/0/0", -1.0}, Change{"/parity/relative_tolerance", 10.0}));

}  // namespace
}  // namespace fastcaloq::detail
