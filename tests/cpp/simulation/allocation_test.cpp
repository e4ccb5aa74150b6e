// Once a state has seen its largest shower, simulate does not allocate.
#include <gtest/gtest.h>

#include "counting_allocator.hpp"
#include "fake_source.hpp"
#include "fastcaloq/parametrization_chain.hpp"

namespace fastcaloq {
namespace {

/// Showers of known energies: the fake allocates, this does not.
class ConstantSource final : public detail::ShowerSource {
 public:
  const ModelCard& card() const noexcept override { return card_; }
  std::size_t n_voxels() const noexcept override { return card_.binning.n_voxels(); }
  void sample(const Conditions& conditions, const ShowerKeys&, float* layer_energy,
              float* voxel_energy) const override {
    for (std::size_t i = 0; i < 3 * conditions.n; ++i) layer_energy[i] = 100.0F;
    for (std::size_t i = 0; i < n_voxels() * conditions.n; ++i) voxel_energy[i] = 50.0F;
  }

 private:
  ModelCard card_ = test::fake_card();
};

/// Allocations of `n_calls` calls after `warm_up` of them.
std::size_t count(const ParametrizationBase& parametrization, const test::Particle& particle,
                  std::uint64_t n_calls) {
  SimulationState state;
  state.set_out_of_range(OutOfRange::clip);
  const auto run = [&](std::uint64_t event) {
    state.set_key({1, event, 0});
    EXPECT_EQ(parametrization.simulate(state, particle.truth, particle.extrapolation),
              ReturnCode::Success)
        << state.reason();
  };
  const std::size_t before = test::allocations.made;
  run(0);
  EXPECT_GT(test::allocations.made, before);  // the counter counts
  run(0);
  const std::size_t warm = test::allocations.made;
  for (std::uint64_t event = 1; event <= n_calls; ++event) run(event);
  return test::allocations.made - warm;
}

TEST(Allocations, NoneInHitsAndChains) {
  const auto parametrization =
      std::make_shared<ModelParametrization>(std::make_unique<ConstantSource>());
  EXPECT_EQ(count(*parametrization, test::Particle(), 100), 0U);
  ParametrizationChain chain;
  chain.push_back(parametrization);
  EXPECT_EQ(count(chain, test::Particle(), 100), 0U);
  EXPECT_EQ(count(chain, test::Particle(1e6), 100), 0U);  // clipped
}

TEST(Allocations, NoneWithATrainedModel) {
  const ModelParametrization parametrization{
      Sampler(Model::load(MODELS "/photon_energy/model.onnx"))};
  EXPECT_EQ(count(parametrization, test::Particle(20000, 0.2), 100), 0U);
}

}  // namespace
}  // namespace fastcaloq
