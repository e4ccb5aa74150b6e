/// \file
/// An operator new that counts and, when told to, fails; CMake's fastcaloq_count_allocations() gives
/// it to a program, together with an aligned_alloc, of which the kernels ask their memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

namespace fastcaloq::test {

/// What the whole program did, whatever the thread.
struct Allocations {
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  std::atomic<std::size_t> made{0};      ///< since the program began, those that failed among them
  std::atomic<std::ptrdiff_t> alive{0};  ///< of operator new, not given back yet
  std::atomic<std::size_t> first_failure{never};
  std::atomic<std::size_t> last_failure{never};

  /// Counts one; whether it is to fail.
  bool next_fails() noexcept {
    const std::size_t number = made++;
    return number >= first_failure && number <= last_failure;
  }
};

inline Allocations allocations;

/// While it lives, allocation `k` from now on (0: the next) fails, and all after it if `for_good`.
class FailingAllocations {
 public:
  FailingAllocations(std::size_t k, bool for_good) : start_(allocations.made) {
    allocations.last_failure = for_good ? Allocations::never : start_ + k;
    allocations.first_failure = start_ + k;
  }
  ~FailingAllocations() { allocations.first_failure = Allocations::never; }
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  /// Whether one was asked for that had to fail.
  bool failed() const noexcept { return allocations.made > allocations.first_failure; }

 private:
  std::size_t start_;
};

}  // namespace fastcaloq::test
