#include "sections.hpp"
#include "timing.hpp"

namespace fastcaloq::bench {
namespace {

Json microseconds(const std::vector<double>& seconds) {
  const auto us = [&seconds](double q) { return rounded(1e6 * quantile(seconds, q)); };
  return {{"best", us(0)},   {"p50", us(0.5)},    {"p90", us(0.9)},
          {"p99", us(0.99)}, {"p999", us(0.999)}, {"p99_over_p50", rounded(us(0.99) / us(0.5))}};
}

Json measure(Subject& subject, const Sampler& sampler, bool voxels, double seconds) {
  std::vector<Task> tasks{
      {"stream", [&] { subject.read_weights(voxels); }, voxels ? std::size_t{1} : 10},
      {"shower", [&] { subject.draw(sampler, 1, voxels); }}};
  // Single calls one after the other, as a simulation makes them; the floor once for every ten.
  for (int i = 0; i < 9; ++i) tasks.push_back(tasks[1]);
  take_turns(tasks, seconds);
  std::vector<double> wall, processor;
  for (std::size_t i = 1; i < tasks.size(); ++i) {
    wall.insert(wall.end(), tasks[i].wall.begin(), tasks[i].wall.end());
    processor.insert(processor.end(), tasks[i].processor.begin(), tasks[i].processor.end());
  }
  const std::vector<double>& stream = tasks.front().processor;
  std::vector<double> shower;  // median of the calls of a round
  for (std::size_t round = 0; round < stream.size(); ++round) {
    std::vector<double> calls;
    for (std::size_t i = 1; i < tasks.size(); ++i) calls.push_back(tasks[i].processor[round]);
    shower.push_back(median(std::move(calls)));
  }
  return {{"showers", wall.size()},
          {"weight_bytes", subject.weight_bytes(voxels)},
          {"stream_us", rounded(1e6 * median(stream))},
          {"wall_us", microseconds(wall)},
          {"processor_us", microseconds(processor)},
          {"over_stream", rounded(ratio(shower, stream))}};
}

}  // namespace

Json measure_latency(Subject& subject, double seconds) {
  const Sampler sampler(subject.model, subject.options(1));
  Json report;
  if (subject.model->n_voxels() > 0) {
    report["whole_shower"] = measure(subject, sampler, true, 0.7 * seconds);
  }
  report["layer_energies"] = measure(subject, sampler, false, 0.3 * seconds);
  return report;
}

}  // namespace fastcaloq::bench
