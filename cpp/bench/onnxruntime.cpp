#include <algorithm>

#include "fastcaloq/onnxruntime_engine.hpp"
#include "sections.hpp"
#include "timing.hpp"

namespace fastcaloq::bench {

Json measure_onnxruntime(Subject& subject, const std::string& path, double seconds) {
  const bool voxels = subject.model->n_voxels() > 0;
  const Sampler native(subject.model, subject.options(1));
  SamplerOptions options = subject.options(1);
  options.engine = onnxruntime_engine(subject.model, path);
  const Sampler other(subject.model, options);
  Json report{{"version", onnxruntime_version()}, {"batches", Json::array()}};
  for (const std::size_t batch : {std::size_t{1}, std::min<std::size_t>(256, subject.most())}) {
    std::vector<Task> tasks{{"native", [&] { subject.draw(native, batch, voxels); }},
                            {"onnxruntime", [&] { subject.draw(other, batch, voxels); }}};
    take_turns(tasks, 0.5 * seconds);
    const auto us = [batch](const Task& task) {
      return rounded(1e6 * median(task.processor) / static_cast<double>(batch));
    };
    report["batches"].push_back(
        {{"batch", batch},
         {"native_us_per_shower", us(tasks[0])},
         {"onnxruntime_us_per_shower", us(tasks[1])},
         {"faster", rounded(ratio(tasks[1].processor, tasks[0].processor))}});
  }
  return report;
}

}  // namespace fastcaloq::bench
