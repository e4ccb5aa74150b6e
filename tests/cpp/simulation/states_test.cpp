#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fastcaloq/error.hpp"
#include "fastcaloq/extrapolation_state.hpp"
#include "fastcaloq/simulation_state.hpp"
#include "fastcaloq/truth_state.hpp"
#include "simulation/particle_charge.hpp"

namespace fastcaloq {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(TruthState, KeepsAnEnergyFromAFourMomentum) {
  const double pt = 65536.0 / std::cosh(0.2);
  const auto photon =
      TruthState::from_four_momentum(22, 0.6 * pt, 0.8 * pt, pt * std::sinh(0.2), 65536.0);
  EXPECT_EQ(photon.mass, 0.0);
  EXPECT_EQ(photon.Ekin, 65536.0);
  EXPECT_NEAR(photon.eta, 0.2, 1e-15);
  EXPECT_NEAR(photon.phi, std::atan2(0.8, 0.6), 1e-15);

  const double mass = 139.57039;
  const auto pion = TruthState::from_four_momentum(211, 300, -400, 1200, std::hypot(1300, mass));
  // E^2 - p^2 loses (E/m)^2 = 90 of the 2^-53.
  EXPECT_NEAR(pion.mass, mass, 1e-12 * mass);
  EXPECT_NEAR(pion.E(), std::hypot(1300, mass), 1e-9);
  EXPECT_NEAR(pion.Px(), 300, 1e-9);
  EXPECT_NEAR(pion.Py(), -400, 1e-9);
  EXPECT_NEAR(pion.Pz(), 1200, 1e-9);

