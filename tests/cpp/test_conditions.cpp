#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "card_parser.hpp"
#include "fastcaloq/conditions.hpp"
#include "fastcaloq/error.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

class CheckConditions : public testing::Test {
 protected:
  std::size_t check(OutOfRange policy) {
    return check_conditions(card_, {energy_.size(), energy_.data(), eta_.data()}, policy,
                            energy_.data(), eta_.data());
  }

  std::string reason(OutOfRange policy) {
    try {
      check(policy);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  ModelCard card_ = detail::parse_card(test::make_model().card.dump());
  std::vector<float> energy_{256.0F, 1000.0F, 65536.0F};
  std::vector<float> eta_{0.0F, -0.5F, 0.5F};
};

TEST_F(CheckConditions, AcceptsTheRangeOfValidityWithItsEnds) {
  for (const OutOfRange policy : {OutOfRange::refuse, OutOfRange::clip, OutOfRange::extrapolate}) {
    EXPECT_EQ(check(policy), 0U);
    EXPECT_EQ(energy_, (std::vector<float>{256.0F, 1000.0F, 65536.0F}));
    EXPECT_EQ(eta_, (std::vector<float>{0.0F, -0.5F, 0.5F}));
  }
}

TEST_F(CheckConditions, ComparesLimitsInSinglePrecision) {
  card_.validity.eta = {0.2, 0.2};  // float(0.2) is above 0.2
  eta_.assign(3, 0.2F);
  EXPECT_EQ(check(OutOfRange::refuse), 0U);
}

TEST_F(CheckConditions, NamesTheFirstRowThatIsNoNumberWhateverThePolicy) {
  for (const OutOfRange policy : {OutOfRange::refuse, OutOfRange::clip, OutOfRange::extrapolate}) {
    for (const float bad : {std::nanf(""), infinity, -infinity, 0.0F, -0.0F, -5.0F}) {
      energy_ = {256.0F, bad, std::nanf("")};
      EXPECT_NE(reason(policy).find("row 1: incident energy"), std::string::npos) << bad;
    }
    energy_ = {256.0F, 256.0F, 256.0F};
    for (const float bad : {std::nanf(""), infinity, -infinity}) {
      eta_ = {0.0F, 0.1F, bad};
      EXPECT_NE(reason(policy).find("row 2: eta"), std::string::npos) << bad;
    }
    eta_ = {0.0F, 0.0F, 0.0F};
  }
}

TEST_F(CheckConditions, RefusesByDefaultAndSaysWhatToDo) {
  energy_[2] = 70000.0F;
  const std::string text = reason(OutOfRange::refuse);
  for (const char* part : {"row 2", "70000 MeV", "[256, 65536]", "'clip'", "'extrapolate'"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  energy_[2] = 60000.0F;
  eta_[0] = -0.6F;
  EXPECT_NE(reason(OutOfRange::refuse).find("row 0: |eta| 0.6"), std::string::npos);
}

TEST_F(CheckConditions, ClipsToTheRangeOfValidityAndCounts) {
  energy_ = {1.0F, 1000.0F, 1e9F};
  eta_ = {0.0F, -3.0F, 2.0F};
  EXPECT_EQ(check(OutOfRange::clip), 3U);
  EXPECT_EQ(energy_, (std::vector<float>{256.0F, 1000.0F, 65536.0F}));
  EXPECT_EQ(eta_, (std::vector<float>{0.0F, -0.5F, 0.5F}));
}

TEST_F(CheckConditions, ExtrapolatesUpToTheCardsLimit) {
  energy_ = {128.0F, 1000.0F, 131072.0F};
  eta_ = {0.0F, -0.8F, 0.0F};
  EXPECT_EQ(check(OutOfRange::extrapolate), 3U);
  EXPECT_EQ(energy_[0], 128.0F);
  EXPECT_EQ(eta_[1], -0.8F);
  energy_[2] = 131100.0F;
  EXPECT_NE(reason(OutOfRange::extrapolate).find("row 2"), std::string::npos);
}

TEST_F(CheckConditions, AcceptsAnEmptyBatch) {
  energy_.clear();
  eta_.clear();
  EXPECT_EQ(check(OutOfRange::refuse), 0U);
  EXPECT_EQ(check_conditions(card_, {}, OutOfRange::clip, nullptr, nullptr), 0U);
}

TEST(OutOfRangeNames, AreRead) {
  EXPECT_EQ(out_of_range_from_name("refuse"), OutOfRange::refuse);
  EXPECT_EQ(out_of_range_from_name("clip"), OutOfRange::clip);
  EXPECT_EQ(out_of_range_from_name("extrapolate"), OutOfRange::extrapolate);
  EXPECT_THROW(out_of_range_from_name("Clip"), InputError);
}

}  // namespace
}  // namespace fastcaloq
