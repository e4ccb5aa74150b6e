// What the fuzzer once found, and whether it looks where it should.
#include "fuzz_target.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fastcaloq/error.hpp"
#include "fastcaloq/model.hpp"
#include "model_file.hpp"

namespace fastcaloq::test {
namespace {

TEST(Fuzz, DigestsDoNotHideWhatIsBeneath) {
  const ModelFile file = make_shower_model();
  std::string bytes = file.build();
  EXPECT_EQ(resealed(bytes), bytes);
  nlohmann::json card = file.card;
  card["name"] = "another";
  bytes = with_card(bytes, card.dump());
  EXPECT_THROW(Model::from_bytes(bytes.data(), bytes.size()), ModelError);
  bytes = resealed(bytes);
  EXPECT_EQ(Model::from_bytes(bytes.data(), bytes.size())->card().name, "another");
  EXPECT_EQ(card_of(bytes), card.dump());
}

TEST(Fuzz, StrangeCardsAreJson) {
  const ModelFile file = make_model();
  const std::string card = file.card.dump();
  const std::string bytes = file.build();
  std::size_t n_changed = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const std::string strange = with_strange_value(card, seed);
    EXPECT_TRUE(nlohmann::json::accept(strange)) << strange;
    if (strange != card) ++n_changed;
    read_anything(with_card(bytes, strange));
  }
  EXPECT_GT(n_changed, 250U);
  read_anything("");
  read_anything(card);
  read_anything(bytes);
}

TEST(Fuzz, WhatWasFoundStaysFixed) {
  for (const auto& entry : std::filesystem::directory_iterator(FOUND)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    ASSERT_TRUE(file.good()) << entry.path();
    read_anything(bytes.str());  // neither crashes nor throws
  }
}

}  // namespace
}  // namespace fastcaloq::test
