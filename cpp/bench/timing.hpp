/// \file
/// Clocks, and tasks that take turns: whatever else the machine does then hits all of them alike, and
/// the ratio of two times in one round means something.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace fastcaloq::bench {

/// Seconds on the wall, and of processor time of this thread: on a machine that others use too, the
/// second is the one that repeats.
struct Seconds {
  double wall = 0;
  double processor = 0;
};

Seconds now();
Seconds operator-(const Seconds& a, const Seconds& b);

/// Quantile q in [0, 1] of at least one value.
double quantile(std::vector<double> values, double q);
inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

/// Something timed. A call that takes less than some 20 us is repeated within one round.
struct Task {
  std::string name;
  std::function<void()> call;
  std::size_t calls = 1;
  /// Per call, one for each round.
  std::vector<double> wall = {};
  std::vector<double> processor = {};
};

/// Lets the tasks take turns for `seconds`, at least three rounds after one that does not count.
void take_turns(std::vector<Task>& tasks, double seconds);

/// Median over the rounds of one time over another of the same round.
double ratio(const std::vector<double>& times, const std::vector<double>& over);

/// The number with four significant digits, all that a measurement is good for.
double rounded(double value);

}  // namespace fastcaloq::bench
