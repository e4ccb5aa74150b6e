#include "fastcaloq/collector.hpp"

#include <gtest/gtest.h>

#include "fake_source.hpp"

namespace fastcaloq {
namespace {

using test::Fake;
using test::Particle;
using test::Shower;

TEST(Collector, GivesWhatSimulateGivesInTheSameOrder) {
  const Fake fake;
  std::vector<Particle> particles;
  for (int i = 0; i < 25; ++i) particles.emplace_back(200.0 + i, 0.4, i == 13 ? 11 : 22);
  for (const std::size_t capacity : {1U, 4U, 25U, 100U}) {
    std::vector<Shower> collected;
    std::vector<ReturnCode> results;
    Collector collector(
        fake.parametrization, capacity,
        [&](const SimulationState& state, const TruthState& truth, ReturnCode result) {
          EXPECT_EQ(truth.Ekin, 200.0 + static_cast<double>(collected.size()));
          EXPECT_EQ(state.key().event, collected.size());
          collected.emplace_back(state);
          results.push_back(result);
        });
    fake.source->calls = 0;
    for (std::size_t i = 0; i < particles.size(); ++i) {
      collector.add(particles[i].truth, particles[i].extrapolation, {1, i, 0});
      EXPECT_LE(collector.size(), capacity);
    }
    const std::size_t waiting = collector.size();
    EXPECT_EQ(collected.size() + waiting, particles.size());
    EXPECT_EQ(collector.flush(), waiting > 11 ? 1U : 0U);
    EXPECT_EQ(collector.size(), 0U);
    EXPECT_EQ(collector.flush(), 0U);
    EXPECT_TRUE(capacity < 25 || fake.source->calls == 1);
    ASSERT_EQ(collected.size(), particles.size());
    SimulationState state;
    for (std::size_t i = 0; i < particles.size(); ++i) {
      state.set_key({1, i, 0});
      EXPECT_EQ(
          fake.parametrization.simulate(state, particles[i].truth, particles[i].extrapolation),
          results[i]);
      EXPECT_TRUE(Shower(state) == collected[i]) << i;
    }
    EXPECT_EQ(collector.counters().success, 24U);
    EXPECT_EQ(collector.counters().fatal, 1U);
  }
}

TEST(Collector, PassesOnWhatAHandlerThrows) {
  const Fake fake;
  int n = 0;
  Collector collector(fake.parametrization, 10, [&](auto&&...) {
    if (++n == 2) throw std::runtime_error("full disk");
  });
  const Particle particle;
  for (std::uint64_t i = 0; i < 3; ++i)
    collector.add(particle.truth, particle.extrapolation, {1, i});
  EXPECT_THROW(collector.flush(), std::runtime_error);
  EXPECT_EQ(collector.size(), 0U);
  collector.add(particle.truth, particle.extrapolation, {1, 9});
  EXPECT_EQ(collector.flush(), 0U);
  EXPECT_EQ(n, 3);
}

TEST(Collector, AppliesThePolicy) {
  const Fake fake;
  Collector collector(fake.parametrization, 10, [](auto&&...) {}, OutOfRange::clip);
  const Particle particle(1e6);
  collector.add(particle.truth, particle.extrapolation, {});
  EXPECT_EQ(collector.flush(), 0U);
  EXPECT_EQ(collector.counters().out_of_range, 1U);
}

TEST(Collector, RefusesWhatCannotWork) {
  const Fake fake;
  EXPECT_THROW(Collector(fake.parametrization, 0, [](auto&&...) {}), InputError);
  EXPECT_THROW(Collector(fake.parametrization, 10000000, [](auto&&...) {}), InputError);
  EXPECT_THROW(Collector(fake.parametrization, 1, nullptr), InputError);
}

}  // namespace
}  // namespace fastcaloq
