// Engines that are not the native one, made up for the purpose.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "fastcaloq/engine.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/parametrization.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;

constexpr std::size_t n_rows = 101;
constexpr std::size_t n_layers = 3;

struct Rows {
  Rows() {
    for (std::size_t i = 0; i < n_rows; ++i) {
      energy.push_back(300.0F + 11.0F * static_cast<float>(i));
      eta.push_back(i % 2 == 0 ? 0.2F : -0.1F);
      event.push_back(7 + i);
      particle.push_back(static_cast<std::uint32_t>(i % 3));
    }
  }
  Conditions conditions(const float* quantum = nullptr) const {
    return {n_rows, energy.data(), eta.data(), quantum};
  }
  ShowerKeys keys() const { return {5, event.data(), particle.data()}; }

  std::vector<float> energy, eta;
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
};

struct Showers {
  explicit Showers(const Sampler& sampler, const float* quantum = nullptr)
      : layers(n_rows * n_layers), voxels(n_rows * sampler.n_voxels()) {
    const Rows rows;
    sampler.sample(rows.conditions(quantum), rows.keys(), OutOfRange::refuse, layers.data(),
                   voxels.empty() ? nullptr : voxels.data());
  }
  bool operator==(const Showers& other) const {
    return layers == other.layers && voxels == other.voxels;
  }
  std::vector<float> layers, voxels;
};

/// Hands everything to a native sampler.
class Relay : public Engine {
 public:
  explicit Relay(std::shared_ptr<const Model> model, Features features = Features::own)
      : binning_(model->card().binning), native_(std::move(model)), features_(features) {}

  std::string name() const override { return "relay"; }
  Role role() const noexcept override { return Role::whole; }
  Features features() const noexcept override { return features_; }
  const BinningCard& binning() const noexcept override { return binning_; }
  std::size_t chunk_rows() const noexcept override { return 16; }
  std::unique_ptr<Workspace> make_workspace() const override {
    ++workspaces;
    return std::make_unique<Workspace>();
  }
  void run(const ShowerChunk& chunk, Workspace&) const override {
    EXPECT_LE(chunk.rows.n, chunk_rows());
    EXPECT_EQ(chunk.rows.quantum != nullptr, features_ == Features::given);
    if (chunk.voxel_energy == nullptr) {
      native_.generate(chunk.rows, chunk.z, OutOfRange::extrapolate, chunk.layer_energy);
    } else {
      native_.generate(chunk.rows, chunk.z, chunk.z_shape, OutOfRange::extrapolate,
                       chunk.layer_energy, chunk.voxel_energy);
    }
    if (spoil) spoil(chunk);
  }

  BinningCard binning_;
  std::function<void(const ShowerChunk&)> spoil;
  mutable std::atomic<int> workspaces{0};

 private:
  Sampler native_;
  Features features_;
};

/// Voxels of a binning of its own: each takes its part of the layer, the first more for positive z.
class Stripes final : public Engine {
 public:
  Stripes() { binning_.layers = {{0, {0, 10}, 2}, {1, {}, 1}, {12, {0, 5, 50}, 1}}; }

  std::string name() const override { return "stripes"; }
  Role role() const noexcept override { return Role::voxels; }
  Features features() const noexcept override { return Features::own; }
  const BinningCard& binning() const noexcept override { return binning_; }
  std::size_t chunk_rows() const noexcept override { return 40; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<Workspace>();
  }
  void run(const ShowerChunk& chunk, Workspace&) const override {
    for (std::size_t row = 0; row < chunk.rows.n; ++row) {
      const float* layer = chunk.layer_energy + n_layers * row;
      const float first = chunk.z_shape[4 * row] > 0 ? 0.75F : 0.25F;
      float* voxels = chunk.voxel_energy + 4 * row;
      voxels[0] = first * layer[0];
      voxels[1] = (1 - first) * layer[0];
      voxels[2] = first * layer[2];
      voxels[3] = (1 - first) * layer[2];
    }
  }

  BinningCard binning_;
};

Sampler with(std::shared_ptr<const Model> model, std::shared_ptr<const Engine> engine,
             unsigned threads = 1) {
  SamplerOptions options;
  options.threads = threads;
  options.engine = std::move(engine);
  return Sampler(std::move(model), options);
}

template <class Call>
std::string reason(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Engine, GetsTheLatentsOfTheNativeOne) {
  for (const auto& model : {test::make_model().load(), test::make_shower_model().load()}) {
    const auto relay = std::make_shared<Relay>(model);
    const Showers native{Sampler(model, {1})};
    EXPECT_TRUE(Showers(with(model, relay)) == native);
    EXPECT_TRUE(Showers(with(model, relay, 3)) == native);
    EXPECT_LE(relay->workspaces, 5);  // the parity vectors' one and one for each thread
  }
}

TEST(Engine, OfWholeShowersMustReproduceTheParityVectors) {
  const auto model = test::make_shower_model().load();
  auto relay = std::make_shared<Relay>(model);
  relay->spoil = [](const ShowerChunk& chunk) { chunk.layer_energy[1] *= 1.5F; };
  EXPECT_TRUE(says(reason([&] { with(model, relay); }), "the engine (relay) gives"));
  SamplerOptions options;
  options.engine = relay;
  options.check_parity = false;
  EXPECT_NO_THROW(Sampler(model, options));
}

