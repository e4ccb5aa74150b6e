// Graphs that make voxels for the layer energies of our flow.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "fastcaloq/binning.hpp"
#include "fastcaloq/collector.hpp"
#include "fastcaloq/onnxruntime_engine.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "model_file.hpp"
#include "particles.hpp"

namespace fastcaloq {
namespace {

using test::Drawn;
using test::Particles;
using test::refusal;
using test::sampler_with;
using test::says;

constexpr std::size_t V = 8;
constexpr std::size_t layer_of[V] = {0, 0, 1, 1, 1, 1, 1, 1};

BinningCard binning() {
  return {"stripes", {{0, {0, 10, 40}, 1}, {1, {0, 5, 15, 30}, 2}}};
}

ShapeGraph graph(const std::string& name) {
  ShapeGraph shape;
  shape.path = GRAPHS "/" + name + ".onnx";
  shape.binning = binning();
  return shape;
}

/// What make_graphs.py says a voxel is.
std::vector<double> expected(float energy, float eta, const float* layers, const float* z) {
  std::vector<double> voxels(V);
  double sums[2] = {0.0, 0.0};
  for (std::size_t v = 0; v < V; ++v) {
    voxels[v] = std::exp(0.5 * double{z[v]} + std::fabs(double{eta}) * static_cast<double>(v) / 10 +
                         0.01 * std::log(double{energy}));
    sums[layer_of[v]] += voxels[v];
  }
  for (std::size_t v = 0; v < V; ++v) voxels[v] *= double{layers[layer_of[v]]} / sums[layer_of[v]];
  return voxels;
}

class ShapeEngine : public testing::Test {
 protected:
  std::shared_ptr<const Engine> load(const ShapeGraph& shape,
                                     const OnnxRuntimeOptions& options = {}) const {
    return onnxruntime_shape_engine(model, shape, options);
  }
  std::string refused(const ShapeGraph& shape) const {
    return refusal<ModelError>([&] { load(shape); });
  }

  const std::shared_ptr<const Model> model = test::make_model().load();
};

TEST_F(ShapeEngine, FollowsTheNativeEnergies) {
  const Particles particles(150);
  std::vector<float> z(particles.n * V);
  latents(particles.keys(), particles.n, V, LatentStream::shape, z.data());
  const Drawn native(Sampler(model, {1}), particles);
  for (const char* name : {"shape", "shape_of_one", "shape_open"}) {
    for (const unsigned threads : {1U, 3U}) {
      const Sampler sampler = sampler_with(model, load(graph(name), {1, 32}), threads);
      EXPECT_EQ(sampler.n_voxels(), V);
      EXPECT_EQ(sampler.binning().layers.size(), 3U);
      const Drawn drawn(sampler, particles);
      EXPECT_EQ(drawn.layers, native.layers) << name;
      for (std::size_t row = 0; row < particles.n; ++row) {
        const auto want = expected(particles.energy[row], particles.eta[row],
                                   drawn.layers.data() + 3 * row, z.data() + V * row);
        for (std::size_t v = 0; v < V; ++v) {
          // A dozen float32 operations, the sum of exponentials among them.
          EXPECT_NEAR(double{drawn.voxels[V * row + v]}, want[v], 2e-6 * want[v]) << name;
        }
      }
    }
  }
}

TEST_F(ShapeEngine, MakesHitsThroughSimulateAndTheCollector) {
  const auto parametrization =
      std::make_shared<ModelParametrization>(sampler_with(model, load(graph("shape"))));
  ParametrizationChain chain;
  chain.push_back(parametrization);
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 0.5, 0.3));
  const TruthState truth{22, 20000.0, 0.3, 0.5};
  SimulationState state({9, 8, 7});
  ASSERT_EQ(chain.simulate(state, truth, extrapolation), ReturnCode::Success) << state.reason();
  ASSERT_EQ(state.voxel_energy().size(), V);
  double sums[13] = {};
  for (const Hit& hit : state.hits()) sums[hit.layer] += double{hit.E};
  for (const int layer : {0, 1, 12}) EXPECT_NEAR(sums[layer], state.E(layer), 1e-5 * state.E());
  const double distance = 1500.0;
  for (const Hit& hit : state.hits()) {  // inside the voxels' rings around the impact point
    const double across =
        distance * std::hypot((double{hit.eta} - 0.3) / std::cosh(0.3),
                              std::remainder(double{hit.phi} - 0.5, 2 * 3.14159265));
    EXPECT_LT(across, hit.layer == 0 ? 40.1 : hit.layer == 1 ? 30.1 : 0.1);
  }

