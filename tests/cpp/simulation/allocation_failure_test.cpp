// Memory that cannot be had, at every single place where it is asked for.
#include <gtest/gtest.h>

#include <new>
#include <string>

#include "counting_allocator.hpp"
#include "fake_source.hpp"
#include "fastcaloq/collector.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::allocations;
using test::FailingAllocations;
using test::Particle;
using test::Shower;

/// Calls job(failing) with the k-th allocation failing, for every k, until none is left to fail. One
/// that fails alone, then with all that follow. Nothing may stay allocated.
template <typename Job>
void with_every_failure(const Job& job) {
  for (const bool for_good : {false, true}) {
    bool failed = true;
    std::size_t k = 0;
    for (; failed; ++k) {
      ASSERT_LT(k, 100000U);
      const std::ptrdiff_t before = allocations.alive;
      failed = job(k, for_good);
      ASSERT_EQ(allocations.alive, before) << "allocation " << k << (for_good ? " and on" : "");
    }
    EXPECT_GT(k, 2U);  // something was allocated at all
  }
}

TEST(AllocationFailure, LoadingSaysThatMemoryIsMissingAndLeavesNothing) {
  const std::string bytes = test::make_shower_model().build();
  (void)Model::from_bytes(bytes.data(), bytes.size());  // what is set up once is set up
  with_every_failure([&bytes](std::size_t k, bool for_good) {
    bool failed = false;
    bool loaded = false;
    {
      const FailingAllocations failing(k, for_good);
      try {
        loaded = Model::from_bytes(bytes.data(), bytes.size()) != nullptr;
      } catch (const std::bad_alloc&) {
      }
      failed = failing.failed();
    }
    // A failure may have a way around it, and does then no harm.
    EXPECT_TRUE(loaded || failed);
    return failed;
  });
}

TEST(AllocationFailure, ASamplerIsMadeOrNot) {
  const auto model = test::make_shower_model().load();
  with_every_failure([&model](std::size_t k, bool for_good) {
    const FailingAllocations failing(k, for_good);
    try {
      const ModelParametrization parametrization{Sampler(model)};
    } catch (const std::bad_alloc&) {
    }
    return failing.failed();
  });
}

/// Simulates one particle, then a batch through a collector; each with memory of its own.
bool simulate_without_memory(const ParametrizationBase& parametrization, const Shower& wanted,
                             std::size_t k, bool for_good) {
  const Particle particle(2000);
  SimulationState state({1, 2, 3});
  bool failed = false;
  {
    ReturnCode code = ReturnCode::Retry;
    {
      const FailingAllocations failing(k, for_good);
      code = parametrization.simulate(state, particle.truth, particle.extrapolation);
      failed = failing.failed();
    }
    if (code == ReturnCode::Success) {
      EXPECT_TRUE(Shower(state) == wanted) << k;
    } else {
      EXPECT_EQ(code, ReturnCode::Fatal) << k;
      EXPECT_TRUE(failed) << state.reason();
      EXPECT_NE(std::string(state.reason()).find("memory"), std::string::npos) << state.reason();
    }
  }
  // The state is as good as new.
  EXPECT_EQ(parametrization.simulate(state, particle.truth, particle.extrapolation),
            ReturnCode::Success);
  EXPECT_TRUE(Shower(state) == wanted) << k;
  return failed;
}

TEST(AllocationFailure, SimulateReturnsAReason) {
  for (const unsigned threads : {1U, 2U}) {
    const auto parametrization = std::make_shared<ModelParametrization>(
        Sampler(test::make_shower_model().load(), {threads}), ModelParametrizationOptions());
    ParametrizationChain chain;
    chain.push_back(parametrization);
    const Particle particle(2000);
    SimulationState state({1, 2, 3});
    ASSERT_EQ(chain.simulate(state, particle.truth, particle.extrapolation), ReturnCode::Success)
        << state.reason();
    const Shower wanted(state);
    for (const ParametrizationBase* each :
         {static_cast<const ParametrizationBase*>(parametrization.get()),
          static_cast<const ParametrizationBase*>(&chain)}) {
      with_every_failure([&](std::size_t k, bool for_good) {
        return simulate_without_memory(*each, wanted, k, for_good);
      });
    }
  }
}

TEST(AllocationFailure, ABatchOnThreadsEndsWithAReasonEach) {
  constexpr std::size_t n = 40;
  const Particle particle(2000);
  const auto model = test::make_shower_model().load();
  with_every_failure([&](std::size_t k, bool for_good) {
    // Its workspaces are allocated anew each time, as are the threads.
    const ModelParametrization parametrization(Sampler(model, {3}));
    std::vector<SimulationState> states(n);
    std::vector<SimulationRequest> requests;
    for (SimulationState& state : states) {
      state.set_key({1, 2, 3});
      requests.push_back({&state, &particle.truth, &particle.extrapolation});
    }
    const FailingAllocations failing(k, for_good);
    parametrization.simulate(requests.data(), n);
    for (const SimulationRequest& request : requests) {
      if (request.result == ReturnCode::Success) continue;
      EXPECT_EQ(request.result, ReturnCode::Fatal);
      EXPECT_STRNE(request.state->reason(), "") << k;
    }
    return failing.failed();
  });
}

TEST(AllocationFailure, ACollectorKeepsWhatItTook) {
  const auto model = test::make_model().load();
  const Particle particle(2000, 0.2);
  with_every_failure([&](std::size_t k, bool for_good) {
    const ModelParametrization parametrization{Sampler(model)};
    std::size_t n_given = 0;
    Collector collector(parametrization, 3, [&n_given](auto&&...) { ++n_given; });
    std::size_t n_taken = 0;
    bool failed = false;
    {
      const FailingAllocations failing(k, for_good);
      try {
        for (std::uint64_t event = 0; event < 5; ++event) {
          collector.add(particle.truth, particle.extrapolation, {1, event, 0});
          ++n_taken;
        }
      } catch (const std::bad_alloc&) {
      }
      failed = failing.failed();
    }
    EXPECT_EQ(n_given + collector.size(), n_taken);
    collector.flush();
    EXPECT_EQ(n_given, n_taken);
    return failed;
  });
}

}  // namespace
}  // namespace fastcaloq
