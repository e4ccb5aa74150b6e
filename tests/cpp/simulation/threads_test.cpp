// One model, one sampler, one parametrisation, many threads. Built with -fsanitize=thread, too.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "fake_source.hpp"
#include "fastcaloq/collector.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Particle;
using test::Shower;

constexpr std::size_t n_threads = 6;
constexpr std::uint64_t n_events = 12;

void on_threads(const std::function<void(std::size_t)>& job) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n_threads; ++i) threads.emplace_back(job, i);
  for (std::thread& thread : threads) thread.join();
}

std::vector<Shower> showers(const ParametrizationBase& parametrization, SimulationState& state) {
  std::vector<Shower> all;
  for (std::uint64_t event = 0; event < n_events; ++event) {
    const Particle particle(500.0 + 100.0 * static_cast<double>(event), 0.3);
    state.set_key({11, event, 0});
    EXPECT_EQ(parametrization.simulate(state, particle.truth, particle.extrapolation),
              ReturnCode::Success)
        << state.reason();
    all.emplace_back(state);
  }
  return all;
}

TEST(Threads, ShareAParametrisationWhileOthersLoadModels) {
  const std::string bytes = test::make_shower_model().build();
  const auto load = [&bytes] { return Model::from_bytes(bytes.data(), bytes.size()); };
  for (const unsigned threads : {1U, 3U}) {
    const ModelParametrization parametrization{Sampler(load(), {threads})};
    SimulationState alone;
    const std::vector<Shower> wanted = showers(parametrization, alone);
    on_threads([&](std::size_t thread) {
      SimulationState state;
      if (thread % 3 == 2) {  // loads, draws from what it loaded, and lets go of it
        const ModelParametrization own{Sampler(load())};
        EXPECT_TRUE(showers(own, state) == wanted);
      } else {
        EXPECT_TRUE(showers(parametrization, state) == wanted);
      }
    });
  }
}

TEST(Threads, ShareASampler) {
  for (const auto conditioning :
       {test::Conditioning::none, test::Conditioning::table, test::Conditioning::quantum}) {
    const Sampler sampler(test::make_model(conditioning).load(), {2});
    constexpr std::size_t n = 2500;  // several chunks, so that each call has threads of its own
    const std::vector<float> energy(n, 1000.0F), eta(n, 0.2F);
    std::vector<std::uint64_t> event(n);
    for (std::size_t i = 0; i < n; ++i) event[i] = i;
    const std::vector<std::uint32_t> particle(n, 0);
    const auto draw = [&] {
      std::vector<float> out(3 * n);
      sampler.sample({n, energy.data(), eta.data()}, {1, event.data(), particle.data()},
                     OutOfRange::refuse, out.data());
      return out;
    };
    const std::vector<float> wanted = draw();
    on_threads([&](std::size_t) { EXPECT_TRUE(draw() == wanted); });
  }
}

TEST(Threads, HaveCollectorsOfTheirOwn) {
  auto parametrization =
      std::make_shared<ModelParametrization>(Sampler(test::make_shower_model().load(), {2}));
  SimulationState alone;
  const std::vector<Shower> wanted = showers(*parametrization, alone);
  ParametrizationChain chain;
  chain.push_back(std::move(parametrization));
  on_threads([&](std::size_t thread) {
    std::vector<Shower> collected;
    Collector collector(chain, 1 + 2 * thread,
                        [&](const SimulationState& state, const TruthState&, ReturnCode result) {
                          EXPECT_EQ(result, ReturnCode::Success);
                          collected.emplace_back(state);
                        });
    for (std::uint64_t event = 0; event < n_events; ++event) {
      const Particle particle(500.0 + 100.0 * static_cast<double>(event), 0.3);
      collector.add(particle.truth, particle.extrapolation, {11, event, 0});
    }
    collector.flush();
    EXPECT_TRUE(collected == wanted);
  });
}

}  // namespace
}  // namespace fastcaloq
