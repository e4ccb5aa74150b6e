#include <gtest/gtest.h>

#include <cmath>

#include "fake_source.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/geant4/FastSimModel.hpp"

namespace fastcaloq {
namespace {

using geant4::FastSimModel;
using geant4::FastSimOptions;

const std::vector<LayerSurface> barrel = {{1, Surface::cylinder, 1500, 1600},
                                          {2, Surface::cylinder, 1600, 1900},
                                          {12, Surface::cylinder, 2300, 3800}};
const G4ParticleDefinition photon(22, 0.0), electron(11, 0.511);

std::shared_ptr<const ParametrizationBase> photons() {
  auto fake = std::make_shared<test::Fake>();
  return {fake, &fake->parametrization};
}

G4Track track(double energy, int id = 1, const G4ParticleDefinition& particle = photon) {
  const double pt = 1.0 / std::cosh(0.5);
  return {&particle, id, energy, {0, 0, 0}, {pt, 0, std::tanh(0.5)}};
}

TEST(Geant4, TakesOverWhatTheParametrisationIsFor) {
  G4Region region;
  FastSimModel model("FastCaloQ", &region, photons(), barrel);
  EXPECT_TRUE(model.IsApplicable(photon));
  EXPECT_FALSE(model.IsApplicable(electron));
  const G4Track inside = track(1000), above = track(1e9);
  EXPECT_TRUE(model.ModelTrigger(G4FastTrack(&inside)));
  EXPECT_FALSE(model.ModelTrigger(G4FastTrack(&above)));
  FastSimOptions options;
  options.out_of_range = OutOfRange::clip;
  EXPECT_TRUE(FastSimModel("FastCaloQ", &region, photons(), barrel, options)
                  .ModelTrigger(G4FastTrack(&above)));
  const G4Track along(&photon, 1, 1000, {0, 0, 0}, {0, 0, 1});
  EXPECT_FALSE(model.ModelTrigger(G4FastTrack(&along)));
}

TEST(Geant4, KillsTheParticleAndGivesItsHits) {
  G4FastSimHitMaker::made().clear();
  FastSimModel model("FastCaloQ", nullptr, photons(), barrel);
  const G4Track one = track(1000);
  G4FastStep step;
  model.DoIt(G4FastTrack(&one), step);
  EXPECT_TRUE(step.killed);
  EXPECT_EQ(step.path_length, 0.0);
  EXPECT_EQ(step.deposited, 1000.0);
  double energy = 0.0;
  for (const G4FastHit& hit : G4FastSimHitMaker::made()) {
    energy += hit.GetEnergy();
    EXPECT_GE(std::hypot(hit.GetPosition().x(), hit.GetPosition().y()), 1549.0);
  }
  EXPECT_GT(energy, 300.0);
  EXPECT_EQ(model.counters().success, 1U);
}

TEST(Geant4, MakesABatchWhenAnEventIsFlushed) {
  FastSimOptions options;
  options.batch = 10;
  EXPECT_THROW(FastSimModel("FastCaloQ", nullptr, photons(), barrel, options), InputError);
  EXPECT_THROW(FastSimModel("FastCaloQ", nullptr, nullptr, barrel), InputError);
  std::vector<ShowerKey> keys;
  options.handler = [&](const SimulationState& state, const TruthState&, ReturnCode result) {
    EXPECT_EQ(result, ReturnCode::Success) << state.reason();
    keys.push_back(state.key());
  };
  FastSimModel model("FastCaloQ", nullptr, photons(), barrel, options);
  G4FastStep step;
  for (int id = 1; id <= 3; ++id) {
    const G4Track one = track(1000, id);
    model.DoIt(G4FastTrack(&one), step);
  }
  EXPECT_TRUE(keys.empty());
  model.Flush();
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[2].event, 7U);
  EXPECT_EQ(keys[2].particle, 3U);
}

}  // namespace
}  // namespace fastcaloq
