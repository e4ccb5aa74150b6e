// Dense layers, row by row.
#include <gtest/gtest.h>

#include <cmath>

#include "every_set.hpp"
#include "random_flow.hpp"
#include "reference.hpp"

namespace fastcaloq::kernels {
namespace {

class DenseTest : public EverySet {};

TEST_P(DenseTest, LinearEqualsItsDefinition) {
  RandomFlow random(11);
  for (const std::size_t n_in : std::initializer_list<std::size_t>{1, 2, 10, 64, 129}) {
    for (const std::size_t n_out : std::initializer_list<std::size_t>{1, 7, 16, 17, 64, 100}) {
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::silu, Activation::tanh}) {
        const MlpLayer layer = random.layer(n_in, n_out, 1.0);
        const PackedMlp mlp({layer}, activation, activation);
        ASSERT_EQ(mlp.size(), 1u);
        std::vector<float> x(3 * n_in), y(3 * n_out + 1, 77.0f);
        for (float& value : x) value = static_cast<float>(random.normal());
        table().linear(mlp.layers()[0], x.data(), y.data(), 3);
        EXPECT_EQ(y.back(), 77.0f);  // nothing written beyond the last row
        for (std::size_t row = 0; row < 3; ++row) {
          const std::vector<double> input(
              x.begin() + static_cast<std::ptrdiff_t>(row * n_in),
              x.begin() + static_cast<std::ptrdiff_t>((row + 1) * n_in));
          const std::vector<double> sums = reference::linear(layer, input);
          for (std::size_t o = 0; o < n_out; ++o) {
            // Each of n_in products and sums rounds once; activations add a few ulp and have
            // slopes of at most 1.1.
            double size = std::abs(static_cast<double>(layer.bias[o]));
            for (std::size_t k = 0; k < n_in; ++k) {
              size += std::abs(static_cast<double>(layer.weight[k * n_out + o]) * input[k]);
            }
            const double tolerance = 1.1 * (2 * static_cast<double>(n_in) + 8) * 0x1p-24 * size;
            EXPECT_NEAR(y[row * n_out + o], reference::activate(activation, sums[o]), tolerance);
          }
        }
      }
    }
  }
}

// The law of dense.hpp: a shower's bits do not depend on how many are computed with it.
TEST_P(DenseTest, ShowersSideBySideHaveTheSameBits) {
  RandomFlow random(12);
  for (const std::size_t n_out : std::initializer_list<std::size_t>{1, 5, 16, 17, 23, 64}) {
    const std::size_t n_in = 33;
    const PackedMlp mlp({random.layer(n_in, n_out, 1.0)}, Activation::silu, Activation::silu);
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 16, 40, kChunk}) {
      Workspace x(n_in * kChunk), y(n_out * kChunk);
      std::vector<float> row(n_in), alone(n_out);
      for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
      table().dense(mlp.layers()[0], x.data(), y.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n_in; ++k) row[k] = x.data()[k * kChunk + i];
        table().linear(mlp.layers()[0], row.data(), alone.data(), 1);
        for (std::size_t o = 0; o < n_out; ++o) ASSERT_EQ(y.data()[o * kChunk + i], alone[o]);
      }
    }
  }
}

FASTCALOQ_ON_EVERY_SET(DenseTest);

}  // namespace
}  // namespace fastcaloq::kernels
