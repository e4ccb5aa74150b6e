#include "timing.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace fastcaloq::bench {
namespace {

double read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

Seconds now() {
  return {read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_THREAD_CPUTIME_ID)};
}

Seconds operator-(const Seconds& a, const Seconds& b) {
  return {a.wall - b.wall, a.processor - b.processor};
}

double quantile(std::vector<double> values, double q) {
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::lround(q * last));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void take_turns(std::vector<Task>& tasks, double seconds) {
  for (Task& task : tasks) task.call();
  const double end = now().wall + seconds;
  for (int round = 0; round < 3 || now().wall < end; ++round) {
    for (Task& task : tasks) {
      const Seconds start = now();
      for (std::size_t i = 0; i < task.calls; ++i) task.call();
      const Seconds taken = now() - start;
      task.wall.push_back(taken.wall / static_cast<double>(task.calls));
      task.processor.push_back(taken.processor / static_cast<double>(task.calls));
    }
  }
}

double ratio(const std::vector<double>& times, const std::vector<double>& over) {
  std::vector<double> ratios(std::min(times.size(), over.size()));
  for (std::size_t i = 0; i < ratios.size(); ++i) ratios[i] = times[i] / over[i];
  return median(std::move(ratios));
}

double rounded(double value) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  const double unit = std::pow(10.0, std::floor(std::log10(std::fabs(value))) - 3);
  return unit < 1.0 ? std::round(value / unit) / std::round(1.0 / unit)
                    : std::round(value / unit) * unit;
}

}  // namespace fastcaloq::bench
