// What must not happen, and what comes of it when it does.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "fake_source.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Fake;
using test::make_model;
using test::Particle;
using test::Shower;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

ReturnCode run(const ParametrizationBase& parametrization, SimulationState& state,
               const Particle& who = Particle()) {
  return parametrization.simulate(state, who.truth, who.extrapolation);
}

TEST(Faults, AnEnergyThatIsNotFiniteIsRetry) {
  for (const int where : {0, 1, 2}) {
    Fake fake;
    fake.source->fault = [where](const ShowerKeys& keys, std::size_t row, float* layer,
                                 float* voxels) {
      if (keys.event[row] != 13) return;
      if (where == 0) layer[1] = nan;
      if (where == 1) voxels[14 * row + 5] = std::numeric_limits<float>::infinity();
      if (where == 2) throw ModelError("row " + std::to_string(row) + ": not finite");
    };
    std::vector<SimulationState> states(20);
    std::vector<SimulationRequest> requests;
    const Particle particle;
    for (std::size_t i = 0; i < states.size(); ++i) {
      states[i].set_key({1, i, 0});
      requests.push_back({&states[i], &particle.truth, &particle.extrapolation});
    }
    fake.parametrization.simulate(requests.data(), requests.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      EXPECT_EQ(requests[i].result, i == 13 ? ReturnCode::Retry : ReturnCode::Success) << i;
    }
    EXPECT_NE(std::string(states[13].reason()).find("not finite"), std::string::npos);
    EXPECT_EQ(std::string(states[13].reason()).find("row"), std::string::npos);
    EXPECT_EQ(states[13].counters().retry, 1U);
    EXPECT_TRUE(states[13].hits().empty());
    EXPECT_TRUE(states[13].layer_energy().empty());
  }
}

TEST(Faults, AChainTriesAgainWithOtherNumbers) {
  auto fake = std::make_shared<Fake>();
  std::vector<std::uint64_t> seeds;
  int n_bad = 2;
  fake->source->fault = [&](const ShowerKeys& keys, std::size_t, float* layer, float*) {
    seeds.push_back(keys.seed);
    if (static_cast<int>(seeds.size()) <= n_bad) layer[0] = nan;
  };
  ParametrizationChain chain;
  chain.push_back({fake, &fake->parametrization});
  SimulationState state({7, 8, 9});
  EXPECT_EQ(run(chain, state), ReturnCode::Success);
  EXPECT_EQ(seeds.size(), 3U);
  EXPECT_EQ(seeds[0], 7U);
  EXPECT_NE(seeds[1], seeds[0]);
  EXPECT_NE(seeds[2], seeds[1]);
  EXPECT_EQ(state.counters().retry, 2U);
  EXPECT_EQ(state.counters().success, 1U);
  EXPECT_EQ(state.key().attempt, 0U);
  const Shower third(state);
  state.set_key({7, 8, 9, 2});
  EXPECT_EQ(run(fake->parametrization, state), ReturnCode::Success);
  EXPECT_TRUE(Shower(state) == third);

  seeds.clear();
  n_bad = 1000;
  state.set_key({7, 8, 9});
  EXPECT_EQ(run(chain, state), ReturnCode::Fatal);
  EXPECT_EQ(seeds.size(), 1U + ParametrizationChain::default_retries);
  EXPECT_NE(std::string(state.reason()).find("after 3 more attempts"), std::string::npos)
      << state.reason();
  EXPECT_EQ(state.counters().fatal, 1U);
}

TEST(Faults, NoExceptionCrossesSimulate) {
  Fake fake;
  SimulationState state;
  fake.source->fault = [](auto&&...) { throw std::bad_alloc(); };
  EXPECT_EQ(run(fake.parametrization, state), ReturnCode::Fatal);
  EXPECT_NE(std::string(state.reason()).find("memory"), std::string::npos);
  fake.source->fault = [](auto&&...) { throw ServiceError("the service is away"); };
  EXPECT_EQ(run(fake.parametrization, state), ReturnCode::Fatal);
  EXPECT_STREQ(state.reason(), "the service is away");
  fake.source->fault = [](auto&&...) { throw 42; };
  EXPECT_EQ(run(fake.parametrization, state), ReturnCode::Fatal);
  EXPECT_STRNE(state.reason(), "");
  EXPECT_EQ(state.counters().fatal, 3U);
  fake.source->fault = nullptr;
  EXPECT_EQ(run(fake.parametrization, state), ReturnCode::Success);
  EXPECT_STREQ(state.reason(), "");
}

