/// \file
/// Leaving a service alone that does not answer.
#pragma once

#include <chrono>
#include <mutex>

namespace fastcaloq::detail {

/// Closed: every attempt is made. After so many failures in a row it opens, and no attempt is made for
/// a pause; then one is, by one thread, and its outcome closes it or opens it again. For many threads.
class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;

  CircuitBreaker(unsigned failures_to_open, std::chrono::milliseconds pause)
      : failures_to_open_(failures_to_open), pause_(pause) {}

  /// Whether an attempt may be made now; whoever is told so reports how it went.
  bool allow(Clock::time_point now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failures_ < failures_to_open_) return true;
    if (now < open_until_) return false;
    open_until_ = now + pause_;  // the others wait for this attempt, and not for ever
    return true;
  }

  void succeeded() {
    const std::lock_guard<std::mutex> lock(mutex_);
    failures_ = 0;
  }

  void failed(Clock::time_point now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failures_ < failures_to_open_) ++failures_;
    if (failures_ == failures_to_open_) open_until_ = now + pause_;
  }

 private:
  unsigned failures_to_open_;
  std::chrono::milliseconds pause_;
  std::mutex mutex_;
  unsigned failures_ = 0;
  Clock::time_point open_until_;
};

}  // namespace fastcaloq::detail
