// The whole shape flow: against its definition in double precision, and against itself in other
// batches and on other instruction sets.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "every_set.hpp"
#include "random_shape.hpp"
#include "shape_reference.hpp"

namespace fastcaloq::kernels {
namespace {

std::vector<ShapeSizes> binnings() {
  std::vector<ShapeSizes> all(7);
  all[0].layers = {{3, 2}, {0, 0}, {2, 1}, {4, 3}};
  all[1].layers = {{1, 4}, {4, 3}, {0, 0}, {1, 1}, {5, 1}};
  all[1].stride = 3;
  all[1].offset = 0;
  all[2].layers = {{1, 1}, {1, 1}};  // nothing to draw
  all[3].layers = {{6, 5}, {5, 4}};  // sizes that fill no vector
  all[3].n_features = 0;
  all[3].units = 3;
  all[3].context = 7;
  all[3].head = 5;
  all[3].bins = 2;
  all[3].offset = 1;
  all[4].layers = {{3, 3}, {2, 1}};  // sizes that fill several
  all[4].units = 21;
  all[4].context = 24;
  all[4].head = 70;
  all[4].bins = 12;
  all[5].layers = {{1, 2}};                   // one coordinate
  all[6].layers = {{2, 1}, {30, 9}, {1, 1}};  // groups wider than a vector
  all[6].stride = 2;
  all[6].units = 2;
  all[6].context = 4;
  all[6].head = 8;
  return all;
}

class ShapeKernelsTest : public EverySet {
 protected:
  static std::vector<float> sample(const KernelTable& kernel, const PackedShape& shape,
                                   const ShapeInputs& in, std::size_t first, std::size_t n) {
    const ShapeView& view = shape.view();
    std::vector<float> out(n * view.n_voxels + 1, -77.0f);
    Workspace workspace(shape.workspace_floats() + 1);
    workspace.data()[shape.workspace_floats()] = -77.0f;
    kernel.sample_shape(view, in.incident_energy.data() + first, in.condition.data() + 2 * first,
                        in.features.data() + view.n_features * first,
                        in.layer_energy.data() + view.n_layers * first,
                        in.latents.data() + view.n_coordinates * first, out.data(), n,
                        workspace.data());
    EXPECT_EQ(out.back(), -77.0f);  // nothing written beyond the last row
    EXPECT_EQ(workspace.data()[shape.workspace_floats()], -77.0f);  // nor beyond the scratch
    out.pop_back();
    return out;
  }
};

double at_quantile(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(quantile * static_cast<double>(values.size() - 1))];
}

// As for the energy flow: the kernels round differently from a plain float evaluation but not
// worse, and how large that error is, is a property of the random flow. Errors are relative to the
// layer's energy. No state (nothing, part, all) may differ: every latent is moved away from the
// thresholds by 1e-3 in u, thousands of roundings.
TEST_P(ShapeKernelsTest, EqualsItsDefinitionAsWellAsSinglePrecisionCan) {
  std::uint64_t seed = 500;
  for (const ShapeSizes& sizes : binnings()) {
    SCOPED_TRACE("binning " + std::to_string(seed - 500));
    RandomFlow random(++seed);
    const ShapeParameters parameters = random_shape(random, sizes);
    const PackedShape shape(parameters);
    const ShapeView& view = shape.view();
    ShapeInputs in(random, view, 60);
    std::vector<std::vector<double>> exact;
    for (std::size_t i = 0; i < in.n; ++i) {
      std::vector<float> nudged;
      float* z = in.latents.data() + i * view.n_coordinates;
      exact.push_back(reference::sample_shape<double>(
          parameters, in.incident_energy[i], in.condition.data() + 2 * i,
          in.features.data() + i * view.n_features, in.layer_energy.data() + i * view.n_layers, z,
          &nudged));
      std::copy(nudged.begin(), nudged.end(), z);
    }
    const std::vector<float> got = sample(table(), shape, in, 0, in.n);
    std::vector<double> ours, theirs;
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < in.n; ++i) {
      const std::vector<float> naive = reference::sample_shape<float>(
          parameters, in.incident_energy[i], in.condition.data() + 2 * i,
          in.features.data() + i * view.n_features, in.layer_energy.data() + i * view.n_layers,
          in.latents.data() + i * view.n_coordinates);
      std::size_t v = 0;
      for (std::size_t l = 0; l < sizes.layers.size(); ++l) {
        const double energy = in.layer_energy[i * view.n_layers + l];
        for (std::size_t k = 0; k < sizes.layers[l].n_rings * sizes.layers[l].n_alpha; ++k, ++v) {
          const float value = got[i * view.n_voxels + v];
          zeros += exact[i][v] == 0;
          if (exact[i][v] == 0) {
            ASSERT_EQ(value, 0.0f) << "shower " << i << ", voxel " << v;
          } else if (exact[i][v] > 1e-20 * energy) {
            ASSERT_GT(value, 0.0f) << "shower " << i << ", voxel " << v;
          }
          if (energy == 0) continue;
          ours.push_back(std::abs(value - exact[i][v]) / energy);
          theirs.push_back(std::abs(static_cast<double>(naive[v]) - exact[i][v]) / energy);
        }
      }
      ASSERT_EQ(v, view.n_voxels);
    }
    EXPECT_GT(zeros, 0u);
    for (const double quantile : {0.5, 0.9, 0.99}) {
      EXPECT_LE(at_quantile(ours, quantile), 3 * at_quantile(theirs, quantile) + 0x1p-22)
          << "quantile " << quantile;
    }
    EXPECT_LT(at_quantile(ours, 0.5), 1e-6);
    EXPECT_LT(at_quantile(ours, 1.0), 1e-2);
  }
}