TEST(Faults, NonsenseIsFatalWhateverThePolicy) {
  const Fake fake;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  SimulationState state;
  for (const OutOfRange policy : {OutOfRange::refuse, OutOfRange::clip, OutOfRange::extrapolate}) {
    state.set_out_of_range(policy);
    for (const double energy : {double{nan}, infinity, 0.0, -5.0}) {
      Particle particle;
      particle.truth.Ekin = energy;
      EXPECT_EQ(run(fake.parametrization, state, particle), ReturnCode::Fatal) << energy;
      EXPECT_STRNE(state.reason(), "");
    }
    for (const double eta : {double{nan}, -infinity}) {
      Particle particle;
      particle.truth.eta = eta;
      particle.extrapolation.clear();
      EXPECT_EQ(run(fake.parametrization, state, particle), ReturnCode::Fatal) << eta;
    }
  }
}

TEST(Faults, AShowerWithoutAPlaceIsFatal) {
  const Fake fake;
  Particle particle;
  particle.extrapolation.clear();
  SimulationState state;
  EXPECT_EQ(run(fake.parametrization, state, particle), ReturnCode::Fatal);
  EXPECT_EQ(std::string(state.reason()).rfind("layer 1 has energy but no extrapolated position", 0),
            0U);
}

/// Features that cannot be used for one energy.
class BadConditioner final : public Conditioner {
 public:
  std::size_t n_features() const noexcept override { return 2; }
  void features(const float* incident_energy, const float*, std::size_t n,
                float* out) const override {
    for (std::size_t i = 0; i < n; ++i) {
      out[2 * i] = out[2 * i + 1] = incident_energy[i] == 2000.0F ? nan : 0.5F;
    }
  }
};

TEST(Faults, AConditionerThatFailsForOneParticleFailsForThatOne) {
  SamplerOptions options;
  options.conditioner = std::make_shared<BadConditioner>();
  const ModelParametrization parametrization{Sampler(make_model().load(), options)};
  std::vector<SimulationState> states(3);
  std::vector<TruthState> truths(3, {22, 1000, 0.2, 0});
  truths[1].Ekin = 2000;
  const ExtrapolationState nowhere;
  SimulationRequest requests[3];
  for (std::size_t i = 0; i < 3; ++i) requests[i] = {&states[i], &truths[i], &nowhere};
  parametrization.simulate(requests, 3);
  EXPECT_EQ(requests[0].result, ReturnCode::Success);
  EXPECT_EQ(requests[1].result, ReturnCode::Retry);
  EXPECT_EQ(requests[2].result, ReturnCode::Success);
}

/// Throws what it is told to.
class ThrowingConditioner final : public Conditioner {
 public:
  explicit ThrowingConditioner(std::function<void()> fault) : fault_(std::move(fault)) {}
  std::size_t n_features() const noexcept override { return 2; }
  void features(const float*, const float*, std::size_t, float*) const override { fault_(); }

 private:
  std::function<void()> fault_;
};

TEST(Faults, AConditionerMayThrowAnything) {
  const auto model = make_model().load();
  const std::pair<std::function<void()>, ReturnCode> faults[] = {
      {[] { throw std::bad_alloc(); }, ReturnCode::Fatal},
      {[] { throw std::logic_error("a mistake"); }, ReturnCode::Fatal},
      {[] { throw ServiceError("the service is away"); }, ReturnCode::Fatal},
      {[] { throw ModelError("not finite"); }, ReturnCode::Retry},
      {[] { throw std::string("text"); }, ReturnCode::Fatal},
      {[] { throw 42; }, ReturnCode::Fatal},
      {[] { throw std::runtime_error(std::string(5000, 'x')); }, ReturnCode::Fatal}};
  for (const unsigned threads : {1U, 3U}) {
    for (const auto& [fault, wanted] : faults) {
      SamplerOptions options;
      options.threads = threads;
      options.conditioner = std::make_shared<ThrowingConditioner>(fault);
      const ModelParametrization parametrization{Sampler(model, options)};
      std::vector<SimulationState> states(30);
      const TruthState truth{22, 1000, 0.2, 0};
      const ExtrapolationState nowhere;
      std::vector<SimulationRequest> requests;
      for (SimulationState& state : states) requests.push_back({&state, &truth, &nowhere});
      for (const std::size_t n : {std::size_t{1}, states.size()}) {
        parametrization.simulate(requests.data(), n);
        for (std::size_t i = 0; i < n; ++i) {
          EXPECT_EQ(requests[i].result, wanted);
          EXPECT_STRNE(states[i].reason(), "");
          EXPECT_EQ(states[i].E(), 0.0);
        }
      }
    }
  }
}

TEST(Faults, AModelOfANewerSchemaSaysWhatToDo) {
  const test::ModelFile file = make_model();
  nlohmann::json card = file.card;
  card["schema"] = 1000;
  const std::string bytes = file.build_with_card(card.dump());
  try {
    (void)Model::from_bytes(bytes.data(), bytes.size(), "new.onnx");
    FAIL();
  } catch (const ModelError& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("new.onnx: ", 0), 0U) << text;
    EXPECT_NE(text.find("schema 1000"), std::string::npos) << text;
    EXPECT_NE(text.find("update fastcaloq-infer"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace fastcaloq
