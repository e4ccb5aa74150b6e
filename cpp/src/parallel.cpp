#include "parallel.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace fastcaloq::detail {

unsigned available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  }
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

void run_parallel(std::size_t n, const std::function<void(std::size_t)>& job) {
  std::vector<std::thread> threads;
  threads.reserve(n);
  std::size_t started = 1;
  const auto start = [&]() noexcept {
    try {
      threads.emplace_back(job, started);
      return true;
    } catch (const std::exception&) {  // neither memory for it nor a thread to be had
      return false;
    }
  };
  while (started < n && start()) ++started;
  job(0);  // and what no thread does
  for (std::size_t i = started; i < n; ++i) job(i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace fastcaloq::detail
