#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"
#include "model_file.hpp"

namespace fastcaloq {
namespace {

using test::Conditioning;
using test::make_model;
using test::make_shower_model;
using test::n_voxels;

constexpr std::size_t n_rows = 700;

struct Showers {
  std::vector<float> layers, voxels;

  bool operator==(const Showers& other) const {
    return layers == other.layers && voxels == other.voxels;
  }
};

struct Rows {
  Rows() : energy(n_rows), eta(n_rows), event(n_rows), particle(n_rows, 0) {
    std::iota(event.begin(), event.end(), 40U);
    for (std::size_t i = 0; i < n_rows; ++i) {
      // Runs of equal conditions and single ones.
      energy[i] = i % 5 < 3 ? 1000.0F : 256.0F + 60.0F * static_cast<float>(i);
      eta[i] = i % 5 < 3 ? 0.25F : (i % 2 == 0 ? -0.3F : 0.1F);
    }
  }

  Conditions conditions(std::size_t start, std::size_t n, const float* quantum = nullptr) const {
    return {n, energy.data() + start, eta.data() + start, quantum};
  }
  ShowerKeys keys(std::size_t start) const {
    return {7, event.data() + start, particle.data() + start};
  }

  std::vector<float> energy, eta;
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
};

Showers draw(const Sampler& sampler, std::size_t step = n_rows, const float* quantum = nullptr) {
  const Rows rows;
  const std::size_t width = sampler.model()->n_features();
  Showers out{std::vector<float>(n_rows * 3), std::vector<float>(n_rows * n_voxels)};
  for (std::size_t start = 0; start < n_rows; start += step) {
    const std::size_t n = std::min(step, n_rows - start);
    sampler.sample(
        rows.conditions(start, n, quantum == nullptr ? nullptr : quantum + width * start),
        rows.keys(start), OutOfRange::refuse, out.layers.data() + 3 * start,
        out.voxels.data() + n_voxels * start);
  }
  return out;
}

class EveryShowerSampler : public testing::TestWithParam<std::tuple<Conditioning, Conditioning>> {
 protected:
  test::ModelFile file() const {
    return make_shower_model(std::get<0>(GetParam()), std::get<1>(GetParam()));
  }
};

TEST_P(EveryShowerSampler, GivesTheSameBitsWhateverTheBatchAndTheThreads) {
  const auto model = file().load();
  for (const std::string& set : instruction_sets()) {
    const Sampler one(model, {1, set});
    const Showers whole = draw(one);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{96}}) {
      EXPECT_EQ(whole, draw(one, step)) << set << " in steps of " << step;
    }
    EXPECT_EQ(whole, draw(Sampler(model, {3, set}))) << set;
    EXPECT_EQ(whole, draw(Sampler(model, {3, set}), 50)) << set;
  }
}

TEST_P(EveryShowerSampler, GivesTheSameEnergiesWithoutVoxels) {
  const Sampler sampler(file().load());
  const Rows rows;
  std::vector<float> alone(n_rows * 3);
  sampler.sample(rows.conditions(0, n_rows), rows.keys(0), OutOfRange::refuse, alone.data());
  EXPECT_EQ(alone, draw(sampler).layers);
}

TEST_P(EveryShowerSampler, TakesItsOwnFeaturesFromOutside) {
  const test::ModelFile own = file();
  const auto model = own.load();
  const Showers want = draw(Sampler(model));
  const auto conditioner = own_conditioner(model);
  if (!conditioner) {
    EXPECT_EQ(model->n_features(), 0U);
    return;
  }
  EXPECT_EQ(conditioner->n_features(), model->n_features());
  const Rows rows;
  std::vector<float> features(n_rows * model->n_features());
  conditioner->features(rows.energy.data(), rows.eta.data(), n_rows, features.data());
  EXPECT_EQ(want, draw(Sampler(model), n_rows, features.data()));
  test::ModelFile served = own;
  served.serve();
  const Sampler other(served.load(), {2, "auto"});
  EXPECT_EQ(want, draw(other, n_rows, features.data()));
  EXPECT_EQ(want, draw(other, 13, features.data()));
  EXPECT_EQ(want, draw(Sampler(served.load(), {1, "auto", conditioner})));
}

INSTANTIATE_TEST_SUITE_P(Sampler, EveryShowerSampler,
                         testing::Values(std::tuple{Conditioning::none, Conditioning::none},
                                         std::tuple{Conditioning::table, Conditioning::table},
                                         std::tuple{Conditioning::none, Conditioning::classical},
                                         std::tuple{Conditioning::quantum, Conditioning::none},
                                         std::tuple{Conditioning::quantum,
                                                    Conditioning::quantum_reuploading}));

// Every voxel is a product of at most 28 factors sigmoid(t) with errors of a few rounding steps each,
// and sigmoid(t) + sigmoid(-t) differs from 1 by as many: 4e-6 is 34 steps.
TEST(ShowerSampler, VoxelsOfALayerAddUpToItsEnergy) {
  const Showers showers = draw(Sampler(make_shower_model().load()));
  for (std::size_t row = 0; row < n_rows; ++row) {
    const float* voxels = showers.voxels.data() + n_voxels * row;
    const double sums[] = {std::accumulate(voxels, voxels + 2, 0.0),
                           std::accumulate(voxels + 2, voxels + n_voxels, 0.0)};
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const double energy = showers.layers[3 * row + layer];
      EXPECT_LE(std::fabs(sums[layer] - energy), 4e-6 * energy) << row;
    }
  }
  const auto n_empty = std::count(showers.voxels.begin(), showers.voxels.end(), 0.0F);
  EXPECT_GT(n_empty, static_cast<std::ptrdiff_t>(n_rows));
  EXPECT_LT(n_empty, static_cast<std::ptrdiff_t>(n_rows * n_voxels));
}

