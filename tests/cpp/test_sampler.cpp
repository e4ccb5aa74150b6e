#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;
using test::make_model;

struct Batch {
  explicit Batch(std::size_t n) : energy(n), eta(n), event(n), particle(n, 0), out(3 * n) {
    for (std::size_t i = 0; i < n; ++i) {
      // Runs of equal conditions and single ones.
      energy[i] = i % 5 < 2 ? 1000.0F : 256.0F + 60.0F * static_cast<float>(i % 1000);
      eta[i] = i % 3 == 0 ? -0.3F : 0.1F;
      if (i % 5 < 2) eta[i] = 0.25F;
      event[i] = 1000 + i;
    }
  }

  Conditions conditions(std::size_t start, std::size_t n) const {
    return {n, energy.data() + start, eta.data() + start};
  }
  ShowerKeys keys(std::size_t start) const {
    return {42, event.data() + start, particle.data() + start};
  }

  std::vector<float> energy, eta;
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
  std::vector<float> out;
};

std::vector<float> draw(const Sampler& sampler, Batch batch, std::size_t step) {
  const std::size_t n = batch.energy.size();
  for (std::size_t start = 0; start < n; start += step) {
    sampler.sample(batch.conditions(start, std::min(step, n - start)), batch.keys(start),
                   OutOfRange::refuse, batch.out.data() + 3 * start);
  }
  return batch.out;
}

class EverySampler : public testing::TestWithParam<Conditioning> {};

TEST_P(EverySampler, GivesTheSameBitsWhateverTheBatchAndTheThreads) {
  const auto model = make_model(GetParam()).load();
  for (const std::string& set : instruction_sets()) {
    const Batch batch(3001);
    const Sampler one(model, {1, set});
    const Sampler three(model, {3, set});
    const std::vector<float> whole = draw(one, batch, 3001);
    for (const std::size_t step : {1U, 7U, 256U, 1000U}) {
      EXPECT_EQ(whole, draw(one, batch, step)) << set << " in steps of " << step;
    }
    EXPECT_EQ(whole, draw(three, batch, 3001)) << set;
    EXPECT_EQ(whole, draw(three, batch, 2000)) << set;
  }
}

TEST_P(EverySampler, AgreesBetweenInstructionSets) {
  const auto model = make_model(GetParam()).load();
  const Batch batch(500);
  const std::vector<float> best = draw(Sampler(model), batch, 500);
  for (const std::string& set : instruction_sets()) {
    const std::vector<float> other = draw(Sampler(model, {1, set}), batch, 500);
    std::size_t n_different = 0;
    for (std::size_t i = 0; i < best.size(); ++i) {
      // The card's tolerance; a few showers may fall on the other side of an empty layer's bound.
      n_different += std::fabs(best[i] - other[i]) > 0.01F + 1e-3F * best[i] ? 1U : 0U;
    }
    EXPECT_LE(n_different, 3U) << set;
  }
}

INSTANTIATE_TEST_SUITE_P(Sampler, EverySampler,
                         testing::Values(Conditioning::none, Conditioning::table,
                                         Conditioning::quantum, Conditioning::quantum_reuploading,
                                         Conditioning::classical));

TEST(Sampler, GeneratesFromGivenLatentsWhatItSamples) {
  const Sampler sampler(make_model().load());
  Batch batch(300);
  const std::vector<float> sampled = draw(sampler, batch, 300);
  std::vector<float> z(900);
  latents(batch.keys(0), 300, 3, LatentStream::energy, z.data());
  sampler.generate(batch.conditions(0, 300), z.data(), OutOfRange::refuse, batch.out.data());
  EXPECT_EQ(sampled, batch.out);
}

TEST(Sampler, MayBeUsedByManyThreadsAtOnce) {
  const Sampler sampler(make_model().load(), {2, "auto"});
  const Batch batch(2500);
  const std::vector<float> alone = draw(sampler, batch, 2500);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] { result = draw(sampler, batch, 2500); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, alone);
}

TEST(Sampler, DoesNotDependOnTheSignOfEta) {
  const Sampler sampler(make_model().load());
  Batch batch(100);
  const std::vector<float> positive = draw(sampler, batch, 100);
  for (float& eta : batch.eta) eta = -eta;
  EXPECT_EQ(positive, draw(sampler, batch, 100));
}

TEST(Sampler, ClippedShowersAreThoseAtTheLimit) {
  const Sampler sampler(make_model().load());
  Batch limit(10), beyond(10);
  limit.energy.assign(10, 65536.0F);
  beyond.energy.assign(10, 80000.0F);
  const auto sample = [&sampler](Batch& batch, OutOfRange policy) {
    return sampler.sample(batch.conditions(0, 10), batch.keys(0), policy, batch.out.data());
  };
  EXPECT_EQ(sample(limit, OutOfRange::refuse), 0U);
  EXPECT_EQ(sample(beyond, OutOfRange::clip), 10U);
  EXPECT_EQ(limit.out, beyond.out);
  EXPECT_EQ(sample(beyond, OutOfRange::extrapolate), 10U);
  EXPECT_NE(limit.out, beyond.out);
  EXPECT_THROW(sample(beyond, OutOfRange::refuse), InputError);
}

TEST(Sampler, AcceptsAnEmptyBatch) {
  const Sampler sampler(make_model().load());
  EXPECT_EQ(sampler.sample({}, {}, OutOfRange::refuse, nullptr), 0U);
  EXPECT_EQ(sampler.generate({}, nullptr, OutOfRange::refuse, nullptr), 0U);
}

TEST(Sampler, RefusesBadArguments) {
  const auto model = make_model().load();
  EXPECT_THROW(Sampler(nullptr), InputError);
  EXPECT_THROW(Sampler(model, {1, "avx9000"}), InputError);
  EXPECT_THROW(Sampler(model, {1000000, "auto"}), InputError);
  const Sampler sampler(model);
  Batch batch(5);
  EXPECT_THROW(sampler.sample({5, nullptr, batch.eta.data()}, batch.keys(0), OutOfRange::refuse,
                              batch.out.data()),
               InputError);
  EXPECT_THROW(sampler.sample(batch.conditions(0, 5), {}, OutOfRange::refuse, batch.out.data()),
               InputError);
  std::vector<float> z(15, 0.0F);
  z[7] = std::nanf("");
  try {
    sampler.generate(batch.conditions(0, 5), z.data(), OutOfRange::refuse, batch.out.data());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("row 2"), std::string::npos) << error.what();
  }
}

TEST(Sampler, NeverReturnsWhatIsNotFinite) {
  // Latents pass the splines' tails as they are: of these signs one gives the shared energy an exponent
  // beyond float32.
  const Sampler sampler(make_model().load());
  Batch batch(1000);
  int n_refused = 0;
  for (const float huge : {1e30F, -1e30F}) {
    std::vector<float> z(3000, 0.0F);
    for (const std::size_t row : {900U, 700U}) std::fill_n(z.data() + 3 * row, 3, huge);
    try {
      sampler.generate(batch.conditions(0, 1000), z.data(), OutOfRange::refuse, batch.out.data());
      for (const float energy : batch.out) ASSERT_TRUE(std::isfinite(energy) && energy >= 0.0F);
    } catch (const ModelError& error) {
      EXPECT_NE(std::string(error.what()).find("row 700"), std::string::npos) << error.what();
      ++n_refused;
    }
  }
  EXPECT_GE(n_refused, 1);
}

}  // namespace
}  // namespace fastcaloq
