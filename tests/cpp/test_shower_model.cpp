#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "card_parser.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/model.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;
using test::make_model;
using test::make_shower_model;
using test::ModelFile;
using Json = nlohmann::json;

std::string reason(const ModelFile& file) {
  try {
    file.load();
  } catch (const ModelError& error) {
    return error.what();
  }
  return "";
}

class EveryShowerModel : public testing::TestWithParam<std::tuple<Conditioning, Conditioning>> {};

TEST_P(EveryShowerModel, Loads) {
  const auto [energy, shape] = GetParam();
  const auto model = make_shower_model(energy, shape).load();
  EXPECT_EQ(model->n_layers(), 3U);
  EXPECT_EQ(model->n_voxels(), test::n_voxels);
  const std::size_t n_energy = energy == Conditioning::none ? 0 : 2;
  const std::size_t n_shape = shape == Conditioning::none ? 0 : 2;
  EXPECT_EQ(model->n_features(), n_energy + n_shape);
  EXPECT_FALSE(model->is_served());
}

using Both = std::tuple<Conditioning, Conditioning>;

INSTANTIATE_TEST_SUITE_P(Model, EveryShowerModel,
                         testing::Values(Both{Conditioning::none, Conditioning::none},
                                         Both{Conditioning::none, Conditioning::table},
                                         Both{Conditioning::none, Conditioning::classical},
                                         Both{Conditioning::table, Conditioning::none},
                                         Both{Conditioning::table, Conditioning::table},
                                         Both{Conditioning::quantum, Conditioning::none},
                                         Both{Conditioning::quantum,
                                              Conditioning::quantum_reuploading},
                                         Both{Conditioning::classical, Conditioning::quantum}));

TEST(ShowerModel, ReadsEveryPartOfItsCard) {
  const ModelCard card = detail::parse_card(make_shower_model().card.dump());
  ASSERT_TRUE(card.shape);
  EXPECT_EQ(card.shape->stride, 2);
  EXPECT_EQ(card.shape->offset, 6);
  EXPECT_EQ(card.shape->units, 3);
  EXPECT_EQ(card.shape->context, 4);
  EXPECT_EQ(card.shape->head, 6);
  EXPECT_EQ(card.shape->bins, 5);
  EXPECT_EQ(card.shape->tail_bound, 8.0);
  EXPECT_EQ(card.shape->log_scale_bound, 5.0);
  EXPECT_EQ(card.shape->energy_scale, 0.1);
  EXPECT_EQ(card.shape->conditioning.features, 2);
  EXPECT_EQ(card.binning.n_voxels(), test::n_voxels);
  EXPECT_EQ(card.shape->parity.z_shape.size(), 6 * test::n_voxels);
  EXPECT_EQ(card.shape->parity.voxel_energy.size(), 6 * test::n_voxels);
  EXPECT_FALSE(detail::parse_card(make_model().card.dump()).shape);
}

// The version of the whole model is defined by its formula: the energies' own where the shape has
// none, else the first digits of a SHA-256 (here of "0123456789abcdef fedcba9876543210" and of "none
// fedcba9876543210", by sha256sum).
TEST(ShowerModel, NamesAllItsConditioners) {
  ModelFile both = make_shower_model();
  both.serve();
  EXPECT_EQ(both.load()->feature_version(), "e3b3c90d42ccca54");
  EXPECT_TRUE(both.load()->is_served());
  ModelFile energy = make_shower_model(Conditioning::table, Conditioning::none);
  energy.serve();
  EXPECT_EQ(energy.load()->feature_version(), "0123456789abcdef");
  ModelFile shape = make_shower_model(Conditioning::none, Conditioning::table);
  shape.serve();
  EXPECT_EQ(shape.load()->feature_version(), "96391488c78028ff");
  EXPECT_TRUE(shape.load()->is_served());
  EXPECT_EQ(make_shower_model().load()->feature_version(), "");
}

TEST(ShowerModel, RefusesOneChangedParityNumber) {
  const ModelFile file = make_shower_model();
  for (const char* key : {"layer_energy", "voxel_energy"}) {
    const std::size_t width = key == std::string("layer_energy") ? 3 : test::n_voxels;
    for (std::size_t column = 0; column < width; ++column) {
      ModelFile bad = file;
      Json& value = bad.card["shape"]["parity"][key][4][column];
      value = value.get<double>() * 1.01 + 0.1;
      EXPECT_NE(reason(bad).find("parity vector 4"), std::string::npos) << key << column;
    }
  }
}

TEST(ShowerModel, RefusesAnEmptyVoxelThatIsNotEmpty) {
  ModelFile file = make_shower_model();
  Json& row = file.card["shape"]["parity"]["voxel_energy"][0];
  file.card["shape"]["parity"]["absolute_tolerance"] = 1e4;
  ASSERT_EQ(reason(file), "");
  for (Json& value : row) {
    value = value.get<double>() == 0.0 ? 1.0 : 0.0;
    break;
  }
  EXPECT_NE(reason(file).find("voxel 0"), std::string::npos);
}