TEST(ShowerSampler, GeneratesFromGivenLatentsWhatItSamples) {
  const Sampler sampler(make_shower_model().load());
  const Rows rows;
  std::vector<float> z(3 * n_rows), z_shape(n_voxels * n_rows);
  latents(rows.keys(0), n_rows, 3, LatentStream::energy, z.data());
  latents(rows.keys(0), n_rows, n_voxels, LatentStream::shape, z_shape.data());
  Showers out{std::vector<float>(n_rows * 3), std::vector<float>(n_rows * n_voxels)};
  sampler.generate(rows.conditions(0, n_rows), z.data(), z_shape.data(), OutOfRange::refuse,
                   out.layers.data(), out.voxels.data());
  EXPECT_EQ(out, draw(sampler));
  // The last latents of a row are for nothing: there are fewer fractions than voxels.
  for (std::size_t row = 0; row < n_rows; ++row) z_shape[n_voxels * (row + 1) - 1] = 6.0F;
  sampler.generate(rows.conditions(0, n_rows), z.data(), z_shape.data(), OutOfRange::refuse,
                   out.layers.data(), out.voxels.data());
  EXPECT_EQ(out, draw(sampler));
}

TEST(ShowerSampler, DrawsFiniteVoxelsFromEveryLatent) {
  const Sampler sampler(make_shower_model().load());
  Rows rows;
  for (const float extreme : {-1e30F, -38.0F, -6.0F, 0.0F, 6.0F, 38.0F, 1e30F}) {
    std::vector<float> z(3 * n_rows, 0.5F), z_shape(n_voxels * n_rows, extreme);
    Showers out{std::vector<float>(n_rows * 3), std::vector<float>(n_rows * n_voxels)};
    EXPECT_NO_THROW(sampler.generate(rows.conditions(0, n_rows), z.data(), z_shape.data(),
                                     OutOfRange::refuse, out.layers.data(), out.voxels.data()))
        << extreme;
  }
}

std::string reason(const Sampler& sampler, const float* z, const float* z_shape, float* layers,
                   float* voxels) {
  const Rows rows;
  try {
    sampler.generate(rows.conditions(0, n_rows), z, z_shape, OutOfRange::refuse, layers, voxels);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ShowerSampler, RefusesWhatItCannotUse) {
  const Sampler sampler(make_shower_model().load());
  std::vector<float> z(3 * n_rows, 0.5F), z_shape(n_voxels * n_rows, 0.5F);
  Showers out{std::vector<float>(n_rows * 3), std::vector<float>(n_rows * n_voxels)};
  float* layers = out.layers.data();
  float* voxels = out.voxels.data();
  EXPECT_EQ(reason(sampler, z.data(), z_shape.data(), layers, voxels), "");
  EXPECT_NE(reason(sampler, z.data(), nullptr, layers, voxels).find("z_shape"), std::string::npos);
  EXPECT_NE(reason(sampler, z.data(), z_shape.data(), layers, nullptr).find("voxel_energy"),
            std::string::npos);
  z_shape[n_voxels * 333 + 1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(reason(sampler, z.data(), z_shape.data(), layers, voxels).find("row 333"),
            std::string::npos);
}

TEST(ShowerSampler, SaysThatAnEnergyModelHasNoVoxels) {
  const Sampler sampler(make_model().load());
  const Rows rows;
  std::vector<float> layers(3 * n_rows), voxels(n_voxels * n_rows);
  EXPECT_THROW(sampler.sample(rows.conditions(0, n_rows), rows.keys(0), OutOfRange::refuse,
                              layers.data(), voxels.data()),
               InputError);
  EXPECT_NE(reason(sampler, layers.data(), voxels.data(), layers.data(), voxels.data())
                .find("layer energies alone"),
            std::string::npos);
}

// Beyond its parity vectors nothing protects a file from weights that overflow.
TEST(ShowerSampler, NamesTheRowWhoseVoxelsAreNotFinite) {
  test::ModelFile file = make_shower_model(Conditioning::none, Conditioning::none);
  // The first condition is log(E) in units of the range: shift the first ring by 1e38 times what
  // silu makes of it above all parity energies (1800 MeV).
  std::vector<float> bias = file.values("shape.condition1.bias");
  std::vector<float> weight = file.values("shape.condition1.weight");
  const std::size_t hidden = bias.size();
  for (std::size_t i = 0; i < weight.size(); i += hidden) weight[i] = 0.0F;
  weight[0] = 3.0e38F;
  bias[0] = 1.2e38F;
  file.add("shape.condition1.bias", {static_cast<std::int64_t>(hidden)}, bias);
  file.add("shape.condition1.weight", {8, static_cast<std::int64_t>(hidden)}, weight);
  file.fill_parity(2);
  const Sampler sampler(file.load());
  const Rows rows;
  std::vector<float> energy{300.0F, 600.0F, 60000.0F, 60000.0F}, eta(4, 0.1F);
  Showers out{std::vector<float>(12), std::vector<float>(4 * n_voxels)};
  try {
    sampler.sample({4, energy.data(), eta.data()}, rows.keys(0), OutOfRange::refuse,
                   out.layers.data(), out.voxels.data());
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("row 2"), std::string::npos) << error.what();
  }
  EXPECT_EQ(sampler.sample({4, energy.data(), eta.data()}, rows.keys(0), OutOfRange::refuse,
                           out.layers.data()),
            0U);
}

}  // namespace
}  // namespace fastcaloq