// The larger part of every division is the rest of it, rounded once: 2^-24 of what is divided.
// A voxel is behind at most R - 1 + A - 1 divisions.
TEST_P(ShapeKernelsTest, VoxelsSumToTheLayerEnergy) {
  std::uint64_t seed = 600;
  for (const ShapeSizes& sizes : binnings()) {
    RandomFlow random(++seed);
    const PackedShape shape(random_shape(random, sizes));
    const ShapeView& view = shape.view();
    const ShapeInputs in(random, view, 200);
    const std::vector<float> got = sample(table(), shape, in, 0, in.n);
    for (std::size_t i = 0, v = 0; i < in.n; ++i) {
      for (std::size_t l = 0; l < sizes.layers.size(); ++l) {
        const ShapeLayer& layer = sizes.layers[l];
        double sum = 0;
        for (std::size_t k = 0; k < layer.n_rings * layer.n_alpha; ++k) {
          const float energy = got[v++];
          ASSERT_TRUE(energy >= 0 && !std::signbit(energy));
          sum += energy;
        }
        if (layer.n_rings == 0) continue;
        const double energy = in.layer_energy[i * view.n_layers + l];
        const auto depth = static_cast<double>(layer.n_rings + layer.n_alpha - 2);
        EXPECT_LE(std::abs(sum - energy), depth * 0x1p-24 * energy) << "layer " << l;
      }
    }
  }
}

TEST_P(ShapeKernelsTest, ShowerBitsDoNotDependOnTheBatch) {
  std::uint64_t seed = 700;
  for (const ShapeSizes& sizes : binnings()) {
    RandomFlow random(++seed);
    const PackedShape shape(random_shape(random, sizes));
    const std::size_t voxels = shape.view().n_voxels;
    const ShapeInputs in(random, shape.view(), kChunk + 45);
    const std::vector<float> all = sample(table(), shape, in, 0, in.n);
    for (const std::size_t batch :
         std::initializer_list<std::size_t>{1, 2, 3, 4, 7, 15, 16, 17, 33, 65, 95, 96, 97}) {
      for (std::size_t first = 0; first < in.n; first += batch) {
        const std::size_t n = std::min(batch, in.n - first);
        const std::vector<float> part = sample(table(), shape, in, first, n);
        ASSERT_EQ(std::memcmp(part.data(), all.data() + first * voxels, 4 * part.size()), 0)
            << "binning " << seed - 700 << ", batch " << batch << ", first " << first;
      }
    }
  }
}

TEST_P(ShapeKernelsTest, FusingInstructionSetsGiveTheSameBits) {
  if (GetParam() == InstructionSet::plain) GTEST_SKIP() << "rounds products separately";
  std::uint64_t seed = 800;
  for (const ShapeSizes& sizes : binnings()) {
    RandomFlow random(++seed);
    const PackedShape shape(random_shape(random, sizes));
    const ShapeInputs in(random, shape.view(), 120);
    const std::vector<float> here = sample(table(), shape, in, 0, in.n);
    const std::vector<float> avx2 = sample(kernels(InstructionSet::avx2), shape, in, 0, in.n);
    EXPECT_EQ(std::memcmp(here.data(), avx2.data(), 4 * here.size()), 0)
        << "binning " << seed - 800;
  }
}

// The largest latents that the generator can make, in every place: no NaN, no negative energy.
TEST_P(ShapeKernelsTest, ExtremeLatentsGiveEnergies) {
  for (const ShapeSizes& sizes : binnings()) {
    RandomFlow random(17);
    const PackedShape shape(random_shape(random, sizes));
    ShapeInputs in(random, shape.view(), 64);
    for (float& z : in.latents) z = random.uniform(0, 1) < 0.5 ? 6.8f : -6.8f;
    for (const float energy : sample(table(), shape, in, 0, in.n)) {
      EXPECT_TRUE(std::isfinite(energy) && energy >= 0);
    }
  }
}

TEST_P(ShapeKernelsTest, NaNStaysInItsShower) {
  RandomFlow random(29);
  const PackedShape shape(random_shape(random, binnings()[0]));
  const ShapeView& view = shape.view();
  ShapeInputs in(random, view, 40);
  for (float& energy : in.layer_energy) energy += 1;  // a NaN share of nothing would be seen late
  in.latents[21 * view.n_coordinates + 1] = std::nanf("");
  for (const std::size_t batch : {std::size_t{1}, std::size_t{40}}) {
    for (std::size_t first = 0; first < in.n; first += batch) {
      const std::vector<float> out = sample(table(), shape, in, first, batch);
      for (std::size_t i = 0; i < batch; ++i) {
        const auto row = out.begin() + static_cast<std::ptrdiff_t>(i * view.n_voxels);
        const bool nan = std::any_of(row, row + static_cast<std::ptrdiff_t>(view.n_voxels),
                                     [](float energy) { return std::isnan(energy); });
        EXPECT_EQ(nan, first + i == 21) << "shower " << first + i;
      }
    }
  }
}

FASTCALOQ_ON_EVERY_SET(ShapeKernelsTest);

}  // namespace
}  // namespace fastcaloq::kernels
