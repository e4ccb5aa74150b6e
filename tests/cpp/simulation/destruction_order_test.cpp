// Whatever dies first, the rest goes on: also after main, when what is static dies.
#include <cstdio>
#include <memory>
#include <utility>

#include "fake_source.hpp"
#include "fastcaloq/collector.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Particle;
using test::Shower;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void require(bool good, const char* what) {
  if (!good) die(what);
}

/// Made before anything of the library, hence destroyed after all of it: draws once more then.
struct Last {
  std::unique_ptr<ParametrizationChain> chain;
  std::unique_ptr<SimulationState> state;
  ~Last() {
    require(chain && state, "main was not run");
    const Shower before(*state);
    const Particle particle(2000);
    require(chain->simulate(*state, particle.truth, particle.extrapolation) == ReturnCode::Success,
            state->reason());
    require(Shower(*state) == before, "another shower after main");
    // Loading has nothing left that was destroyed before, either.
    const ModelParametrization again{Sampler(test::make_shower_model().load(), {2})};
    require(again.simulate(*state, particle.truth, particle.extrapolation) == ReturnCode::Success,
            state->reason());
    require(Shower(*state) == before, "another shower from the model loaded after main");
    std::puts("destroyed");
  }
};
Last last;  // NOLINT(cert-err58-cpp): its destruction is what is tested

/// One after the other goes, from what others were made of to what was made of them.
void run() {
  const Particle particle(2000);
  std::shared_ptr<const Model> model = test::make_shower_model().load();
  auto sampler = std::make_unique<Sampler>(model, SamplerOptions());
  model.reset();
  auto moved = std::make_unique<Sampler>(std::move(*sampler));
  sampler.reset();
  auto parametrization = std::make_shared<ModelParametrization>(std::move(*moved));
  moved.reset();
  last.chain = std::make_unique<ParametrizationChain>();
  last.chain->push_back(parametrization);
  last.state = std::make_unique<SimulationState>(ShowerKey{1, 2, 3});
  require(last.chain->simulate(*last.state, particle.truth, particle.extrapolation) ==
              ReturnCode::Success,
          last.state->reason());
  const Shower shower(*last.state);
  const ModelCard* card = &parametrization->card();
  parametrization.reset();  // the chain's share keeps it
  require(card->pdg_id == 22, "the card died with one of its owners");

  {  // what a state holds is its own
    SimulationState state({1, 2, 3});
    {
      const ModelParametrization own{Sampler(test::make_shower_model().load())};
      require(own.simulate(state, particle.truth, particle.extrapolation) == ReturnCode::Success,
              state.reason());
    }
    require(Shower(state) == shower, "the shower died with its parametrisation");
    const SimulationState other(std::move(state));
    require(Shower(other) == shower, "the shower was lost on the move");
  }
  {  // particles that wait are dropped without a look at what would have drawn them
    auto own = std::make_unique<ModelParametrization>(Sampler(test::make_shower_model().load()));
    Collector collector(*own, 10, [](auto&&...) { die("flushed by its destructor"); });
    collector.add(particle.truth, particle.extrapolation, {1, 2, 3});
    own.reset();
  }
  {  // a conditioner lives as long as the sampler that asks it
    class Constant final : public Conditioner {
     public:
      std::size_t n_features() const noexcept override { return 2; }
      void features(const float*, const float*, std::size_t n, float* out) const override {
        std::fill_n(out, 2 * n, value_);
      }

     private:
      float value_ = 0.5F;
    };
    SamplerOptions options;
    options.conditioner = std::make_shared<Constant>();
    const ModelParametrization own{Sampler(test::make_model().load(), options)};
    options.conditioner.reset();
    SimulationState state;
    require(own.simulate(state, particle.truth, particle.extrapolation) == ReturnCode::Success,
            state.reason());
  }
}

}  // namespace
}  // namespace fastcaloq

int main() {
  try {
    fastcaloq::run();
  } catch (const std::exception& error) {
    fastcaloq::die(error.what());
  }
}
