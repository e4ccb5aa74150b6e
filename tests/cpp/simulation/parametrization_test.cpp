#include "fastcaloq/parametrization.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "fake_source.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Fake;
using test::make_model;
using test::make_shower_model;
using test::Particle;
using test::Shower;

/// Particles with keys and states of their own.
struct Event {
  explicit Event(std::size_t n) : states(n), particles(n), requests(n) {
    for (std::size_t i = 0; i < n; ++i) {
      particles[i] = Particle(200.0 + 10.0 * static_cast<double>(i), i % 3 == 0 ? -0.3 : 0.5);
      states[i].set_key({i % 7 < 5 ? 1U : 2U, 100 + i, static_cast<std::uint32_t>(i)});
      requests[i] = {&states[i], &particles[i].truth, &particles[i].extrapolation};
    }
  }
  std::vector<SimulationState> states;
  std::vector<Particle> particles;
  std::vector<SimulationRequest> requests;
};

std::vector<Shower> one_by_one(const ParametrizationBase& parametrization, const Event& event) {
  SimulationState state;
  std::vector<Shower> showers;
  for (std::size_t i = 0; i < event.requests.size(); ++i) {
    state.set_key(event.states[i].key());
    state.set_out_of_range(event.states[i].out_of_range());
    const auto& [truth, extrapolation] = event.particles[i];
    showers.push_back(parametrization.simulate(state, truth, extrapolation) == ReturnCode::Success
                          ? Shower(state)
                          : Shower());
  }
  return showers;
}

TEST(ModelParametrization, GivesTheSamplersShowers) {
  const auto model = make_model().load();
  const ModelParametrization parametrization{Sampler(model)};
  const Sampler sampler(model);
  SimulationState state;
  for (std::uint64_t event = 0; event < 20; ++event) {
    state.set_key({5, event, 3});
    const float energy[] = {1000.0F + static_cast<float>(event)}, eta[] = {0.25F};
    const std::uint32_t particle[] = {3};
    std::vector<float> expected(3);
    sampler.sample({1, energy, eta}, {5, &event, particle}, OutOfRange::refuse, expected.data());
    const TruthState truth{22, double{energy[0]}, 0.25, 1.0};
    ASSERT_EQ(parametrization.simulate(state, truth, {}), ReturnCode::Success) << state.reason();
    EXPECT_EQ(state.layer_energy(), expected);
    EXPECT_EQ(state.layers(), (std::vector<int>{0, 1, 12}));
    EXPECT_TRUE(state.hits().empty());
    EXPECT_TRUE(state.voxel_energy().empty());
    EXPECT_EQ(state.E(), std::accumulate(expected.begin(), expected.end(), 0.0));
    EXPECT_EQ(state.E(12), double{expected[2]});
    EXPECT_EQ(state.E(2), 0.0);
    EXPECT_NEAR(state.Efrac(0) + state.Efrac(1) + state.Efrac(12), 1.0, 1e-12);
  }
  EXPECT_EQ(state.counters().success, 20U);
}

TEST(ModelParametrization, GivesTheSamplersVoxelsAndTheirHits) {
  const auto model = make_shower_model().load();
  const ModelParametrization parametrization{Sampler(model)};
  const Sampler sampler(model);
  const Particle who(2000.0, 0.25);
  SimulationState state;
  for (std::uint64_t event = 0; event < 20; ++event) {
    const float energy[] = {2000.0F};
    const float eta[] = {static_cast<float>(shower_eta(who.truth, who.extrapolation))};
    const std::uint32_t particle[] = {0};
    std::vector<float> layers(3), voxels(test::n_voxels);
    sampler.sample({1, energy, eta}, {9, &event, particle}, OutOfRange::refuse, layers.data(),
                   voxels.data());
    state.set_key({9, event, 0});
    ASSERT_EQ(parametrization.simulate(state, who.truth, who.extrapolation), ReturnCode::Success)
        << state.reason();
    EXPECT_EQ(state.layer_energy(), layers);
    EXPECT_EQ(state.voxel_energy(), voxels);
    double hits = 0.0;
    for (const Hit& hit : state.hits()) hits += double{hit.E};
    EXPECT_NEAR(hits, state.E(), 1e-5 * state.E());  // 4e-6 of it lost between layers and voxels
  }
}

TEST(ModelParametrization, HitsCarryTheEnergyOfWholeShowers) {
  const Fake fake;
  const Particle particle;
  SimulationState state({1, 2, 3});
  ASSERT_EQ(fake.parametrization.simulate(state, particle.truth, particle.extrapolation),
            ReturnCode::Success);
  double hits = 0.0;
  for (const Hit& hit : state.hits()) hits += double{hit.E};
  EXPECT_GT(state.hits().size(), 100U);
  EXPECT_NEAR(hits, state.E(), 1e-6 * state.E());  // float32: 2^-24 for each voxel and hit
  EXPECT_EQ(state.voxel_energy().size(), 14U);
}

TEST(ModelParametrization, LeavesOutWhatIsNotAskedFor) {
  ModelParametrizationOptions options;
  options.make_hits = false;
  SimulationState whole, energies;
  const Particle particle;
  ASSERT_EQ(Fake(options).parametrization.simulate(whole, particle.truth, {}), ReturnCode::Success);
  EXPECT_EQ(whole.voxel_energy().size(), 14U);
  EXPECT_TRUE(whole.hits().empty());
  options = {};
  options.voxels = false;
  ASSERT_EQ(Fake(options).parametrization.simulate(energies, particle.truth, {}),
            ReturnCode::Success);
  EXPECT_TRUE(energies.voxel_energy().empty());
  EXPECT_EQ(whole.layer_energy(), energies.layer_energy());
}

