#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fastcaloq/random.hpp"

namespace fastcaloq {
namespace {

std::vector<float> draw(std::uint64_t seed, std::vector<std::uint64_t> event,
                        std::uint32_t particle, std::size_t n_latents,
                        LatentStream stream = LatentStream::energy) {
  const std::vector<std::uint32_t> particles(event.size(), particle);
  std::vector<float> z(event.size() * n_latents);
  latents({seed, event.data(), particles.data()}, event.size(), n_latents, stream, z.data());
  return z;
}

TEST(Latents, DependOnEveryPartOfTheKey) {
  const std::vector<float> base = draw(1, {2}, 3, 5);
  EXPECT_EQ(base, draw(1, {2}, 3, 5));
  EXPECT_NE(base, draw(2, {2}, 3, 5));
  EXPECT_NE(base, draw(1, {3}, 3, 5));
  EXPECT_NE(base, draw(1, {2}, 4, 5));
  EXPECT_NE(base, draw(1, {2}, 3, 5, LatentStream::shape));
  // The high halves of seed and event count too.
  EXPECT_NE(base, draw(1 + (std::uint64_t{1} << 32), {2}, 3, 5));
  EXPECT_NE(base, draw(1, {2 + (std::uint64_t{1} << 32)}, 3, 5));
}

TEST(Latents, DoNotDependOnTheBatchOrOnHowManyAreAsked) {
  const std::vector<float> batch = draw(7, {10, 11, 12, 13, 14}, 0, 6);
  for (std::uint64_t row = 0; row < 5; ++row) {
    const std::vector<float> one = draw(7, {10 + row}, 0, 3);
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(one[j], batch[row * 6 + j]);
  }
}

TEST(Latents, AreStandardNormal) {
  constexpr std::size_t n = 20000;
  std::vector<std::uint64_t> events(n);
  for (std::size_t i = 0; i < n; ++i) events[i] = i;
  const std::vector<float> z = draw(5, events, 0, 5);
  const auto size = static_cast<double>(z.size());
  double first = 0, second = 0, fourth = 0;
  for (const float value : z) {
    const double square = double{value} * value;
    first += value;
    second += square;
    fourth += square * square;
    ASSERT_LT(std::fabs(value), 6.8F);
  }
  // Five standard errors: variances of x, x^2 and x^4 are 1, 2 and 96.
  EXPECT_NEAR(first / size, 0.0, 5 * std::sqrt(1.0 / size));
  EXPECT_NEAR(second / size, 1.0, 5 * std::sqrt(2.0 / size));
  EXPECT_NEAR(fourth / size, 3.0, 5 * std::sqrt(96.0 / size));
}

TEST(InstructionSets, EndWithThePlainOne) {
  ASSERT_FALSE(instruction_sets().empty());
  EXPECT_EQ(instruction_sets().back(), "plain");
}

}  // namespace
}  // namespace fastcaloq