TEST(ShowerModel, RefusesWeightsThatAreMissingForeignOrOfAnotherShape) {
  const ModelFile file = make_shower_model(Conditioning::quantum, Conditioning::classical);
  std::size_t n_weights = 0;
  for (const auto& [name, spec] : file.tensors) {
    if (name.rfind("shape.", 0) != 0) continue;
    ++n_weights;
    ModelFile missing = file;
    missing.tensors.erase(name);
    EXPECT_NE(reason(missing).find(name), std::string::npos) << name;
    ModelFile other = file;
    other.tensors[name].dims.push_back(1);
    EXPECT_NE(reason(other).find(name), std::string::npos) << name;
    ModelFile typed = file;
    typed.tensors[name].element_type = 6;
    EXPECT_NE(reason(typed).find(name), std::string::npos) << name;
    ModelFile infinite = file;
    std::vector<float> values = file.values(name);
    values.back() = std::numeric_limits<float>::infinity();
    infinite.add(name, spec.dims, values);
    EXPECT_NE(reason(infinite).find("not finite"), std::string::npos) << name;
  }
  EXPECT_GT(n_weights, 100U);
  for (const char* name : {"shape.extra", "shape.group0.hidden1.weight"}) {
    ModelFile extra = file;
    extra.add(name, {1}, {1.0F});
    EXPECT_NE(reason(extra).find("not asked for"), std::string::npos) << name;
  }
}

TEST(ShowerModel, RefusesOtherInputsAndOutputs) {
  ModelFile file = make_shower_model();
  file.inputs.pop_back();
  EXPECT_NE(reason(file).find("z_shape [N, 22]"), std::string::npos);
  file = make_shower_model();
  file.outputs[1].second = 21;
  EXPECT_NE(reason(file).find("voxel_energy [N, 22]"), std::string::npos);
  file = make_shower_model();
  file.serve();
  file.inputs.back().second = 2;
  EXPECT_NE(reason(file).find("quantum [N, 4]"), std::string::npos);
}

struct Change {
  const char* place;
  Json value;
};

class BadShapeCard : public testing::TestWithParam<Change> {};

TEST_P(BadShapeCard, IsRefused) {
  Json card = make_shower_model().card;
  detail::parse_card(card.dump());
  card[Json::json_pointer(GetParam().place)] = GetParam().value;
  EXPECT_THROW(detail::parse_card(card.dump()), ModelError);
}

INSTANTIATE_TEST_SUITE_P(
    ShowerModel, BadShapeCard,
    testing::Values(
        Change{"/contents", {"layer_energy"}}, Change{"/contents", {"voxel_energy"}},
        Change{"/contents", {"voxel_energy", "layer_energy"}}, Change{"/shape", nullptr},
        Change{"/shape/kind", "coupling"}, Change{"/shape/stride", 1}, Change{"/shape/stride", 65},
        Change{"/shape/offset", -1}, Change{"/shape/units", 0}, Change{"/shape/units", 100000},
        Change{"/shape/context", 0}, Change{"/shape/head", 0}, Change{"/shape/bins", 1},
        Change{"/shape/bins", 6.5}, Change{"/shape/tail_bound", 0.0},
        Change{"/shape/min_bin_width", 0.2}, Change{"/shape/min_bin_height", 0.2},
        Change{"/shape/min_derivative", 0.0}, Change{"/shape/log_scale_bound", 0.0},
        Change{"/shape/energy_scale", 0.0}, Change{"/shape/unknown", 1},
        Change{"/shape/conditioning/mode", "embedded"}, Change{"/shape/conditioning/unknown", 1},
        Change{"/shape/training/steps", -1}, Change{"/shape/parity/voxel_energy/0/0", -1.0},
        Change{"/shape/parity/voxel_energy/0", {1.0}}, Change{"/shape/parity/z_shape/0", {1.0}},
        Change{"/shape/parity/z_shape/0/0", 1e30}, Change{"/shape/parity/quantum", {{0.0, 0.0}}},
        Change{"/binning/layers/0/n_alpha", 10000}, Change{"/binning/layers/1/n_alpha", 9}));

TEST(ShowerModel, RefusesEveryMissingKeyOfTheShape) {
  const Json good = make_shower_model().card;
  for (const char* place : {"/shape", "/shape/conditioning", "/shape/training", "/shape/parity"}) {
    for (const auto& entry : good[Json::json_pointer(place)].items()) {
      Json bad = good;
      bad[Json::json_pointer(place)].erase(entry.key());
      EXPECT_THROW(detail::parse_card(bad.dump()), ModelError) << place << " " << entry.key();
    }
  }
}

TEST(ShowerModel, RefusesConditionersOfTwoModes) {
  try {
    make_shower_model(Conditioning::quantum, Conditioning::table);
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("conditioning.mode"), std::string::npos);
  }
}

TEST(ShowerModel, RefusesABinningWithoutVoxelsToShareEnergyAmong) {
  Json card = make_shower_model().card;
  for (Json& layer : card["binning"]["layers"]) {
    layer["r_edges"] = {0, 5};
    layer["n_alpha"] = 1;
  }
  EXPECT_THROW(detail::parse_card(card.dump()), ModelError);
}

}  // namespace
}  // namespace fastcaloq
