#include <gtest/gtest.h>

#include <thread>

#include "condition_cache.hpp"

namespace fastcaloq::detail {
namespace {

TEST(ConditionCache, TellsConditionsApartToTheLastBitButNotTheSignOfEta) {
  EXPECT_EQ(condition_key(1000.0F, 0.5F), condition_key(1000.0F, -0.5F));
  EXPECT_EQ(condition_key(1000.0F, 0.0F), condition_key(1000.0F, -0.0F));
  EXPECT_NE(condition_key(1000.0F, 0.5F), condition_key(1000.0001F, 0.5F));
  EXPECT_NE(condition_key(1000.0F, 0.5F), condition_key(1000.0F, 0.50000006F));
}

TEST(ConditionCache, ForgetsWhatWasUnusedForLongest) {
  ConditionCache cache(3, 1);
  const float values[] = {1, 2, 3};
  cache.insert({1, 2, 3}, values);
  float found[2] = {0, 0};
  EXPECT_TRUE(cache.look_up({1}, found).empty());  // now 2 is the oldest
  const float four[] = {4};
  cache.insert({4}, four);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.look_up({2, 1}, found), std::vector<std::size_t>{0});
  EXPECT_EQ(found[1], 1.0F);
  EXPECT_TRUE(cache.look_up({3, 4}, found).empty());
  EXPECT_EQ(found[0], 3.0F);
  EXPECT_EQ(found[1], 4.0F);
}

TEST(ConditionCache, HoldsNoMoreThanItMay) {
  ConditionCache cache(100, 2);
  std::vector<std::uint64_t> keys(1000);
  const std::vector<float> values(2000, 1.0F);
  for (std::uint64_t round = 0; round < 5; ++round) {
    for (std::uint64_t i = 0; i < keys.size(); ++i) keys[i] = 1000 * round + i;
    cache.insert(keys, values.data());
    EXPECT_EQ(cache.size(), 100U);
  }
}

TEST(ConditionCache, IsUsedByManyThreads) {
  ConditionCache cache(50, 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const std::uint64_t key = (i * 7 + static_cast<std::uint64_t>(t)) % 80;
        const auto value = static_cast<float>(key);
        cache.insert({key}, &value);
        float found = value;
        cache.look_up({key}, &found);
        EXPECT_EQ(found, value);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.size(), 50U);
}

}  // namespace
}  // namespace fastcaloq::detail
