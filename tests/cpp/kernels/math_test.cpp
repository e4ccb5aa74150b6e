// The elementary functions stay within the errors that math.hpp states, on every instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "every_set.hpp"

namespace fastcaloq::kernels {
namespace {

using Exact = std::function<long double(long double)>;

struct Claim {
  MathFunction function;
  Exact exact;
  float low, high;
  double max_ulp;
};

class MathTest : public EverySet {
 protected:
  std::vector<float> evaluate(MathFunction function, const std::vector<float>& x) const {
    std::vector<float> y(x.size());
    table().evaluate(function, x.data(), y.data(), x.size());
    return y;
  }
  float evaluate(MathFunction function, float x) const {
    return evaluate(function, std::vector<float>{x})[0];
  }
};

// Distance in units of the spacing of floats at the exact value (normal range).
double ulps(float got, long double exact) {
  const auto nearest = static_cast<float>(std::abs(exact));
  const float normal = std::max(nearest, std::numeric_limits<float>::min());
  const long double spacing =
      std::nextafter(normal, std::numeric_limits<float>::infinity()) - normal;
  return static_cast<double>(std::abs(got - exact) / spacing);
}

// 200,000 points, even in value and even in the number of floats between (so tiny ones too).
std::vector<float> points(float low, float high) {
  std::vector<float> x;
  constexpr int n = 100000;
  for (int i = 0; i <= n; ++i) x.push_back(low + (high - low) * static_cast<float>(i) / n);
  const float largest = std::max(std::abs(low), std::abs(high));
  for (int i = 0; i <= n; ++i) {
    const float magnitude = largest * std::exp2(-40.0f * static_cast<float>(i) / n);
    for (const float signed_value : {magnitude, -magnitude}) {
      if (signed_value >= low && signed_value <= high) x.push_back(signed_value);
    }
  }
  return x;
}

TEST_P(MathTest, StaysWithinTheStatedError) {
  const long double pi = std::acos(-1.0L);
  const Claim claims[] = {
      {MathFunction::exp, [](long double x) { return std::exp(x); }, -87.3f, 88.3f, 1.1},
      {MathFunction::expm1, [](long double x) { return std::expm1(x); }, -87.3f, 88.3f, 2.0},
      {MathFunction::log, [](long double x) { return std::log(x); }, 1e-37f, 4.0f, 1.0},
      {MathFunction::log, [](long double x) { return std::log(x); }, 1.0f, 3e38f, 1.0},
      {MathFunction::softplus, [](long double x) { return std::log1p(std::exp(x)); }, -87.0f,
       200.0f, 3.0},
      {MathFunction::sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, -87.0f, 100.0f,
       3.0},
      {MathFunction::tanh, [](long double x) { return std::tanh(x); }, -40.0f, 40.0f, 3.0},
      {MathFunction::silu, [](long double x) { return x / (1 + std::exp(-x)); }, -87.0f, 100.0f,
       3.0},
  };
  for (const Claim& claim : claims) {
    const std::vector<float> x = points(claim.low, claim.high);
    const std::vector<float> y = evaluate(claim.function, x);
    double worst = 0;
    float where = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y[i], claim.exact(x[i]));
      if (!(error <= worst)) worst = error, where = x[i];
    }
    EXPECT_LE(worst, claim.max_ulp)
        << "function " << static_cast<int>(claim.function) << " at " << where;
  }
  // Turns are multiples of 2^-24 here: exact as float, and the words take them unchanged.
  std::vector<float> turns;
  for (int i = 0; i < 1 << 24; i += 61) turns.push_back(static_cast<float>(i) * 0x1p-24f);
  for (const MathFunction function : {MathFunction::sin_turns, MathFunction::cos_turns}) {
    const std::vector<float> y = evaluate(function, turns);
    double worst = 0;
    for (std::size_t i = 0; i < turns.size(); ++i) {
      // Reduced by hand: 2 pi x in long double would lose the digits next to the zeros.
      const long double eighths = 8 * static_cast<long double>(turns[i]);
      const int octant = static_cast<int>(std::floor((eighths + 1) / 2)) % 4;
      const long double rest = (turns[i] - std::floor((eighths + 1) / 2) / 4) * 2 * pi;
      const long double sine[] = {std::sin(rest), std::cos(rest), -std::sin(rest), -std::cos(rest)};
      const int shift = function == MathFunction::sin_turns ? 0 : 1;
      worst = std::max(worst, ulps(y[i], sine[(octant + shift) % 4]));
    }
    EXPECT_LE(worst, 2.0);
  }
}

TEST_P(MathTest, NormalCdfIsADistributionFunction) {
  const std::vector<float> x = points(-14.0f, 14.0f);
  const std::vector<float> y = evaluate(MathFunction::normal_cdf, x);
  double absolute = 0, relative = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = 0.5 * std::erfc(-static_cast<double>(x[i]) / std::sqrt(2.0));
    const double error = std::abs(y[i] - exact);
    EXPECT_TRUE(y[i] >= 0 && y[i] <= 1);
    absolute = std::max(absolute, error);
    if (x[i] >= -9 && x[i] <= 0) relative = std::max(relative, error / exact);
  }
  EXPECT_LE(absolute, 2.5e-7);
  EXPECT_LE(relative, 3e-6);
  std::vector<float> steps;
  for (int i = -9 * 4096; i <= 9 * 4096; ++i) steps.push_back(static_cast<float>(i) * 0x1p-12f);
  const std::vector<float> ascending = evaluate(MathFunction::normal_cdf, steps);
  EXPECT_TRUE(std::is_sorted(ascending.begin(), ascending.end()));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(evaluate(MathFunction::normal_cdf, -infinity), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::normal_cdf, infinity), 1.0f);
  EXPECT_TRUE(std::isnan(evaluate(MathFunction::normal_cdf, std::nanf(""))));
}

TEST_P(MathTest, EdgesAreThoseOfTheDocumentation) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(evaluate(MathFunction::exp, 0.0f), 1.0f);
  EXPECT_EQ(evaluate(MathFunction::exp, -infinity), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::exp, -1000.0f), 0.0f);
  EXPECT_TRUE(std::isfinite(evaluate(MathFunction::exp, 1000.0f)));
  EXPECT_EQ(evaluate(MathFunction::expm1, -infinity), -1.0f);
  EXPECT_EQ(evaluate(MathFunction::expm1, 0.0f), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::log, 1.0f), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::log, 0.0f), -infinity);
  EXPECT_TRUE(std::isnan(evaluate(MathFunction::log, -1.0f)));
  EXPECT_NEAR(evaluate(MathFunction::log, 1e-42f), std::log(1e-42f), 1e-5);
  EXPECT_EQ(evaluate(MathFunction::softplus, -infinity), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::sigmoid, -infinity), 0.0f);
  EXPECT_EQ(evaluate(MathFunction::sigmoid, infinity), 1.0f);
  EXPECT_EQ(evaluate(MathFunction::tanh, 50.0f), 1.0f);
  EXPECT_EQ(evaluate(MathFunction::tanh, -50.0f), -1.0f);
  EXPECT_EQ(evaluate(MathFunction::silu, 0.0f), 0.0f);
  for (const MathFunction function :
       {MathFunction::exp, MathFunction::expm1, MathFunction::log, MathFunction::softplus,
        MathFunction::sigmoid, MathFunction::tanh, MathFunction::silu}) {
    EXPECT_TRUE(std::isnan(evaluate(function, nan))) << static_cast<int>(function);
  }
}

FASTCALOQ_ON_EVERY_SET(MathTest);

}  // namespace
}  // namespace fastcaloq::kernels
