// fastcaloq-bench in the small: it runs, and its JSON holds what can be asserted on a busy machine.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace {

struct Outcome {
  int status;
  std::string text;  // standard output and standard error
};

Outcome run(const std::string& arguments) {
  const std::string command = std::string(BENCH) + " " + arguments + " 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  Outcome result{0, ""};
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    result.text.append(buffer, n);
  }
  result.status = pclose(pipe);
  return result;
}

TEST(Bench, MeasuresWholeShowers) {
  const Outcome bench = run(MODELS "/photon/model.onnx --seconds 0.5 --batch 1,100 --threads 1,2");
  ASSERT_EQ(bench.status, 0) << bench.text;
  const auto report = nlohmann::json::parse(bench.text);
  EXPECT_EQ(report.at("model").at("voxels"), 368);
  EXPECT_FALSE(report.at("machine").at("processor").get<std::string>().empty());
  for (const char* what : {"one_shower", "batch_one_thread", "simulate_with_hits"}) {
    EXPECT_EQ(report.at("allocations").at(what), 0) << what;
  }
  const auto& shower = report.at("latency").at("whole_shower");
  EXPECT_GT(shower.at("over_stream"), 0.5);
  EXPECT_GE(shower.at("wall_us").at("p99"), shower.at("wall_us").at("p50"));
  EXPECT_GT(report.at("simulate").at("whole_shower").at("hits"), 1000);
  const auto& throughput = report.at("throughput");
  EXPECT_EQ(throughput.at("batches").size(), 4u);
  for (const auto& batch : throughput.at("batches")) EXPECT_GT(batch.at("over_gemm"), 0.5);
  EXPECT_GT(throughput.at("batches")[3].at("speedup"), 0.1);
  for (const auto& product : throughput.at("sgemm")) EXPECT_GT(product.at("gflops"), 0.1);
  EXPECT_GT(report.at("load").at("wall_ms"), 0.0);
  const auto& memory = report.at("memory");
  EXPECT_GT(memory.at("model_over_weights"), 0.9);
  // Two threads need their working memory, and no second copy of the weights.
  EXPECT_LT(memory.at("drawing_with_2_threads_over_weights"), 1.8);
}

TEST(Bench, MeasuresLayerEnergiesAlone) {
  const Outcome bench =
      run(MODELS "/photon_energy/model.onnx --seconds 0.2 --batch 10 --threads 1");
  ASSERT_EQ(bench.status, 0) << bench.text;
  const auto report = nlohmann::json::parse(bench.text);
  EXPECT_EQ(report.at("model").at("voxels"), 0);
  EXPECT_FALSE(report.at("latency").contains("whole_shower"));
  EXPECT_GT(report.at("throughput").at("batches")[0].at("us_per_shower"), 0.0);
}

TEST(Bench, RefusesWhatMakesNoSense) {
  const auto refused = [](const std::string& arguments) {
    const Outcome bench = run(arguments);
    EXPECT_NE(bench.status, 0) << arguments;
    EXPECT_EQ(bench.text.rfind("error: ", 0), 0u) << bench.text;
    EXPECT_EQ(bench.text.find('\n'), bench.text.size() - 1) << bench.text;
  };
  refused("");
  refused("nowhere.onnx");
  refused(MODELS "/photon/model.onnx --batch 1,x");
  refused(MODELS "/photon/model.onnx --batch 0");
  refused(MODELS "/photon/model.onnx --seconds");
  refused(MODELS "/photon/model.onnx --speed 3");
  refused(MODELS "/photon/model.onnx --sgemm libnowhere.so");
  EXPECT_EQ(run("--help").status, 0);
}

}  // namespace
