#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "fastcaloq/conditioner.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;
using test::make_model;
using test::ModelFile;

constexpr std::size_t n_rows = 900;

struct Rows {
  Rows() : energy(n_rows), eta(n_rows), event(n_rows), particle(n_rows, 0) {
    std::iota(event.begin(), event.end(), 0U);
    for (std::size_t i = 0; i < n_rows; ++i) {
      // Runs of equal conditions and single ones.
      energy[i] = i % 5 < 3 ? 1000.0F : 256.0F + 60.0F * static_cast<float>(i);
      eta[i] = i % 5 < 3 ? 0.25F : (i % 2 == 0 ? -0.3F : 0.1F);
    }
  }
  std::vector<float> energy, eta;
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
};

std::vector<float> draw(const Sampler& sampler, const Rows& rows, const float* quantum = nullptr,
                        std::size_t step = n_rows, OutOfRange policy = OutOfRange::refuse) {
  std::vector<float> out(3 * n_rows);
  for (std::size_t start = 0; start < n_rows; start += step) {
    const std::size_t n = std::min(step, n_rows - start);
    sampler.sample({n, rows.energy.data() + start, rows.eta.data() + start,
                    quantum == nullptr ? nullptr : quantum + 2 * start},
                   {7, rows.event.data() + start, rows.particle.data() + start}, policy,
                   out.data() + 3 * start);
  }
  return out;
}

std::vector<float> features(const Conditioner& conditioner, const Rows& rows) {
  std::vector<float> out(n_rows * conditioner.n_features());
  conditioner.features(rows.energy.data(), rows.eta.data(), n_rows, out.data());
  return out;
}

std::shared_ptr<const Model> served_twin(ModelFile file) {
  file.serve();
  return file.load();
}

class EveryConditioner : public testing::TestWithParam<Conditioning> {};

TEST_P(EveryConditioner, GivesTheSameShowersAsItsFeaturesDo) {
  const ModelFile file = make_model(GetParam());
  const auto model = file.load();
  const auto served = served_twin(file);
  const Rows rows;
  for (const std::string& set : instruction_sets()) {
    const Sampler own(model, {1, set});
    const std::vector<float> want = draw(own, rows);
    const auto conditioner = own_conditioner(model, set);
    const std::vector<float> given = features(*conditioner, rows);
    EXPECT_EQ(draw(own, rows, given.data()), want) << set;
    const Sampler other(served, {2, set});
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{256}, n_rows}) {
      EXPECT_EQ(draw(other, rows, given.data(), step), want) << set << " in steps of " << step;
    }
    EXPECT_EQ(draw(Sampler(served, {1, set, conditioner}), rows), want) << set;
  }
}

INSTANTIATE_TEST_SUITE_P(Conditioner, EveryConditioner,
                         testing::Values(Conditioning::table, Conditioning::quantum,
                                         Conditioning::quantum_reuploading,
                                         Conditioning::classical));

TEST(Conditioner, OwnOneOfAServedModelIsItsTable) {
  const ModelFile file = make_model(Conditioning::table);
  const Rows rows;
  EXPECT_EQ(draw(Sampler(served_twin(file)), rows), draw(Sampler(file.load()), rows));
}

TEST(Conditioner, IsAbsentWhereTheFileHoldsNone) {
  EXPECT_EQ(own_conditioner(make_model(Conditioning::none).load()), nullptr);
  const auto served = served_twin(make_model(Conditioning::classical));
  EXPECT_EQ(own_conditioner(served), nullptr);
  EXPECT_THROW(own_conditioner(nullptr), InputError);
  EXPECT_THROW(own_conditioner(served, "avx9000"), InputError);
  try {
    draw(Sampler(served), Rows());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("served"), std::string::npos) << error.what();
  }
}

/// Features that follow the condition, and whatever a test makes of them.
class Scripted final : public Conditioner {
 public:
  explicit Scripted(std::size_t n_features = 2) : n_features_(n_features) {}

  std::size_t n_features() const noexcept override { return n_features_; }
  void features(const float* energy, const float* eta, std::size_t n, float* out) const override {
    ++n_calls;
    if (away) throw ServiceError("the device is being cooled");
    for (std::size_t i = 0; i < n; ++i) {
      highest = std::max(highest, energy[i]);
      out[2 * i] = std::sin(energy[i]);
      out[2 * i + 1] = i == bad_row ? std::nanf("") : eta[i];
    }
  }

  mutable int n_calls = 0;
  mutable float highest = 0.0F;
  bool away = false;
  std::size_t bad_row = n_rows;

 private:
  std::size_t n_features_;
};

TEST(Conditioner, OfTheCallersIsAskedOnceForABatch) {
  const auto conditioner = std::make_shared<Scripted>();
  const auto served = served_twin(make_model(Conditioning::classical));
  const Sampler sampler(served, {2, "auto", conditioner});
  Rows rows;
  const std::vector<float> asked = draw(sampler, rows);
  EXPECT_EQ(conditioner->n_calls, 1);
  const std::vector<float> given = features(*conditioner, rows);
  EXPECT_EQ(draw(Sampler(served), rows, given.data()), asked);
  draw(sampler, rows, given.data());
  EXPECT_EQ(conditioner->n_calls, 2);  // features given count more
  // Where rows are clipped it is asked for what is used.
  rows.energy[5] = 80000.0F;
  conditioner->highest = 0.0F;
  draw(sampler, rows, nullptr, n_rows, OutOfRange::clip);
  EXPECT_EQ(conditioner->highest, 65536.0F);
}

TEST(Conditioner, ThatFailsDrawsNothing) {
  const auto conditioner = std::make_shared<Scripted>();
  const Sampler sampler(served_twin(make_model(Conditioning::classical)), {1, "auto", conditioner});
  conditioner->bad_row = 417;
  try {
    draw(sampler, Rows());
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("row 417"), std::string::npos) << error.what();
  }
  conditioner->away = true;
  EXPECT_THROW(draw(sampler, Rows()), ServiceError);
}

TEST(Conditioner, OfAnotherModelIsRefused) {
  const auto three = std::make_shared<Scripted>(3);
  EXPECT_THROW(Sampler(make_model().load(), {1, "auto", three}), InputError);
  EXPECT_THROW(Sampler(make_model(Conditioning::none).load(), {1, "auto", three}), InputError);
}

TEST(Conditioner, FeaturesThatCannotBeUsedAreRefused) {
  const Rows rows;
  std::vector<float> quantum(2 * n_rows, 0.1F);
  EXPECT_THROW(draw(Sampler(make_model(Conditioning::none).load()), rows, quantum.data()),
               InputError);
  const Sampler sampler(make_model().load());
  draw(sampler, rows, quantum.data());
  quantum[2 * 333 + 1] = HUGE_VALF;
  try {
    draw(sampler, rows, quantum.data());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("row 333"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fastcaloq