  const auto along = TruthState::from_four_momentum(22, 0, 0, -5, 5);
  EXPECT_EQ(along.eta, -infinity);
}

TEST(ExtrapolationState, IsNotOKWhereNothingWasSet) {
  ExtrapolationState state;
  for (const int layer : {-1, 0, 3, 1000000}) EXPECT_FALSE(state.OK(layer, SubPos::ENT));
  state.set(3, SubPos::EXT, Position::from_cylindrical(1500, 0.5, 300));
  EXPECT_TRUE(state.OK(3, SubPos::EXT));
  EXPECT_FALSE(state.OK(3, SubPos::ENT));
  EXPECT_FALSE(state.OK(2, SubPos::EXT));
  EXPECT_DOUBLE_EQ(state.eta(3, SubPos::EXT), std::asinh(0.2));
  state.set_calo_boundary(state.at(3, SubPos::EXT));
  state.clear();
  EXPECT_FALSE(state.OK(3, SubPos::EXT));
  EXPECT_FALSE(state.calo_boundary().OK);
  EXPECT_THROW(state.set(-1, {}), InputError);
  EXPECT_THROW(state.set(10001, {}), InputError);
}

TEST(ExtrapolationState, APositionIsOKIfItIsOne) {
  EXPECT_TRUE(Position::from_cylindrical(1, 0, 0).OK);
  EXPECT_FALSE(Position::from_cylindrical(0, 0, 1).OK);
  EXPECT_FALSE(Position::from_cylindrical(1, std::nan(""), 1).OK);
  EXPECT_FALSE(Position::from_cylindrical(infinity, 0, 1).OK);
}

TEST(ExtrapolationState, FollowsStraightLines) {
  TruthState truth{22, 1000, 0.5, 3.0};
  truth.vertex = {0, 0, 100};
  ExtrapolationState state;
  extrapolate_straight(truth, {{2, Surface::cylinder, 1500, 1700}, {6, Surface::disc, 3600, 4000}},
                       state);
  EXPECT_TRUE(state.OK(2, SubPos::ENT));
  EXPECT_NEAR(state.r(2, SubPos::MID), 1600, 1e-9);
  EXPECT_NEAR(state.z(2, SubPos::MID), 100 + 1600 * std::sinh(0.5), 1e-9);
  EXPECT_NEAR(state.phi(2, SubPos::EXT), 3.0, 1e-12);
  EXPECT_NEAR(state.z(6, SubPos::ENT), 3600, 1e-9);
  EXPECT_NEAR(state.r(6, SubPos::ENT), 3500 / std::sinh(0.5), 1e-9);
  EXPECT_EQ(state.calo_boundary().eta, state.eta(2, SubPos::ENT));
  EXPECT_NE(shower_eta(truth, state), truth.eta);  // the vertex is displaced

  truth.eta = -0.5;  // the other end-cap
  extrapolate_straight(truth, {{6, Surface::disc, 3600, 4000}}, state);
  EXPECT_NEAR(state.z(6, SubPos::ENT), -3600, 1e-9);
  truth.vertex.x = 1550;  // made inside the layer: it has no entrance
  extrapolate_straight(truth, {{2, Surface::cylinder, 1500, 1700}}, state);
  EXPECT_FALSE(state.OK(2, SubPos::ENT));
  EXPECT_TRUE(state.OK(2, SubPos::EXT));
  EXPECT_EQ(shower_eta(truth, state), truth.eta);
  truth.vertex = {1500.0000001, 0, 0};  // on its surface, where Geant4 hands particles over
  truth.phi = 0.1;
  extrapolate_straight(truth, {{2, Surface::cylinder, 1500, 1700}}, state);
  EXPECT_NEAR(state.phi(2, SubPos::ENT), 0.0, 1e-6);
}

TEST(ExtrapolationState, KnowsTheLayersOfAtlas) {
  for (const int layer : {0, 1, 2, 3, 12, 14, 20, 44}) {
    EXPECT_EQ(atlas_surface(layer), Surface::cylinder) << layer;
  }
  for (const int layer : {4, 7, 8, 11, 17}) EXPECT_EQ(atlas_surface(layer), Surface::disc) << layer;
  for (const int layer : {21, 23}) EXPECT_EQ(atlas_surface(layer), Surface::forward) << layer;
}

TEST(SimulationState, HasOtherRandomNumbersForEachAttempt) {
  ShowerKey key{7, 8, 9};
  EXPECT_EQ(key.attempt_seed(), 7U);
  key.attempt = 1;
  const std::uint64_t first = key.attempt_seed();
  key.attempt = 2;
  EXPECT_NE(first, 7U);
  EXPECT_NE(first, key.attempt_seed());
}

TEST(SimulationState, KeepsAReasonOfAnyLength) {
  SimulationState state;
  EXPECT_EQ(state.fail(ReturnCode::Fatal, std::string(1000, 'x').c_str()), ReturnCode::Fatal);
  EXPECT_EQ(std::string(state.reason()), std::string(255, 'x'));
  EXPECT_EQ(state.fail(ReturnCode::Retry, "why"), ReturnCode::Retry);
  EXPECT_STREQ(state.reason(), "why");
  EXPECT_EQ(state.counters().fatal, 1U);
  EXPECT_EQ(state.counters().retry, 1U);
}

TEST(ParticleCharge, FollowsFromThePdgNumber) {
  struct Case {
    int pdgid, thirds;
  };
  for (const Case& each :
       {Case{11, -3},    {13, -3},  {12, 0},    {22, 0},    {24, 3},    {211, 3},
        {111, 0},        {130, 0},  {310, 0},   {321, 3},   {411, 3},   {421, 0},
        {431, 3},        {511, 0},  {521, 3},   {541, 3},   {2212, 3},  {2112, 0},
        {3112, -3},      {3222, 3}, {3122, 0},  {3312, -3}, {3334, -3}, {4122, 3},
        {113, 0},        {213, 3},  {10211, 3}, {1114, -3}, {2224, 6},  {1000020040, 6},
        {1000010020, 3}, {2, 2},    {1, -1},    {21, 0},    {5122, 0},  {0, 0}}) {
    EXPECT_EQ(detail::charge_in_thirds(each.pdgid), each.thirds) << each.pdgid;
    EXPECT_EQ(detail::charge_in_thirds(-each.pdgid), -each.thirds) << -each.pdgid;
  }
  for (const int pdgid : {22, 11, 211, -13, 2212, 2112, -2112, 321}) {
    EXPECT_FALSE(detail::is_mirrored_in_phi(pdgid)) << pdgid;
  }
  for (const int pdgid : {-11, -211, 13, -2212, -321}) {
    EXPECT_TRUE(detail::is_mirrored_in_phi(pdgid)) << pdgid;
  }
}

}  // namespace
}  // namespace fastcaloq
