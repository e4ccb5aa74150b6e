#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "parallel.hpp"

namespace fastcaloq::detail {
namespace {

TEST(RunParallel, RunsEveryJobOnce) {
  for (const std::size_t n : {1U, 2U, 7U}) {
    std::vector<std::atomic<int>> calls(n);
    run_parallel(n, [&calls](std::size_t i) { ++calls[i]; });
    for (const auto& each : calls) EXPECT_EQ(each, 1);
  }
}

TEST(AvailableProcessors, IsAtLeastOne) {
  EXPECT_GE(available_processors(), 1U);
}

}  // namespace
}  // namespace fastcaloq::detail