  std::vector<float> collected;
  Collector collector(chain, 100,
                      [&](const SimulationState& made, const TruthState&, ReturnCode result) {
                        EXPECT_EQ(result, ReturnCode::Success) << made.reason();
                        collected = made.voxel_energy();
                      });
  collector.add(truth, extrapolation, {9, 8, 7});
  EXPECT_EQ(collector.flush(), 0U);
  EXPECT_EQ(collected, state.voxel_energy());
}

TEST_F(ShapeEngine, TakesOtherNamesAndFewerInputs) {
  ShapeGraph shape = graph("shape_renamed");
  EXPECT_TRUE(
      says(refused(shape),
           "has no input 'z_shape' (its inputs are 'noise', 'layers'): say what it is called "
           "as ShapeGraph::z_shape"));
  shape.z_shape = "noise";
  shape.layer_energy = "layers";
  EXPECT_TRUE(says(refused(shape), "or leave that empty if the graph does without"));
  shape.incident_energy = shape.eta = "";
  EXPECT_TRUE(
      says(refused(shape), "has no output 'voxel_energy' (its outputs are 'voxels', 'unused')"));
  shape.voxel_energy = "voxels";
  const Particles particles(10);
  const Drawn drawn(sampler_with(model, load(shape)), particles);
  EXPECT_EQ(drawn.voxels[V + 5], drawn.layers[3 + 1]);
}

TEST_F(ShapeEngine, ThatGivesNonsenseIsRetried) {
  // A latent above 1.5 spoils 43 % of the showers.
  auto parametrization =
      std::make_shared<ModelParametrization>(sampler_with(model, load(graph("shape_nan"))));
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 0.5, 0.3));
  const TruthState truth{22, 20000.0, 0.3, 0.5};
  SimulationState state;
  int n_retry = 0;
  for (std::uint64_t event = 0; event < 60; ++event) {
    state.set_key({9, event, 7});
    const ReturnCode result = parametrization->simulate(state, truth, extrapolation);
    if (result != ReturnCode::Retry) continue;
    ++n_retry;
    EXPECT_TRUE(says(state.reason(), "negative or not finite")) << state.reason();
  }
  EXPECT_GT(n_retry, 10);
  EXPECT_LT(n_retry, 45);
  EXPECT_EQ(state.counters().success, 60U - static_cast<unsigned>(n_retry));
}

TEST_F(ShapeEngine, CutsOffWhatIsBelowAThresholdIfAsked) {
  const Particles particles(20);
  ShapeGraph shape = graph("shape_negative");
  EXPECT_TRUE(says(refusal<ModelError>([&] { Drawn(sampler_with(model, load(shape)), particles); }),
                   "negative or not finite"));
  shape.threshold = 0.25F;
  const Drawn cut(sampler_with(model, load(shape)), particles);
  const Drawn good(sampler_with(model, load(graph("shape"))), particles);
  bool some = false;
  for (std::size_t i = 0; i < cut.voxels.size(); ++i) {
    const float want = good.voxels[i] - 1.0F;
    some = some || want < 0.25F;
    EXPECT_EQ(cut.voxels[i], want < 0.25F ? 0.0F : want);
  }
  EXPECT_TRUE(some);
  for (const float wrong : {-1.0F, std::nanf("")}) {
    shape.threshold = wrong;
    EXPECT_TRUE(says(refusal<InputError>([&] { load(shape); }), "makes no sense"));
  }
}

