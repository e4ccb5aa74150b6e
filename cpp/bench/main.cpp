// fastcaloq-bench: how fast a model is on this machine, as ratios to what the machine can do at most.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "fastcaloq/error.hpp"
#include "instruction_set.hpp"
#include "machine.hpp"
#include "options.hpp"
#include "sections.hpp"

namespace {

using namespace fastcaloq;
using namespace fastcaloq::bench;

Json describe(const Model& model) {
  return {{"name", model.card().name},         {"digest", model.digest()},
          {"particle", model.card().particle}, {"layers", model.n_layers()},
          {"voxels", model.n_voxels()},        {"features", model.n_features()}};
}

Json measure(const Options& options) {
  Json report;
  report["machine"] = machine_facts();
  const auto set = detail::find_instruction_set(options.instruction_set);
  report["instruction_set"] = kernels::name(set);
  const auto model = measure_memory(options.model, options.instruction_set, report);
  const std::vector<Product> floors = products(kernels::kernels(set), options.libraries);
  report["model"] = describe(*model);
  const std::size_t most = *std::max_element(options.batches.begin(), options.batches.end());
  Subject subject(model, options.instruction_set, most);
  report["allocations"] = count_allocations(subject);
  report["latency"] = measure_latency(subject, 0.15 * options.seconds);
  report["simulate"] = measure_simulate(subject, 0.15 * options.seconds);
  report["throughput"] =
      measure_throughput(subject, floors, options.batches, options.threads, 0.5 * options.seconds);
#if defined(FASTCALOQ_BENCH_ONNXRUNTIME)
  report["onnxruntime"] = measure_onnxruntime(subject, options.model, 0.1 * options.seconds);
#else
  report["onnxruntime"] = nullptr;  // not in this build
#endif
  report["load"] = measure_load(options.model, 0.1 * options.seconds);
  return report;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  if (options.help) {
    std::cout << usage;
    return 0;
  }
  const std::string text = measure(options).dump(2) + "\n";
  if (options.output.empty()) {
    std::cout << text;
    return 0;
  }
  std::ofstream file(options.output);
  file << text << std::flush;
  if (!file) {
    throw Error(options.output +
                ": cannot be written: check the folder, its permissions and the disk");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
