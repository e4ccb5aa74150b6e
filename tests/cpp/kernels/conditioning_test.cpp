// The condition and the interpolated features.
#include <gtest/gtest.h>

#include <cmath>

#include "every_set.hpp"
#include "random_flow.hpp"

namespace fastcaloq::kernels {
namespace {

class ConditioningTest : public EverySet {};

TEST_P(ConditioningTest, ConditionEqualsItsDefinition) {
  const ConditionView view = {10.397f, 4.852f, 0.225f, 0.025f};
  std::vector<float> energy, eta;
  for (int i = 0; i < 37; ++i) {
    energy.push_back(256.0f * std::exp2(static_cast<float>(i) * 14 / 36));
    eta.push_back((i % 2 == 0 ? 1.0f : -1.0f) * (0.2f + 0.05f * static_cast<float>(i) / 36));
  }
  std::vector<float> c(2 * energy.size()), log_energy(energy.size());
  table().condition(view, energy.data(), eta.data(), c.data(), log_energy.data(), energy.size());
  for (std::size_t i = 0; i < energy.size(); ++i) {
    EXPECT_NEAR(log_energy[i], std::log(static_cast<double>(energy[i])), 16 * 0x1p-23);
    EXPECT_NEAR(c[2 * i], (std::log(static_cast<double>(energy[i])) - 10.397) / 4.852, 1e-6);
    EXPECT_NEAR(c[2 * i + 1], (std::abs(static_cast<double>(eta[i])) - 0.225) / 0.025, 1e-5);
  }
  std::vector<float> without(c.size());
  table().condition(view, energy.data(), eta.data(), without.data(), nullptr, energy.size());
  EXPECT_EQ(without, c);
}

// A cubic is its own interpolant: exact at every place, outside the grid too.
TEST_P(ConditioningTest, TableReproducesCubics) {
  const double low = 5.0, high = 16.0, eta_low = 0.1, eta_high = 0.9;
  const std::size_t features = 6;
  for (const std::size_t n_eta : {std::size_t{1}, std::size_t{4}, std::size_t{9}}) {
    const auto value = [&](double l, double eta, std::size_t q) {
      const double u = (l - 10.5) / 5.5, v = n_eta == 1 ? 0 : (eta - 0.5) / 0.4;
      const double k = static_cast<double>(q + 1) / 6;
      return (0.3 - 0.5 * u + k * u * u - 0.4 * u * u * u) * (1 + 0.2 * v - 0.3 * k * v * v * v);
    };
    const std::size_t n_energy = 33;
    std::vector<float> values;
    for (std::size_t i = 0; i < n_energy; ++i) {
      for (std::size_t j = 0; j < n_eta; ++j) {
        for (std::size_t q = 0; q < features; ++q) {
          const double steps = n_eta == 1 ? 1 : static_cast<double>(n_eta - 1);
          values.push_back(static_cast<float>(
              value(low + (high - low) * static_cast<double>(i) / 32,
                    eta_low + (eta_high - eta_low) * static_cast<double>(j) / steps, q)));
        }
      }
    }
    const PackedTable packed(values, n_energy, n_eta, features, low, high, eta_low, eta_high);
    std::vector<float> l, eta, got;
    for (int i = 0; i <= 500; ++i) {
      l.push_back(static_cast<float>(low - 0.3 + (high - low + 0.6) * i / 500));
      eta.push_back(
          static_cast<float>((i % 2 == 0 ? -1 : 1) * (eta_low + 0.8 * ((i * 7) % 501) / 500)));
    }
    got.resize(l.size() * features);
    table().table_features(packed.view(), l.data(), eta.data(), got.data(), l.size());
    for (std::size_t i = 0; i < l.size(); ++i) {
      for (std::size_t q = 0; q < features; ++q) {
        // Values of at most 2.5 stored and summed in float with weights of at most 2.3 together,
        // and the place in the grid, up to 33 steps, known to 33 * 2^-23 of a step.
        EXPECT_NEAR(got[i * features + q], value(l[i], std::abs(eta[i]), q), 5e-6);
      }
    }
  }
}

FASTCALOQ_ON_EVERY_SET(ConditioningTest);

}  // namespace
}  // namespace fastcaloq::kernels