TEST(ModelParametrization, ABatchIsOneByOneBitForBit) {
  const Fake fake;
  for (const std::size_t n : {0U, 1U, 2U, 100U}) {
    Event event(n);
    if (n == 100) {  // some that cannot be made
      event.particles[17].truth.pdgid = 11;
      event.particles[18].truth.Ekin = 1e9;
      event.particles[19].truth.Ekin = 20000;
      event.states[19].set_out_of_range(OutOfRange::clip);
    }
    fake.parametrization.simulate(event.requests.data(), n);
    const std::vector<Shower> expected = one_by_one(fake.parametrization, event);
    for (std::size_t i = 0; i < n; ++i) {
      const bool bad = n == 100 && (i == 17 || i == 18);
      EXPECT_EQ(event.requests[i].result, bad ? ReturnCode::Fatal : ReturnCode::Success) << i;
      EXPECT_TRUE(Shower(event.states[i]) == expected[i]) << i;
      EXPECT_EQ(event.states[i].reason()[0] != '\0', bad);
    }
  }
}

TEST(ModelParametrization, IsForOneParticleAndItsAntiparticle) {
  const Fake pions({}, test::fake_card(211));
  EXPECT_TRUE(pions.parametrization.is_match_pdgid(211));
  EXPECT_TRUE(pions.parametrization.is_match_pdgid(-211));
  EXPECT_FALSE(pions.parametrization.is_match_pdgid(22));
  ModelParametrizationOptions options;
  options.pdgid = {11, -11, 22};
  const Fake showers(options);
  EXPECT_TRUE(showers.parametrization.is_match_pdgid(-11));
  EXPECT_FALSE(Fake().parametrization.is_match_pdgid(-22));
  const Particle electron(1000, 0.5, 11);
  SimulationState state;
  EXPECT_EQ(showers.parametrization.simulate(state, electron.truth, electron.extrapolation),
            ReturnCode::Success);
  EXPECT_EQ(Fake().parametrization.simulate(state, electron.truth, electron.extrapolation),
            ReturnCode::Fatal);
  EXPECT_NE(std::string(state.reason()).find("PDG number 11"), std::string::npos);
  EXPECT_TRUE(state.hits().empty());
}

TEST(ModelParametrization, MatchesTheCardsRangeOrTheOneGiven) {
  const Fake fake;
  EXPECT_TRUE(fake.parametrization.is_match(22, 100, 0.2));
  EXPECT_TRUE(fake.parametrization.is_match(22, 10000, -0.8));  // the card's limits belong to it
  EXPECT_FALSE(fake.parametrization.is_match(22, 10000.1, 0.5));
  EXPECT_FALSE(fake.parametrization.is_match(22, 1000, 0.19));
  EXPECT_FALSE(fake.parametrization.is_match(22, std::nan(""), 0.5));
  ModelParametrizationOptions options;
  options.eta = Interval{0.2, 0.4};
  const Fake slice(options);
  EXPECT_TRUE(slice.parametrization.is_match_eta(-0.2));
  EXPECT_FALSE(slice.parametrization.is_match_eta(0.4));
  options.eta = Interval{0.4, 0.4};
  EXPECT_THROW(Fake{options}, InputError);
}

TEST(ModelParametrization, ThePolicyIsTheStates) {
  const Fake fake;
  Particle limit(10000), beyond(20000), far(1e6);
  SimulationState state({1, 1, 1});
  const auto run = [&](const Particle& who) {
    return fake.parametrization.simulate(state, who.truth, who.extrapolation);
  };
  EXPECT_EQ(run(beyond), ReturnCode::Fatal);
  EXPECT_EQ(std::string(state.reason()).rfind("incident energy 20000 MeV is outside", 0), 0U)
      << state.reason();
  EXPECT_EQ(state.counters().out_of_range, 1U);
  EXPECT_EQ(state.counters().fatal, 1U);
  EXPECT_EQ(state.E(), 0.0);
  EXPECT_EQ(run(limit), ReturnCode::Success);
  EXPECT_STREQ(state.reason(), "");
  const Shower at_limit(state);
  state.set_out_of_range(OutOfRange::clip);
  EXPECT_EQ(run(beyond), ReturnCode::Success);
  EXPECT_TRUE(Shower(state) == at_limit);
  state.set_out_of_range(OutOfRange::extrapolate);
  EXPECT_EQ(run(beyond), ReturnCode::Success);
  EXPECT_TRUE(Shower(state) != at_limit);
  EXPECT_EQ(run(far), ReturnCode::Fatal);
  EXPECT_EQ(state.counters().out_of_range, 4U);
  EXPECT_EQ(state.counters().success, 3U);
}

TEST(ModelParametrization, MayBeUsedByManyThreadsAtOnce) {
  const Fake fake;
  const Event event(50);
  const std::vector<Shower> alone = one_by_one(fake.parametrization, event);
  std::vector<std::vector<Shower>> results(3);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] { result = one_by_one(fake.parametrization, event); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result == alone);
}

}  // namespace
}  // namespace fastcaloq
