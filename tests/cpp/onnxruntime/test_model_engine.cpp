// Graphs that are whole models.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "fastcaloq/onnxruntime_engine.hpp"
#include "fastcaloq/parametrization.hpp"
#include "model_file.hpp"
#include "particles.hpp"

namespace fastcaloq {
namespace {

using test::Drawn;
using test::Particles;
using test::refusal;
using test::sampler_with;
using test::says;

const std::string photon_energy = MODELS "/photon_energy/model.onnx";
const std::string photon = MODELS "/photon/model.onnx";

/// Rows of `width` numbers that differ by more than the card allows; twice, as both engines may be off.
std::size_t rows_apart(const std::vector<float>& a, const std::vector<float>& b, std::size_t width,
                       const ParityCard& parity) {
  std::size_t n_apart = 0;
  for (std::size_t row = 0; row < a.size() / width; ++row) {
    bool apart = false;
    for (std::size_t i = width * row; i < width * (row + 1); ++i) {
      const double want = a[i], got = b[i];
      apart = apart || !(std::fabs(want - got) <=
                         2 * (parity.absolute_tolerance + parity.relative_tolerance * want));
    }
    n_apart += apart ? 1 : 0;
  }
  return n_apart;
}

TEST(ModelEngine, MakesTheLayerEnergiesOfTheNativeOne) {
  const auto model = Model::load(photon_energy);
  const auto engine = onnxruntime_engine(model, photon_energy);
  EXPECT_EQ(engine->name(), "ONNX Runtime " + onnxruntime_version());
  const Particles particles(3000);
  const Drawn native(Sampler(model, {1}), particles);
  const Drawn other(sampler_with(model, engine), particles);
  EXPECT_EQ(rows_apart(native.layers, other.layers, model->n_layers(), model->card().parity), 0U);
  EXPECT_NE(native.layers, other.layers);  // it is another engine

  const Sampler one_by_one = sampler_with(model, onnxruntime_engine(model, photon_energy, {1, 1}));
  const Particles few(30);
  const Drawn batch(one_by_one, few);
  for (std::size_t i = 0; i < few.n; ++i) {
    std::vector<float> alone(model->n_layers());
    one_by_one.sample({1, &few.energy[i], &few.eta[i]}, {3, &few.event[i], &few.particle[i]},
                      OutOfRange::refuse, alone.data());
    const float* row = batch.layers.data() + i * model->n_layers();
    EXPECT_EQ(alone, std::vector<float>(row, row + model->n_layers()));
  }
}

TEST(ModelEngine, MakesTheShowersOfTheNativeOne) {
  const auto model = Model::load(photon);
  const auto engine = onnxruntime_engine(model, photon, {1, 8});
  const Particles particles(16);  // two threads draw the same chunks as one
  const Drawn native(Sampler(model, {1}), particles);
  Sampler sampler = sampler_with(model, engine);
  const Drawn other(sampler, particles);
  const ModelCard& card = model->card();
  EXPECT_EQ(rows_apart(native.layers, other.layers, model->n_layers(), card.parity), 0U);
  // Where rounding decides whether a voxel is empty a shower may be another one: a few in a thousand.
  EXPECT_LE(rows_apart(native.voxels, other.voxels, model->n_voxels(), card.shape->parity), 1U);

  const Drawn threaded(sampler_with(model, engine, 2), particles);
  EXPECT_EQ(threaded.layers, other.layers);
  EXPECT_EQ(threaded.voxels, other.voxels);
  std::vector<float> alone(other.layers.size());
  sampler.sample(particles.conditions(), particles.keys(), OutOfRange::refuse, alone.data());
  EXPECT_EQ(alone, other.layers);

  const ModelParametrization parametrization{std::move(sampler)};
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 1.0, 0.22));
  SimulationState state({3, 11 + 12, 0});
  const TruthState truth{22, double{particles.energy[12]}, 0.22, 1.0};
  ASSERT_EQ(parametrization.simulate(state, truth, extrapolation), ReturnCode::Success)
      << state.reason();
  const float* row = other.layers.data() + 12 * model->n_layers();
  for (std::size_t i = 0; i < model->n_layers(); ++i) {  // not the same bits in another batch
    EXPECT_NEAR(state.layer_energy()[i], row[i], 1e-4F * row[i] + 1e-4F);
  }
  EXPECT_EQ(state.voxel_energy().size(), model->n_voxels());
  EXPECT_GT(state.hits().size(), 20U);
}

