#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include "fastcaloq/error.hpp"
#include "fastcaloq/model.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;
using test::make_model;
using test::ModelFile;

std::string reason(const std::string& bytes) {
  try {
    Model::from_bytes(bytes.data(), bytes.size(), "some.onnx");
  } catch (const ModelError& error) {
    return error.what();
  }
  return "";
}

class EveryConditioning : public testing::TestWithParam<Conditioning> {};

TEST_P(EveryConditioning, Loads) {
  const ModelFile file = make_model(GetParam());
  const auto model = file.load();
  EXPECT_EQ(model->n_layers(), 3U);
  EXPECT_EQ(model->card_json(), file.card.dump());
  EXPECT_EQ(model->digest().size(), 64U);
  EXPECT_EQ(model->digest(), file.load()->digest());
  EXPECT_NE(model->digest(), make_model(GetParam(), 2).load()->digest());
}

INSTANTIATE_TEST_SUITE_P(Model, EveryConditioning,
                         testing::Values(Conditioning::none, Conditioning::table,
                                         Conditioning::quantum, Conditioning::quantum_reuploading,
                                         Conditioning::classical));

TEST(Model, RefusesEveryTruncation) {
  const std::string bytes = make_model(Conditioning::none).build();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_NE(reason(bytes.substr(0, size)), "") << size;
  }
}

TEST(Model, RefusesAFlippedBitInEveryByte) {
  const std::string good = make_model(Conditioning::none).build();
  ASSERT_EQ(reason(good), "");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    ASSERT_NE(reason(bad), "") << "byte " << i;
  }
}

TEST(Model, RefusesEveryFlippedBitOfItsDigest) {
  const std::string good = make_model(Conditioning::none).build();
  const std::size_t start = good.find("fastcaloq.sha256") + 18;  // key, then tag and length
  for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
    std::string bad = good;
    bad[start + bit / 8] = static_cast<char>(bad[start + bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(reason(bad).find("SHA-256"), std::string::npos) << "bit " << bit;
  }
}

TEST(Model, RefusesAppendedBytes) {
  EXPECT_NE(reason(make_model().build() + test::Message().bytes(6, "note").text()), "");
}

TEST(Model, SaysWhyAForeignOnnxFileIsRefused) {
  ModelFile file = make_model();
  const std::string text = reason(test::Message().number(1, 9).message(7, test::Message()).text());
  EXPECT_EQ(text.rfind("some.onnx: ", 0), 0U) << text;
  EXPECT_NE(text.find("not a model of this project"), std::string::npos) << text;
}

TEST(Model, RefusesASealedFileWithABadCard) {
  ModelFile file = make_model();
  EXPECT_NE(reason(file.build_with_card("{}")), "");
  EXPECT_NE(reason(file.build_with_card("no json")), "");
  nlohmann::json card = file.card;
  card["typo"] = 1;
  EXPECT_NE(reason(file.build_with_card(card.dump())).find("'typo'"), std::string::npos);
}

TEST(Model, RefusesWeightsOfAnotherModel) {
  ModelFile file = make_model(Conditioning::table, 1);
  file.tensors = make_model(Conditioning::table, 2).tensors;
  EXPECT_NE(reason(file.build()).find("parity vector"), std::string::npos);
}

TEST(Model, RefusesOneChangedParityNumber) {
  ModelFile file = make_model();
  for (int row = 0; row < 6; ++row) {
    for (int layer = 0; layer < 3; ++layer) {
      ModelFile bad = file;
      auto& value = bad.card["parity"]["layer_energy"][static_cast<std::size_t>(row)]
                            [static_cast<std::size_t>(layer)];
      value = value.get<double>() * 1.01 + 0.1;
      EXPECT_NE(reason(bad.build()).find("parity vector " + std::to_string(row)),
                std::string::npos);
    }
  }
}

TEST(Model, RefusesOtherInputsAndOutputs) {
  ModelFile file = make_model();
  file.inputs[2].second = 4;
  EXPECT_NE(reason(file.build()).find("inputs"), std::string::npos);
  file = make_model();
  file.inputs.pop_back();
  EXPECT_NE(reason(file.build()).find("inputs"), std::string::npos);
  file = make_model();
  file.outputs[0].first = "energy";
  EXPECT_NE(reason(file.build()).find("outputs"), std::string::npos);
}

TEST(Model, LoadsFromAFileAndNamesWhatIsMissing) {
  const std::string path = testing::TempDir() + "fastcaloq_test_model.onnx";
  const std::string bytes = make_model().build();
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(Model::load(path)->digest().size(), 64U);
  for (const std::string& bad : {path + ".absent", testing::TempDir()}) {
    try {
      Model::load(bad);
      FAIL();
    } catch (const ModelError& error) {
      EXPECT_EQ(std::string(error.what()).rfind(bad, 0), 0U) << error.what();
    }
  }
  EXPECT_EQ(std::remove(path.c_str()), 0);
}

}  // namespace
}  // namespace fastcaloq
