#include <algorithm>
#include <map>

#include "sections.hpp"
#include "timing.hpp"

namespace fastcaloq::bench {
namespace {

struct Entry {
  std::size_t batch, threads, task;
};

Json describe(const Entry& entry, const std::vector<Task>& tasks, const std::vector<Entry>& entries,
              const std::vector<double>& best_product, double shower_operations) {
  const Task& task = tasks[entry.task];
  const auto n = static_cast<double>(entry.batch);
  // One thread is measured in its processor time, several can only be on the wall.
  const std::vector<double>& times = entry.threads == 1 ? task.processor : task.wall;
  std::vector<double> floor(best_product);
  for (double& seconds : floor) {
    seconds *= n * shower_operations / static_cast<double>(entry.threads);
  }
  Json report{{"batch", entry.batch},
              {"threads", entry.threads},
              {"us_per_shower", rounded(1e6 * median(times) / n)},
              {"showers_per_second", rounded(n / median(task.wall))},
              {"over_gemm", rounded(ratio(times, floor))}};
  for (const Entry& one : entries) {
    if (entry.threads > 1 && one.threads == 1 && one.batch == entry.batch) {
      report["speedup"] = rounded(ratio(tasks[one.task].wall, task.wall));
    }
  }
  return report;
}

}  // namespace

Json measure_throughput(Subject& subject, const std::vector<Product>& products,
                        const std::vector<std::size_t>& batches,
                        const std::vector<std::size_t>& threads, double seconds) {
  const bool voxels = subject.model->n_voxels() > 0;
  std::vector<Task> tasks;
  for (const Product& product : products) {
    tasks.push_back(
        {product.library, product.call, 1 + static_cast<std::size_t>(2e7 / product.operations)});
  }
  std::map<std::size_t, Sampler> samplers;
  std::vector<Entry> entries;
  for (const std::size_t n : threads) {
    Sampler& sampler =
        samplers.try_emplace(n, subject.model, subject.options(static_cast<unsigned>(n)))
            .first->second;
    for (const std::size_t batch : batches) {
      entries.push_back({batch, n, tasks.size()});
      const std::size_t calls = 1 + (voxels ? 32 : 512) / batch;
      tasks.push_back(
          {"draw", [&subject, &sampler, batch, voxels] { subject.draw(sampler, batch, voxels); },
           calls});
    }
  }
  take_turns(tasks, seconds);

  Json report;
  std::size_t best = 0;
  double highest = 0;
  for (std::size_t i = 0; i < products.size(); ++i) {
    const double rate = 1e-9 * products[i].operations / median(tasks[i].processor);
    report["sgemm"].push_back({{"library", products[i].library},
                               {"shape", products[i].shape},
                               {"gflops", rounded(rate)}});
    if (rate > highest) best = i;
    highest = std::max(highest, rate);
  }
  std::vector<double> best_product(tasks[best].processor);  // seconds per operation, round by round
  for (double& time : best_product) time /= products[best].operations;
  const double operations = 2.0 * static_cast<double>(subject.multiply_adds(voxels));
  report["multiply_adds"] = subject.multiply_adds(voxels);
  report["gemm_floor_us"] = rounded(1e6 * operations * median(best_product));
  for (const Entry& entry : entries) {
    report["batches"].push_back(describe(entry, tasks, entries, best_product, operations));
  }
  return report;
}

}  // namespace fastcaloq::bench
