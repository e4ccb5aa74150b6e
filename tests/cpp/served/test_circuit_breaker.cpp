#include <gtest/gtest.h>

#include "circuit_breaker.hpp"

namespace fastcaloq::detail {
namespace {

using std::chrono::milliseconds;

TEST(CircuitBreaker, OpensAfterFailuresInARowAndTriesOnceAfterThePause) {
  CircuitBreaker breaker(3, milliseconds(100));
  const auto start = CircuitBreaker::Clock::now();
  breaker.failed(start);
  breaker.failed(start);
  breaker.succeeded();  // not in a row
  breaker.failed(start);
  breaker.failed(start);
  EXPECT_TRUE(breaker.allow(start));
  breaker.failed(start);
  EXPECT_FALSE(breaker.allow(start));
  EXPECT_FALSE(breaker.allow(start + milliseconds(99)));
  EXPECT_TRUE(breaker.allow(start + milliseconds(100)));
  EXPECT_FALSE(breaker.allow(start + milliseconds(101)));  // another thread is trying
  breaker.failed(start + milliseconds(110));
  EXPECT_FALSE(breaker.allow(start + milliseconds(209)));
  EXPECT_TRUE(breaker.allow(start + milliseconds(210)));
  breaker.succeeded();
  EXPECT_TRUE(breaker.allow(start + milliseconds(211)));
}

}  // namespace
}  // namespace fastcaloq::detail
