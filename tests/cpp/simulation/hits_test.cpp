#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fake_source.hpp"
#include "simulation/hit_maker.hpp"

namespace fastcaloq {
namespace {

using detail::HitMaker;
using test::fake_card;
using test::Particle;

constexpr double pi = 3.14159265358979323846;

std::vector<Hit> draw(const HitMaker& maker, const std::vector<float>& voxels, const Particle& who,
                      const ShowerKey& key = {1, 2, 3}) {
  std::vector<Hit> hits;
  const float layers[] = {1.0F, 1.0F, 0.0F};
  EXPECT_EQ(maker.append_hits(layers, voxels.data(), who.truth, who.extrapolation, key, hits),
            HitMaker::everything_found);
  return hits;
}

std::vector<float> some_voxels() {
  std::vector<float> voxels(14);
  for (std::size_t v = 0; v < voxels.size(); ++v) {
    voxels[v] = v % 5 == 4 ? 0.0F : 3.0F * static_cast<float>(v + 1);
  }
  return voxels;
}

/// Moves the particle's layer `from` to another number, surface and place.
Particle moved(double eta, Surface surface, double place) {
  Particle particle(1000, eta);
  extrapolate_straight(particle.truth,
                       {{1, surface, place, place + 100}, {2, surface, place + 100, place + 400}},
                       particle.extrapolation);
  return particle;
}

struct Case {
  double eta;
  int pdgid;
  Surface surface;
  double place;  // mm
};

class EverySurface : public testing::TestWithParam<Case> {};

TEST_P(EverySurface, HitsLieInTheirVoxelsAndCarryTheirEnergy) {
  const Case& each = GetParam();
  Particle particle = moved(each.eta, each.surface, each.place);
  particle.truth.pdgid = each.pdgid;
  HitOptions options;
  options.surfaces = {{1, each.surface}, {2, each.surface}};
  const ModelCard card = fake_card();
  const HitMaker maker(card.binning, options);
  const std::vector<float> voxels = some_voxels();

  std::vector<double> found(voxels.size());
  for (const Hit& hit : draw(maker, voxels, particle)) {
    const ExtrapolationState& x = particle.extrapolation;
    const auto middle = [&](double entrance, double exit) { return 0.5 * (entrance + exit); };
    const double r_c = middle(x.r(hit.layer, SubPos::ENT), x.r(hit.layer, SubPos::EXT));
    const double z_c = middle(x.z(hit.layer, SubPos::ENT), x.z(hit.layer, SubPos::EXT));
    const double eta_c = std::asinh(z_c / r_c);
    // On the surface, and eta is that of the place.
    if (each.surface == Surface::cylinder) {
      EXPECT_NEAR(hit.r, r_c, 1e-3);
    } else {
      EXPECT_NEAR(hit.z, z_c, 1e-3);
    }
    EXPECT_NEAR(hit.eta, std::asinh(double{hit.z} / double{hit.r}), 2e-6);
    // Back to the voxel.
    double along = (double{hit.eta} - eta_c) * std::hypot(r_c, z_c) / std::cosh(eta_c);
    if (each.eta < 0) along = -along;
    if (each.surface == Surface::forward) along = double{hit.r} - r_c;
    double around = std::remainder(double{hit.phi} - particle.truth.phi, 2 * pi) * r_c;
    if (each.pdgid < 0) around = -around;
    const double r = std::hypot(along, around);
    const double turn = (std::atan2(around, along) + pi) / (2 * pi);
    // Angles near pi in float32 are worth 3e-7 of r_c and hypot(r_c, z_c).
    const double rounding = 1e-6 * std::hypot(r_c, z_c);
    const LayerCard& layer = card.binning.layers[hit.layer == 1 ? 0 : 1];
    bool inside = false;
    for (std::size_t a = 0; a < static_cast<std::size_t>(layer.n_alpha); ++a) {
      for (std::size_t ring = 0; ring < layer.n_rings(); ++ring) {
        const std::size_t v = (hit.layer == 1 ? 0 : 12) + a * layer.n_rings() + ring;
        const double slack = rounding / std::max(r, rounding) / (2 * pi);
        const double low = static_cast<double>(a) / layer.n_alpha;
        const double high = static_cast<double>(a + 1) / layer.n_alpha;
        if (inside || r < layer.r_edges[ring] + rounding ||
            r > layer.r_edges[ring + 1] - rounding || turn < low + slack || turn > high - slack) {
          continue;
        }
        inside = true;
        found[v] += double{hit.E};
      }
    }
    EXPECT_TRUE(inside || r < 20) << r;  // else on an edge, where rounding decides
  }
  // At most one hit of 4 MeV in a voxel sits on an edge; a voxel's hits add up to 1e-7 of it.
  for (std::size_t v = 0; v < voxels.size(); ++v) {
    EXPECT_LE(found[v], double{voxels[v]} * (1 + 2e-7)) << v;
    EXPECT_GE(found[v], double{voxels[v]} * (1 - 2e-7) - 7) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Hits, EverySurface,
    testing::Values(Case{0.3, 22, Surface::cylinder, 1500}, Case{-0.3, 22, Surface::cylinder, 1500},
                    Case{1.2, -211, Surface::cylinder, 1500}, Case{2.0, 211, Surface::disc, 3700},
                    Case{-2.0, -211, Surface::disc, 3700}, Case{4.0, 211, Surface::forward, 4700},
                    Case{-4.0, -211, Surface::forward, 4700}));

TEST(Hits, MirrorNegativeEtaAndTheOtherCharge) {
  const HitMaker maker(fake_card().binning, {});
  const std::vector<float> voxels = some_voxels();
  const auto plus = draw(maker, voxels, Particle(1000, 0.5, 211));
  const auto back = draw(maker, voxels, Particle(1000, -0.5, 211));
  const auto minus = draw(maker, voxels, Particle(1000, 0.5, -211));
  ASSERT_EQ(plus.size(), back.size());
  ASSERT_EQ(plus.size(), minus.size());
  for (std::size_t i = 0; i < plus.size(); ++i) {
    EXPECT_FLOAT_EQ(plus[i].eta, -back[i].eta);
    EXPECT_FLOAT_EQ(plus[i].phi, back[i].phi);
    EXPECT_NEAR(plus[i].z, -back[i].z, 1e-3);
    EXPECT_EQ(plus[i].eta, minus[i].eta);
    EXPECT_NEAR(plus[i].phi - 1.0F, 1.0F - minus[i].phi, 1e-6);  // the particle's phi is 1
  }
}

TEST(Hits, AreAsManyAsTheEnergyAsksFor) {
  HitOptions options;
  options.max_hits_per_voxel = 7;
  std::vector<float> voxels(14, 0.0F);
  voxels[0] = 0.001F, voxels[1] = 7.9F, voxels[2] = 12.0F, voxels[3] = 1e9F;
  const auto hits = draw(HitMaker(fake_card().binning, options), voxels, Particle());
  EXPECT_EQ(hits.size(), 1U + 1U + 3U + 7U);
  double sum = 0.0;
  for (const Hit& hit : hits) sum += double{hit.E};
  EXPECT_NEAR(sum, 1e9 + 19.901, 1e2);
}

TEST(Hits, OfAVoxelDoNotDependOnTheOthers) {
  const HitMaker maker(fake_card().binning, {});
  std::vector<float> alone(14, 0.0F);
  alone[9] = some_voxels()[9] != 0.0F ? some_voxels()[9] : 1.0F;
  std::vector<float> all = some_voxels();
  all[9] = alone[9];
  const auto one = draw(maker, alone, Particle());
  const auto many = draw(maker, all, Particle());
  std::size_t n = 0;
  for (const Hit& hit : many) {
    for (const Hit& other : one) n += hit.eta == other.eta && hit.phi == other.phi ? 1U : 0U;
  }
  EXPECT_EQ(n, one.size());
  EXPECT_NE(one[0].eta, draw(maker, alone, Particle(), {1, 2, 4})[0].eta);
  EXPECT_NE(one[0].eta, draw(maker, alone, Particle(), {1, 2, 3, 1})[0].eta);
}

TEST(Hits, FillAVoxelAsAsked) {
  // Layer 2 from 10 to 40 mm, 100,000 hits: the mean is known to 8.7 mm / sqrt(1e5) = 0.03 mm.
  std::vector<float> voxels(14, 0.0F);
  voxels[13] = 4e5F;
  HitOptions options;
  options.max_hits_per_voxel = 100000;
  for (const bool area : {false, true}) {
    options.radial_density = area ? RadialDensity::uniform_in_area : RadialDensity::uniform_in_r;
    const Particle particle(1000, 0.0);
    double mean = 0.0, right = 0.0;
    const auto hits = draw(HitMaker(fake_card().binning, options), voxels, particle);
    for (const Hit& hit : hits) {
      mean += std::hypot(hit.z, 1750 * (hit.phi - 1.0)) / static_cast<double>(hits.size());
      right += hit.phi > 1.0F ? 1.0 : 0.0;
    }
    // eta is linear in mm, z is sinh of it: at 40 mm of 1750 they differ by 1e-4.
    EXPECT_NEAR(mean, area ? 28.0 : 25.0, 0.15);
    EXPECT_NEAR(right / static_cast<double>(hits.size()), 0.5, 0.008);
  }
}

TEST(Hits, StayWithinTheCircleAndOnTheirDisc) {
  BinningCard wide{"wide", {{6, {0, 10000}, 1}}};
  HitOptions options;
  Particle particle;
  particle.truth = {211, 1000, 1.7, 3.1};
  extrapolate_straight(particle.truth, {{6, Surface::disc, 3700, 4100}}, particle.extrapolation);
  std::vector<Hit> hits;
  const float energy[] = {400.0F};
  HitMaker(wide, options)
      .append_hits(energy, energy, particle.truth, particle.extrapolation, {}, hits);
  ASSERT_EQ(hits.size(), 100U);
  for (const Hit& hit : hits) {
    EXPECT_LE(std::fabs(hit.phi), 3.1415928F);
    EXPECT_GT(hit.r, 0.0F);
    EXPECT_TRUE(std::isfinite(hit.r));
    EXPECT_GT(hit.eta, 0.0F);
  }
}

TEST(Hits, UseTheBestPositionThereIs) {
  const HitMaker maker(fake_card().binning, {});
  std::vector<float> voxels(14, 0.0F);
  const float layers[] = {0.0F, 0.0F, 5.0F};
  std::vector<Hit> hits;
  Particle particle;
  particle.extrapolation.clear();
  const auto add = [&] {
    return maker.append_hits(layers, voxels.data(), particle.truth, particle.extrapolation, {},
                             hits);
  };
  EXPECT_EQ(add(), 12);
  particle.extrapolation.set_calo_boundary(Position::from_cylindrical(1400, 1, 100));
  EXPECT_EQ(add(), HitMaker::everything_found);
  particle.extrapolation.set(12, SubPos::MID, Position::from_cylindrical(3000, 1, 100));
  EXPECT_EQ(add(), HitMaker::everything_found);
  particle.extrapolation.set(12, SubPos::ENT, Position::from_cylindrical(2000, 3.1, 100));
  particle.extrapolation.set(12, SubPos::EXT, Position::from_cylindrical(3000, -3.1, 100));
  EXPECT_EQ(add(), HitMaker::everything_found);
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_FLOAT_EQ(hits[0].r, 1400.0F);
  EXPECT_FLOAT_EQ(hits[1].r, 3000.0F);
  EXPECT_FLOAT_EQ(hits[2].r, 2500.0F);
  EXPECT_GT(std::fabs(hits[2].phi), 3.14F);  // not 0, half-way between 3.1 and -3.1
  EXPECT_EQ(hits[2].E, 5.0F);
}

TEST(Hits, RefuseOptionsThatMakeNoSense) {
  const auto refused = [](auto change) {
    HitOptions options;
    change(options);
    EXPECT_THROW(HitMaker(fake_card().binning, options), InputError);
  };
  refused([](HitOptions& o) { o.default_hit_energy = 0.0; });
  refused([](HitOptions& o) { o.default_hit_energy = std::nan(""); });
  refused([](HitOptions& o) { o.max_hits_per_voxel = 0; });
  refused([](HitOptions& o) { o.max_hits_per_voxel = 100000000; });
  refused([](HitOptions& o) { o.extrapolation_weight = 1.5; });
}

}  // namespace
}  // namespace fastcaloq