TEST(Engine, OfAnotherModelIsRefused) {
  const auto model = test::make_shower_model().load();
  auto relay = std::make_shared<Relay>(model);
  relay->binning_.layers[1].n_alpha = 7;
  EXPECT_TRUE(says(reason([&] { with(model, relay); }), "for layers 0, 1, 12 and their voxels"));
  auto stripes = std::make_shared<Stripes>();
  stripes->binning_.layers.pop_back();
  EXPECT_TRUE(
      says(reason([&] { with(model, stripes); }), "for layers 0, 1, the model for 0, 1, 12"));
  stripes->binning_.layers = {{0, {}, 1}, {1, {}, 1}, {12, {}, 1}};
  EXPECT_TRUE(says(reason([&] { with(model, stripes); }), "its binning has none"));
}

TEST(Engine, TakesFeaturesOrHasItsOwn) {
  test::ModelFile file = test::make_shower_model();
  const auto model = file.load();
  const auto conditioner = own_conditioner(model);
  const Rows rows;
  std::vector<float> features(n_rows * model->n_features());
  conditioner->features(rows.energy.data(), rows.eta.data(), n_rows, features.data());
  const Showers native{Sampler(model, {1})};
  const auto own = std::make_shared<Relay>(model, Engine::Features::own);
  const auto given = std::make_shared<Relay>(model, Engine::Features::given);
  EXPECT_TRUE(
      says(reason([&] { Showers(with(model, own), features.data()); }), "computes them itself"));
  EXPECT_TRUE(Showers(with(model, given)) == native);  // of the model's table
  EXPECT_TRUE(Showers(with(model, given), features.data()) == native);
  SamplerOptions options;
  options.conditioner = conditioner;
  options.engine = given;
  EXPECT_TRUE(Showers(Sampler(model, options)) == native);
  options.engine = own;
  EXPECT_TRUE(says(reason([&] { Sampler(model, options); }), "would not ask the conditioner"));

  test::ModelFile without = test::make_shower_model(Conditioning::none, Conditioning::quantum);
  without.serve();
  const auto served = without.load();
  options = {};
  options.engine = std::make_shared<Relay>(served, Engine::Features::given);
  EXPECT_TRUE(says(reason([&] { Showers{Sampler(served, options)}; }), "no table"));
}

TEST(Engine, OfVoxelsFollowsTheNativeEnergies) {
  const auto stripes = std::make_shared<Stripes>();
  for (const auto& model : {test::make_model().load(), test::make_shower_model().load()}) {
    const Sampler sampler = with(model, stripes);
    EXPECT_EQ(sampler.n_voxels(), 4U);
    EXPECT_EQ(&sampler.binning(), &stripes->binning());
    const Showers showers(sampler);
    const Showers native{Sampler(model, {1})};
    EXPECT_EQ(showers.layers, native.layers);
    EXPECT_TRUE(Showers(with(model, stripes, 3)) == showers);
    std::vector<float> z(n_rows * 4);
    const Rows rows;
    latents(rows.keys(), n_rows, 4, LatentStream::shape, z.data());
    for (std::size_t row = 0; row < n_rows; ++row) {
      const float first = z[4 * row] > 0 ? 0.75F : 0.25F;
      EXPECT_EQ(showers.voxels[4 * row + 2], first * showers.layers[3 * row + 2]);
    }
    std::vector<float> alone(n_rows * n_layers);
    sampler.sample(rows.conditions(), rows.keys(), OutOfRange::refuse, alone.data());
    EXPECT_EQ(alone, native.layers);
  }
}

TEST(Engine, MakesHitsInItsOwnVoxels) {
  const auto model = test::make_model().load();
  const ModelParametrization parametrization{with(model, std::make_shared<Stripes>())};
  const TruthState truth{22, 5000.0, 0.2, 1.0};
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 1.0, 0.2));
  SimulationState state({1, 2, 3});
  ASSERT_EQ(parametrization.simulate(state, truth, extrapolation), ReturnCode::Success)
      << state.reason();
  EXPECT_EQ(state.voxel_energy().size(), 4U);
  double sum[13] = {};
  for (const Hit& hit : state.hits()) sum[hit.layer] += double{hit.E};
  for (const int layer : {0, 1, 12}) EXPECT_NEAR(sum[layer], state.E(layer), 1e-5 * state.E());
}

TEST(Engine, ThatFailsPassesItsReasonOn) {
  const auto model = test::make_shower_model().load();
  auto relay = std::make_shared<Relay>(model);
  const Sampler sampler = with(model, relay, 3);
  relay->spoil = [](const ShowerChunk&) -> void { throw EngineError("it broke"); };
  EXPECT_EQ(reason([&] { Showers{sampler}; }), "it broke");
  relay->spoil = [](const ShowerChunk& chunk) { chunk.voxel_energy[3] = -1.0F; };
  EXPECT_TRUE(says(reason([&] { Showers{sampler}; }), "row 0: the model gives an energy that is "));

  const ModelParametrization parametrization{with(model, std::make_shared<Relay>(model))};
  auto failing = std::make_shared<Relay>(model);
  const ModelParametrization broken{with(model, failing)};
  const TruthState truth{22, 5000.0, 0.2, 1.0};
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 1.0, 0.2));
  SimulationState state({1, 2, 3});
  failing->spoil = [](const ShowerChunk&) -> void { throw EngineError("it broke"); };
  EXPECT_EQ(broken.simulate(state, truth, extrapolation), ReturnCode::Fatal);
  EXPECT_STREQ(state.reason(), "it broke");
  failing->spoil = [](const ShowerChunk& chunk) {
    chunk.voxel_energy[3] = std::numeric_limits<float>::quiet_NaN();
  };
  EXPECT_EQ(broken.simulate(state, truth, extrapolation), ReturnCode::Retry);
  EXPECT_TRUE(says(state.reason(), "not finite")) << state.reason();
}

}  // namespace
}  // namespace fastcaloq
