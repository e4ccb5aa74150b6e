/// \file
/// One ONNX graph in a session of ONNX Runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "environment.hpp"
#include "fastcaloq/onnxruntime_engine.hpp"

namespace fastcaloq::detail {

/// A float32 [N, width] that goes in or comes out.
struct GraphTensor {
  std::string name;
  std::size_t width = 0;
  /// How the user says another name, for messages; empty: the name is fixed.
  const char* setting = "";
  bool optional = false;  ///< the graph may do without
};

/// Immutable; shared by threads.
class Graph {
 public:
  /// \throws InputError options that make no sense
  /// \throws ModelError no file, no graph that can be run, or other inputs and outputs
  Graph(const std::string& path, const OnnxRuntimeOptions& options, std::vector<GraphTensor> inputs,
        std::vector<GraphTensor> outputs);

  /// Runs n rows. Tensors in the order given to the constructor; those the graph does without are
  /// not looked at.
  /// \throws EngineError ONNX Runtime fails
  void run(std::size_t n, const std::vector<const float*>& inputs,
           const std::vector<float*>& outputs) const;

  /// Whether the graph has the i-th input.
  bool has_input(std::size_t i) const noexcept { return has_input_[i]; }

 private:
  void check_inputs(const std::vector<GraphTensor>& wanted);
  void check_outputs(const std::vector<GraphTensor>& wanted);
  /// \throws Ort::Exception
  void run_rows(std::size_t first, std::size_t n, const std::vector<const float*>& inputs,
                const std::vector<float*>& outputs) const;
  /// Runs rows of ones, so that a graph that cannot be run is refused when it is loaded.
  void rehearse() const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string path_;
  std::vector<GraphTensor> inputs_, outputs_;
  std::vector<bool> has_input_;
  std::vector<const char*> input_names_, output_names_;  // of those that are there
  Ort::MemoryInfo memory_{nullptr};
  mutable Ort::Session session_{nullptr};  // its Run may be called by many threads at once
  bool one_by_one_ = false;                // N is 1 in the graph
};

}  // namespace fastcaloq::detail
