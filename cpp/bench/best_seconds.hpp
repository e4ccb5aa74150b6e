// The best of several repeats: on a shared machine it is the figure that repeats.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

namespace fastcaloq::kernels {

inline double best_seconds(double budget, const std::function<void()>& run) {
  using clock = std::chrono::steady_clock;
  run();
  double best = 1e30;
  const auto start = clock::now();
  int repeats = 0;
  while (repeats < 5 || std::chrono::duration<double>(clock::now() - start).count() < budget) {
    const auto from = clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(clock::now() - from).count());
    ++repeats;
  }
  return best;
}

}  // namespace fastcaloq::kernels
