#include <gtest/gtest.h>

#include "fake_source.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/fastcalosim/TFCSFastCaloQ.hpp"

namespace fastcaloq {
namespace {

using fastcalosim::TFCSFastCaloQ;

struct Calorimeter {
  Calorimeter() {
    const auto shared = std::shared_ptr<test::Fake>(std::make_shared<test::Fake>());
    fake = shared;
    parametrization = {shared, &shared->parametrization};
    for (const int layer : {1, 2, 12}) {
      for (int subpos = 0; subpos < 3; ++subpos) {
        extrapolation.points[{layer, subpos}] = {0.5, 1.0, 1500.0 + layer, 1500.0 * 0.52};
      }
    }
  }
  std::shared_ptr<test::Fake> fake;
  std::shared_ptr<const ParametrizationBase> parametrization;
  TFCSExtrapolationState extrapolation;
  TFCSTruthState truth;
  CLHEP::HepRandomEngine engine;
};

TEST(FastCaloSim, FillsEnergiesAndCells) {
  Calorimeter calorimeter;
  TFCSFastCaloQ shower("photons", calorimeter.parametrization, {22});
  EXPECT_TRUE(shower.is_match_pdgid(22));
  EXPECT_TRUE(shower.is_match_eta(-0.5F));
  EXPECT_FALSE(shower.is_match_eta(0.1F));
  EXPECT_NEAR(shower.Ekin_max(), 10000, 0.01);
  CaloGeo geometry;
  shower.set_geometry(&geometry);
  TFCSSimulationState state(&calorimeter.engine);
  ASSERT_EQ(shower.simulate(state, &calorimeter.truth, &calorimeter.extrapolation), FCSSuccess);
  EXPECT_GT(state.E(), 500.0);
  EXPECT_NEAR(state.E(1) + state.E(2) + state.E(12), state.E(), 1e-9 * state.E());
  EXPECT_NEAR(state.Efrac(2), state.E(2) / state.E(), 1e-12);
  // Half of layer 1 has no cells: what is left is scaled to the layer's energy.
  for (const int layer : {1, 2, 12}) {
    EXPECT_NEAR(double{state.cells().at(static_cast<unsigned long long>(layer))}, state.E(layer),
                1e-4 * state.E(layer));
  }
  TFCSSimulationState next(&calorimeter.engine);  // the engine has moved on
  ASSERT_EQ(shower.simulate(next, &calorimeter.truth, &calorimeter.extrapolation), FCSSuccess);
  EXPECT_NE(next.E(), state.E());
}

TEST(FastCaloSim, ReturnsWhatItsChainsUnderstand) {
  Calorimeter calorimeter;
  EXPECT_THROW(TFCSFastCaloQ("none", nullptr, {22}), InputError);
  const TFCSFastCaloQ shower("photons", calorimeter.parametrization, {22});
  TFCSSimulationState without_engine, state(&calorimeter.engine);
  EXPECT_EQ(shower.simulate(without_engine, &calorimeter.truth, &calorimeter.extrapolation),
            FCSFatal);
  calorimeter.fake->source->fault = [](const ShowerKeys&, std::size_t, float* layer, float*) {
    layer[0] = std::numeric_limits<float>::quiet_NaN();
  };
  EXPECT_EQ(int{shower.simulate(state, &calorimeter.truth, &calorimeter.extrapolation)},
            FCSRetry + 1);
  calorimeter.truth.ekin = 1e9;
  EXPECT_EQ(shower.simulate(state, &calorimeter.truth, &calorimeter.extrapolation), FCSFatal);
}

}  // namespace
}  // namespace fastcaloq
