#include <fstream>
#include <iterator>

#include "machine.hpp"
#include "onnx_reader.hpp"
#include "sections.hpp"
#include "timing.hpp"

namespace fastcaloq::bench {
namespace {

/// Bytes of the weights in a file.
std::size_t weights_in(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::size_t found = 0;
  for (const auto& [name, tensor] : detail::read_onnx(bytes).initializers) {
    if (name.find('.') != std::string::npos) found += tensor.data.size();  // not the graph's own
  }
  return found;
}

}  // namespace

std::shared_ptr<const Model> measure_memory(const std::string& path,
                                            const std::string& instruction_set, Json& report) {
  constexpr std::size_t batch = 256;
  const ResidentMemory before = resident_memory();
  const std::shared_ptr<const Model> model = Model::load(path);
  const ResidentMemory loaded = resident_memory();
  Json& memory = report["memory"];
  const auto added = [&before](const ResidentMemory& here) {
    return static_cast<double>(here.rss) - static_cast<double>(before.rss);
  };
  Json after;
  {
    // Room for the showers is the caller's; it is there before and after.
    Subject subject(model, instruction_set, batch);
    const ResidentMemory room = resident_memory();
    for (const unsigned threads : {1U, 2U}) {
      const Sampler sampler(model, subject.options(threads));
      for (int i = 0; i < 3; ++i) subject.draw(sampler, batch, model->n_voxels() > 0);
      const ResidentMemory drawn = resident_memory();
      after["drawing_with_" + std::to_string(threads) + "_threads_bytes"] =
          added(loaded) + static_cast<double>(drawn.rss) - static_cast<double>(room.rss);
    }
  }
  const std::size_t weights = weights_in(path);
  memory = {{"weights_in_file_bytes", weights},
            {"program_before_bytes", before.rss},
            {"model_bytes", added(loaded)},
            {"model_pss_bytes", static_cast<double>(loaded.pss) - static_cast<double>(before.pss)},
            {"peak_while_loading_bytes", loaded.peak - before.rss},
            {"model_over_weights", rounded(added(loaded) / static_cast<double>(weights))}};
  for (const auto& [name, bytes] : after.items()) {
    memory[name] = bytes;
    memory[name.substr(0, name.rfind('_')) + "_over_weights"] =
        rounded(bytes.get<double>() / static_cast<double>(weights));
  }
  return model;
}

Json measure_load(const std::string& path, double seconds) {
  std::vector<Task> tasks{{"load", [&path] { Model::load(path); }}};
  take_turns(tasks, seconds);
  return {{"loads", tasks[0].wall.size()},
          {"wall_ms", rounded(1e3 * median(tasks[0].wall))},
          {"best_ms", rounded(1e3 * quantile(tasks[0].wall, 0))}};
}

}  // namespace fastcaloq::bench
