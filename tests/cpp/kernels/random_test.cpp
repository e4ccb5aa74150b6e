// Philox against the generator's published vectors, latents against their definition.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "every_set.hpp"

namespace fastcaloq::kernels {
namespace {

class RandomTest : public EverySet {
 protected:
  std::vector<float> latents(std::uint64_t seed, const std::vector<std::uint64_t>& event,
                             const std::vector<std::uint32_t>& particle, std::size_t n_latents,
                             std::uint32_t stream = 0) const {
    std::vector<float> z(event.size() * n_latents);
    table().latents(seed, event.data(), particle.data(), event.size(), n_latents, stream, z.data());
    return z;
  }
};

// Known answers that the authors of Philox distribute with their library (philox4x32, 10 rounds).
TEST_P(RandomTest, PhiloxGivesThePublishedWords) {
  const std::uint32_t zeros[] = {0, 0, 0, 0};
  const std::uint32_t ones[] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
  const std::uint32_t pi[] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
  const std::uint32_t pi_key[] = {0xa4093822, 0x299f31d0};
  const std::vector<std::uint32_t> answers[] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                                {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                                {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  const std::uint32_t* counters[] = {zeros, ones, pi};
  const std::uint32_t* keys[] = {zeros, ones, pi_key};
  for (int i = 0; i < 3; ++i) {
    std::vector<std::uint32_t> words(4);
    table().philox(keys[i], counters[i], words.data(), 1);
    EXPECT_EQ(words, answers[i]);
  }
  // Every lane does the same.
  std::vector<std::uint32_t> many, words(4 * 37);
  for (int i = 0; i < 37; ++i) many.insert(many.end(), pi, pi + 4);
  table().philox(pi_key, many.data(), words.data(), 37);
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i], answers[2][i % 4]);
}

TEST_P(RandomTest, LatentsFollowTheCounterLayout) {
  const std::uint64_t seed = 0x0123456789abcdef;
  const std::vector<std::uint64_t> event = {0, 5, 0xfedcba9876543210};
  const std::vector<std::uint32_t> particle = {0, 7, 0xffffffff};
  for (const std::uint32_t stream : {0u, 1u, 255u}) {
    const std::size_t n_latents = 11;
    const std::vector<float> z = latents(seed, event, particle, n_latents, stream);
    const std::uint32_t key[] = {0x89abcdef, 0x01234567};
    for (std::size_t s = 0; s < event.size(); ++s) {
      for (std::size_t j = 0; j < n_latents; ++j) {
        const std::uint32_t counter[] = {stream << 24 | static_cast<std::uint32_t>(j / 4),
                                         particle[s], static_cast<std::uint32_t>(event[s]),
                                         static_cast<std::uint32_t>(event[s] >> 32)};
        std::uint32_t word[4];
        table().philox(key, counter, word, 1);
        const std::uint32_t* pair = word + (j % 4) / 2 * 2;
        const double u = (pair[0] + 0.5) * 0x1p-32;
        const double radius = std::sqrt(-2 * std::log(u));
        const double angle = 2 * std::acos(-1.0) * (pair[1] * 0x1p-32);
        const double expected = radius * (j % 2 == 0 ? std::cos(angle) : std::sin(angle));
        // u has 24 bits: relative 2^-24 in u is absolute 2^-24 in log u, and radius' = 1 / radius.
        const double tolerance = 0x1p-23 / std::max(radius, 0x1p-12) + radius * 0x1p-21;
        EXPECT_NEAR(z[s * n_latents + j], expected, tolerance) << "latent " << j;
      }
    }
  }
}

TEST_P(RandomTest, LatentsDoNotDependOnTheBatch) {
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
  for (std::uint32_t i = 0; i < 53; ++i) {
    event.push_back(1000 + i / 3);
    particle.push_back(i % 3);
  }
  for (const std::size_t n_latents : std::initializer_list<std::size_t>{1, 3, 4, 5, 45}) {
    const std::vector<float> all = latents(42, event, particle, n_latents);
    for (std::size_t i = 0; i < event.size(); ++i) {
      const std::vector<float> one = latents(42, {event[i]}, {particle[i]}, n_latents);
      EXPECT_EQ(std::memcmp(one.data(), all.data() + i * n_latents, n_latents * sizeof(float)), 0);
    }
  }
}

TEST_P(RandomTest, LatentsHaveTheSameBitsOnEveryInstructionSet) {
  std::vector<std::uint64_t> event(20000);
  const std::vector<std::uint32_t> particle(event.size(), 3);
  for (std::size_t i = 0; i < event.size(); ++i) event[i] = i;
  const std::vector<float> here = latents(9, event, particle, 5);
  std::vector<float> plain(here.size());
  kernels(InstructionSet::plain)
      .latents(9, event.data(), particle.data(), event.size(), 5, 0, plain.data());
  EXPECT_EQ(std::memcmp(here.data(), plain.data(), here.size() * sizeof(float)), 0);
}

TEST_P(RandomTest, LatentsAreStandardNormal) {
  std::vector<std::uint64_t> event(250000);
  const std::vector<std::uint32_t> particle(event.size(), 0);
  for (std::size_t i = 0; i < event.size(); ++i) event[i] = i;
  const std::vector<float> z = latents(1, event, particle, 4);
  const double n = static_cast<double>(z.size());
  double sums[4] = {};
  double beyond[5] = {};
  double product = 0, largest = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    double power = 1;
    for (double& sum : sums) sum += (power *= z[i]);
    for (int s = 1; s < 5; ++s) beyond[s] += std::abs(z[i]) > static_cast<float>(s);
    if (i % 2 == 0) product += z[i] * z[i + 1];  // the two normals of a pair
    largest = std::max(largest, std::abs(static_cast<double>(z[i])));
  }
  // Five standard deviations of each estimator: var(z^k) = 1, 2, 15, 96.
  const double expected[] = {0, 1, 0, 3};
  const double variance[] = {1, 2, 15, 96};
  for (int k = 0; k < 4; ++k) {
    EXPECT_NEAR(sums[k] / n, expected[k], 5 * std::sqrt(variance[k] / n)) << "moment " << k + 1;
  }
  EXPECT_NEAR(product / (n / 2), 0, 5 * std::sqrt(2 / n));
  for (int s = 1; s < 5; ++s) {
    const double p = std::erfc(s / std::sqrt(2.0));
    EXPECT_NEAR(beyond[s], n * p, 5 * std::sqrt(n * p)) << "beyond " << s << " sigma";
  }
  EXPECT_LT(largest, 6.8);
  EXPECT_GT(largest, 4.2);  // of 10^6 normals the largest is below 4.2 once in 10^11 tries
}

FASTCALOQ_ON_EVERY_SET(RandomTest);

}  // namespace
}  // namespace fastcaloq::kernels
