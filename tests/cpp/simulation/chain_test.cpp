#include <gtest/gtest.h>

#include "fake_source.hpp"
#include "fastcaloq/parametrization_chain.hpp"

namespace fastcaloq {
namespace {

using test::Fake;
using test::fake_card;
using test::Particle;
using test::Shower;

struct Detector {
  Detector() {
    for (const auto& [pdgid, eta] :
         {std::pair{22, Interval{0.2, 0.5}}, {22, {0.5, 0.81}}, {211, {0.2, 0.81}}}) {
      ModelParametrizationOptions options;
      options.eta = eta;
      parts.push_back(std::make_shared<Fake>(options, fake_card(pdgid)));
      chain.push_back({parts.back(), &parts.back()->parametrization});
    }
  }
  std::vector<std::shared_ptr<Fake>> parts;
  ParametrizationChain chain;
};

TEST(ParametrizationChain, SelectsByParticleEnergyAndEta) {
  const Detector detector;
  const auto choice = [&](int pdgid, double Ekin, double eta, OutOfRange policy) {
    const ParametrizationBase* one = detector.chain.select(pdgid, Ekin, eta, policy);
    for (int i = 0; i < 3; ++i) {
      if (one == &detector.chain[static_cast<std::size_t>(i)]) return i;
    }
    return -1;
  };
  EXPECT_EQ(choice(22, 1000, 0.3, OutOfRange::refuse), 0);
  EXPECT_EQ(choice(22, 1000, -0.5, OutOfRange::refuse), 1);
  EXPECT_EQ(choice(-211, 1000, 0.3, OutOfRange::refuse), 2);
  EXPECT_EQ(choice(11, 1000, 0.3, OutOfRange::clip), -1);
  for (const double eta : {0.1, 0.9}) {
    EXPECT_EQ(choice(22, 1000, eta, OutOfRange::refuse), -1);
    EXPECT_EQ(choice(22, 1000, eta, OutOfRange::clip), eta < 0.5 ? 0 : 1);
    EXPECT_EQ(choice(22, 1000, eta, OutOfRange::extrapolate), eta < 0.5 ? 0 : 1);
  }
  EXPECT_EQ(choice(22, 1e6, 0.6, OutOfRange::clip), 1);
  EXPECT_EQ(choice(22, std::nan(""), 0.3, OutOfRange::clip), -1);
  EXPECT_TRUE(detector.chain.is_match(211, 1000, 0.6));
  EXPECT_FALSE(detector.chain.is_match(11, 1000, 0.6));
  EXPECT_EQ(detector.chain.eta_min(), 0.2);
  EXPECT_EQ(detector.chain.eta_max(), 0.81);
  EXPECT_THROW(ParametrizationChain().push_back(nullptr), InputError);
}

TEST(ParametrizationChain, SaysWhatItHasNothingFor) {
  const Detector detector;
  const Particle electron(1000, 0.5, 11);
  SimulationState state;
  EXPECT_EQ(detector.chain.simulate(state, electron.truth, electron.extrapolation),
            ReturnCode::Fatal);
  EXPECT_EQ(std::string(state.reason())
                .rfind("no parametrisation is for a particle of PDG number 11, kinetic energy 1000 "
                       "MeV and eta 0.5",
                       0),
            0U)
      << state.reason();
  EXPECT_EQ(state.counters().fatal, 1U);
  EXPECT_EQ(state.counters().out_of_range, 1U);
}

TEST(ParametrizationChain, DrawsABatchPartByPartWithTheSameBits) {
  const Detector detector;
  auto outer = std::make_shared<ParametrizationChain>();  // chains in chains share memory
  outer->push_back({&detector.chain, [](auto*) {}});
  constexpr std::size_t n = 60;
  std::vector<SimulationState> states(n);
  std::vector<Particle> particles;
  for (std::size_t i = 0; i < n; ++i) {
    particles.emplace_back(200.0 + static_cast<double>(i), i % 2 == 0 ? 0.3 : 0.6,
                           i % 3 == 0 ? -211 : (i % 10 == 7 ? 13 : 22));
  }
  for (int round = 0; round < 2; ++round) {
    std::vector<SimulationRequest> requests;
    for (std::size_t i = 0; i < n; ++i) {
      states[i].set_key({1, i, 0});
      requests.push_back({&states[i], &particles[i].truth, &particles[i].extrapolation});
    }
    for (const auto& part : detector.parts) part->source->calls = 0;
    outer->simulate(requests.data(), n);
    for (const auto& part : detector.parts) EXPECT_EQ(part->source->calls, 1);
    for (std::size_t i = 0; i < n; ++i) {
      SimulationState alone({1, i, 0});
      const ReturnCode result =
          outer->simulate(alone, particles[i].truth, particles[i].extrapolation);
      EXPECT_EQ(requests[i].result, result) << i;
      EXPECT_EQ(result == ReturnCode::Fatal, particles[i].truth.pdgid == 13);
      EXPECT_TRUE(Shower(alone) == Shower(states[i])) << i;
    }
  }
}

}  // namespace
}  // namespace fastcaloq