TEST_F(ShapeEngine, ThatFailsIsFatalWithAReason) {
  const ModelParametrization parametrization{sampler_with(model, load(graph("shape_failing")))};
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 0.5, 0.3));
  SimulationState state({1, 2, 3});
  TruthState truth{22, 20000.0, 0.3, 0.5};
  EXPECT_EQ(parametrization.simulate(state, truth, extrapolation), ReturnCode::Success);
  truth.Ekin = 60000.0;
  EXPECT_EQ(parametrization.simulate(state, truth, extrapolation), ReturnCode::Fatal);
  EXPECT_TRUE(says(state.reason(), "ONNX Runtime failed (")) << state.reason();
}

TEST_F(ShapeEngine, RefusesUnfitGraphs) {
  const std::string belongs = " where float32 [N, 8] belongs";
  EXPECT_TRUE(says(refused(graph("unfit_rank")), "'z_shape' is float32 [N, 8, 1]" + belongs));
  EXPECT_TRUE(says(refused(graph("unfit_width")), "'z_shape' is float32 [N, 9]" + belongs));
  EXPECT_TRUE(says(refused(graph("unfit_type")), "'z_shape' is float64 [N, 8]" + belongs));
  EXPECT_TRUE(says(refused(graph("unfit_batch")), "for exactly 4 showers at a time"));
  EXPECT_TRUE(says(refused(graph("unfit_extra")), "its input 'phi', float32 [N, 1], is not among"));
  EXPECT_TRUE(says(refused(graph("unfit_output")), "'voxel_energy' is float32 [N, 7]" + belongs));
  EXPECT_TRUE(says(refused(graph("unfit_hidden")), "cannot run this graph ("));
  EXPECT_TRUE(says(refused(graph("nowhere")), "no such file"));
}

TEST_F(ShapeEngine, RefusesBinningsForOtherLayers) {
  ShapeGraph shape = graph("shape");
  const auto reason = [&] { return refusal<InputError>([&] { load(shape); }); };
  shape.binning.layers[1].id = 2;
  EXPECT_TRUE(says(reason(), "has voxels in layer 2"));
  std::swap(shape.binning.layers[0], shape.binning.layers[1] = binning().layers[1]);
  EXPECT_TRUE(says(reason(), "has voxels in layer 0"));
  shape.binning.layers.clear();
  EXPECT_TRUE(says(reason(), "has no voxels"));
  shape = graph("shape");
  shape.binning.layers.insert(shape.binning.layers.begin() + 1,
                              {7, {}, 1});  // no voxels: no matter
  EXPECT_EQ(load(shape)->binning().layers.size(), 3U);
  EXPECT_TRUE(says(refusal<InputError>([&] { onnxruntime_shape_engine(nullptr, shape); }), "null"));
}

TEST_F(ShapeEngine, TakesItsBinningFromAFile) {
  const std::string path = testing::TempDir() + "fastcaloq_stripes.xml";
  std::ofstream(path) << "<Bins><Bin pid='22' name='photon'>"
                         "<Layer id='0' r_edges='0,10,40' n_bin_alpha='1'/>"
                         "<Layer id='1' r_edges='0,5,15,30' n_bin_alpha='2'/>"
                         "<Layer id='2' r_edges='0' n_bin_alpha='1'/></Bin></Bins>";
  ShapeGraph shape = graph("shape");
  shape.binning = read_binning(path);
  const Particles particles(5);
  EXPECT_EQ(Drawn(sampler_with(model, load(shape)), particles).voxels,
            Drawn(sampler_with(model, load(graph("shape"))), particles).voxels);
}

}  // namespace
}  // namespace fastcaloq
