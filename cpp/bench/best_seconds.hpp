// The best of several repeats, in seconds of processor time: on a shared machine these are the
// figures that repeat. For one thread only.
#pragma once

#include <algorithm>
#include <ctime>
#include <functional>

namespace fastcaloq::kernels {

inline double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Repeats for `budget` seconds, at least five times. A repeat should take 100 us or more: the clock
// ticks once in a microsecond.
inline double best_seconds(double budget, const std::function<void()>& run) {
  run();
  double best = 1e30;
  const double start = processor_seconds();
  int repeats = 0;
  while (repeats < 5 || processor_seconds() - start < budget) {
    const double from = processor_seconds();
    run();
    best = std::min(best, processor_seconds() - from);
    ++repeats;
  }
  return best;
}

}  // namespace fastcaloq::kernels