TEST(ModelEngine, IsSharedByThreads) {
  const auto model = Model::load(photon_energy);
  const Sampler sampler = sampler_with(model, onnxruntime_engine(model, photon_energy));
  const Particles particles(64);
  const Drawn want(sampler, particles);
  std::vector<std::thread> threads;
  std::vector<int> same(4, 0);
  for (std::size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) same[t] += Drawn(sampler, particles).layers == want.layers;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, std::vector<int>(4, 20));
}

TEST(ModelEngine, OutlivesNobody) {
  // The environment stays when the last engine goes; another engine comes after it.
  const auto model = Model::load(photon_energy);
  const Particles particles(8);
  std::vector<float> first;
  for (int i = 0; i < 3; ++i) {
    const Drawn drawn(sampler_with(model, onnxruntime_engine(model, photon_energy)), particles);
    if (i == 0) first = drawn.layers;
    EXPECT_EQ(drawn.layers, first);
  }
}

TEST(ModelEngine, GivesServedGraphsTheirFeatures) {
  // The made-up graph multiplies the incident energy by the second of the four features.
  test::ModelFile file = test::make_shower_model();
  file.serve();
  const auto model = file.load();
  const auto engine = onnxruntime_engine(model, GRAPHS "/whole_served.onnx", {1, 7});
  EXPECT_TRUE(engine->features() == Engine::Features::given);
  EXPECT_TRUE(says(refusal<ModelError>([&] { sampler_with(model, engine); }),
                   "the engine (ONNX Runtime "));  // whose parity vectors it does not reproduce
  SamplerOptions options{2};
  options.engine = engine;
  options.check_parity = false;
  const Sampler sampler(model, options);
  const Particles particles(50);
  std::vector<float> features(4 * particles.n);
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = 0.5F + static_cast<float>(i);
  const Drawn given(sampler, particles, features.data());
  for (std::size_t row = 0; row < particles.n; ++row) {
    EXPECT_EQ(given.layers[3 * row + 2], features[4 * row + 1] * particles.energy[row]);
  }
  const Drawn table(sampler, particles);
  own_conditioner(model)->features(particles.energy.data(), particles.eta.data(), particles.n,
                                   features.data());
  for (std::size_t row = 0; row < particles.n; ++row) {
    EXPECT_EQ(table.layers[3 * row], std::fabs(features[4 * row + 1]) * particles.energy[row]);
  }
}

TEST(ModelEngine, RefusesOtherGraphs) {
  const auto model = Model::load(photon_energy);
  const auto load = [&](const std::string& path, const OnnxRuntimeOptions& options = {}) {
    return refusal([&] { onnxruntime_engine(model, path, options); });
  };
  EXPECT_TRUE(says(load("/no/such.onnx"), "/no/such.onnx: no such file"));
  EXPECT_TRUE(says(load(MODELS), "no such file"));
  EXPECT_TRUE(says(load(GRAPHS "/unfit_file.onnx"), "cannot run this graph ("));
  EXPECT_TRUE(
      says(load(GRAPHS "/whole_served.onnx"), "its input 'z_energy' is float32 [N, 3] where"));
  EXPECT_TRUE(
      says(load(GRAPHS "/shape.onnx"), "has no input 'z_energy' (its inputs are 'z_shape', "));
  EXPECT_TRUE(says(load(photon_energy, {1, 0}), "use 1 to 65536 showers"));
  EXPECT_TRUE(says(load(photon_energy, {5000, 1}), "at most 1024 threads"));
  EXPECT_TRUE(says(refusal<InputError>([&] { onnxruntime_engine(nullptr, photon_energy); }),
                   "this one is null"));
  const auto showers = test::make_shower_model().load();
  EXPECT_TRUE(says(refusal<ModelError>([&] { onnxruntime_engine(showers, photon_energy); }),
                   "its input 'z_energy' is float32 [N, 5] where float32 [N, 3] belongs"));
}

}  // namespace
}  // namespace fastcaloq
