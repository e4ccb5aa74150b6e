#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "card_parser.hpp"
#include "model_file.hpp"
#include "stored_conditioner.hpp"

namespace fastcaloq::detail {
namespace {

using test::Conditioning;
using test::ModelFile;

constexpr double unit = 6e-8;  // 2^-24, half the spacing of float32 at 1

struct Row {
  float energy, eta;
};

const std::vector<Row> rows{{256.0F, 0.0F},   {300.0F, -0.1F},   {1234.5F, 0.33F}, {9999.0F, 0.5F},
                            {65536.0F, 0.2F}, {131072.0F, 0.8F}, {128.0F, 0.0F},   {130.0F, 0.79F}};

/// Features of all rows by the engine, for one instruction set.
std::vector<float> run(const ModelFile& file, kernels::InstructionSet set) {
  const std::string bytes = file.build();
  const OnnxFile onnx = read_onnx(bytes);
  const ModelCard card = parse_card(file.card.dump());
  Weights weights(onnx);
  const auto conditioner = make_stored_conditioner(card.conditioning, "", weights);
  const std::size_t n = rows.size();
  std::vector<float> condition, log_energy, eta, features(n * 2);
  for (const Row& row : rows) {
    condition.push_back(
        static_cast<float>((std::log(double{row.energy}) - card.condition.log_energy_center) /
                           card.condition.log_energy_half_width));
    condition.push_back(static_cast<float>((std::fabs(double{row.eta}) - 0.25) / 0.25));
    log_energy.push_back(static_cast<float>(std::log(double{row.energy})));
    eta.push_back(row.eta);
  }
  kernels::Workspace scratch(conditioner->scratch_floats(n));
  conditioner->features(kernels::kernels(set), {n, condition.data(), log_energy.data(), eta.data()},
                        features.data(), scratch.data());
  return features;
}

using Reference =
    std::function<std::array<double, 2>(double log_energy, double eta, double c0, double c1)>;

void compare(const ModelFile& file, const Reference& reference, double tolerance) {
  for (const kernels::InstructionSet set : kernels::available_instruction_sets()) {
    const std::vector<float> features = run(file, set);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double l = std::log(double{rows[i].energy});
      const double eta = std::fabs(double{rows[i].eta});
      const double low = std::log(256.0), high = std::log(65536.0);
      const auto want =
          reference(l, eta, (l - (low + high) / 2) / ((high - low) / 2), (eta - 0.25) / 0.25);
      EXPECT_NEAR(features[2 * i], want[0], tolerance) << kernels::name(set) << " row " << i;
      EXPECT_NEAR(features[2 * i + 1], want[1], tolerance) << kernels::name(set) << " row " << i;
    }
  }
}

/// A cubic in both variables: the interpolation must be exact up to rounding.
std::array<double, 2> cubic(double l, double eta) {
  const double x = (l - 8.0) / 4.0;
  return {0.3 + x - 0.5 * x * x * x + eta * (1 + x) - eta * eta * eta,
          x * x * eta * eta - 0.2 * eta};
}

TEST(TableConditioner, IsExactForCubics) {
  ModelFile file = test::make_model(Conditioning::table);
  const double low = std::log(128.0), high = std::log(131072.0);
  std::vector<float> table;
  for (int i = 0; i < 12; ++i) {
    for (int j = 0; j < 5; ++j) {
      for (const double value : cubic(low + (high - low) * i / 11, 0.8 * j / 4)) {
        table.push_back(static_cast<float>(value));
      }
    }
  }
  file.add("conditioner.table", {12, 5, 2}, table);
  // float32 places of a row within a cell: log(E) near 10 over cells of 0.63 is off by 10 units / 0.63,
  // times the slope (up to 2 per cell), and 16 nodes of size up to 4 are summed with weights up to 2.
  compare(file, [](double l, double eta, double, double) { return cubic(l, eta); }, 200 * unit);
}

TEST(TableConditioner, IsExactForCubicsOfTheEnergyAlone) {
  ModelFile file = test::make_model(Conditioning::table);
  file.card["conditioning"]["table"]["n_eta"] = 1;
  const double low = std::log(128.0), high = std::log(131072.0);
  std::vector<float> table;
  for (int i = 0; i < 12; ++i) {
    for (const double value : cubic(low + (high - low) * i / 11, 0.0)) {
      table.push_back(static_cast<float>(value));
    }
  }
  file.add("conditioner.table", {12, 1, 2}, table);
  compare(file, [](double l, double, double, double) { return cubic(l, 0.0); }, 200 * unit);
}

/// The formula of the artefact in float64.
Reference quantum(const ModelFile& file, int n_uploads) {
  return [&file, n_uploads](double, double, double c0, double c1) -> std::array<double, 2> {
    const auto initial = file.values("quantum.initial_state");
    std::vector<double> state(initial.begin(), initial.end());
    const std::vector<double> monomials{c0, c1, c0 * c0, c0 * c1, c1 * c1};
    for (int u = 0; u < n_uploads; ++u) {
      const std::string name = "quantum." + std::to_string(u);
      const auto phases = file.values(name + ".phases");
      const auto matrix = file.values(name + ".matrix");
      std::vector<double> rotated(8), next(8, 0.0);
      for (std::size_t i = 0; i < 4; ++i) {
        double phi = 0;
        for (std::size_t m = 0; m < phases.size() / 4; ++m) phi += monomials[m] * phases[4 * m + i];
        rotated[i] = state[i] * std::cos(phi) + state[4 + i] * std::sin(phi);
        rotated[4 + i] = state[4 + i] * std::cos(phi) - state[i] * std::sin(phi);
      }
      for (std::size_t i = 0; i < 8; ++i) {
        for (std::size_t j = 0; j < 8; ++j) next[j] += rotated[i] * matrix[8 * i + j];
      }
      state = next;
    }
    const auto readout = file.values("quantum.readout");
    std::array<double, 2> features{0, 0};
    for (std::size_t i = 0; i < 4; ++i) {
      const double probability = state[i] * state[i] + state[4 + i] * state[4 + i];
      for (std::size_t q = 0; q < 2; ++q) features[q] += probability * readout[2 * i + q];
    }
    return features;
  };
}

// Conditions and angles up to about 10 carry 10 units; norms of the random matrices stay below 3, so
// squared amplitudes below 10 per upload: well under 1000 units.
TEST(QuantumConditioner, FollowsTheArtefactsFormula) {
  const ModelFile file = test::make_model(Conditioning::quantum);
  compare(file, quantum(file, 1), 1000 * unit);
}

TEST(QuantumConditioner, FollowsTheArtefactsFormulaWithReuploading) {
  const ModelFile file = test::make_model(Conditioning::quantum_reuploading);
  compare(file, quantum(file, 2), 10000 * unit);
}

TEST(ClassicalConditioner, IsATanhNetwork) {
  const ModelFile file = test::make_model(Conditioning::classical);
  const Reference reference = [&file](double, double, double c0,
                                      double c1) -> std::array<double, 2> {
    std::vector<double> x{c0, c1};
    for (int i = 0; i < 3; ++i) {
      const std::string name = "conditioner.subnet." + std::to_string(i);
      const auto weight = file.values(name + ".weight");
      const auto bias = file.values(name + ".bias");
      std::vector<double> y(bias.begin(), bias.end());
      for (std::size_t r = 0; r < x.size(); ++r) {
        for (std::size_t c = 0; c < y.size(); ++c) y[c] += x[r] * weight[r * y.size() + c];
      }
      for (double& value : y) value = std::tanh(value);
      x = y;
    }
    return {x[0], x[1]};
  };
  // Three layers of at most 7 terms of size about 3.
  compare(file, reference, 100 * unit);
}

TEST(Conditioner, IsAbsentWhereTheModelHasNone) {
  const ModelFile file = test::make_model(Conditioning::none);
  const std::string bytes = file.build();
  const OnnxFile onnx = read_onnx(bytes);
  Weights weights(onnx);
  EXPECT_EQ(make_stored_conditioner(parse_card(file.card.dump()).conditioning, "", weights),
            nullptr);
}

}  // namespace
}  // namespace fastcaloq::detail
