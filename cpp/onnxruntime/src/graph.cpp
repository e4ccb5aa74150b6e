#include "graph.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

/// What a graph says of one of its inputs or outputs.
struct Declared {
  std::string name;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<std::int64_t> dims;  // -1: dynamic
};

Declared declared(const char* name, const Ort::TypeInfo& info) {
  Declared found{name, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, {}};
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) return found;
  const auto tensor = info.GetTensorTypeAndShapeInfo();
  found.type = tensor.GetElementType();
  found.dims = tensor.GetShape();
  return found;
}

std::string describe(const Declared& tensor) {
  static constexpr std::array<const char*, 17> types = {
      "undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
      "int32",     "int64",   "text",      "bool",       "float16", "float64",
      "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  const auto type = static_cast<std::size_t>(tensor.type);
  std::string text = type == 0             ? "not a tensor"
                     : type < types.size() ? types[type]
                                           : "of type " + std::to_string(type);
  text += " [";
  for (std::size_t i = 0; i < tensor.dims.size(); ++i) {
    if (i > 0) text += ", ";
    text += tensor.dims[i] < 0 ? "N" : std::to_string(tensor.dims[i]);
  }
  return text + "]";
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + in_quotes(name);
  return text.empty() ? "none" : text;
}

/// One line of what ONNX Runtime says.
std::string reason(const Ort::Exception& error) {
  std::string text = error.what();
  text = text.substr(0, std::min<std::size_t>(text.find('\n'), 300));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

/// Whether the shape fits [N, width]; what the graph leaves open, the rehearsal decides.
bool fits(const Declared& tensor, std::size_t width, bool may_be_open) {
  if (tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return false;
  if (tensor.dims.empty()) return may_be_open;
  return tensor.dims.size() == 2 &&
         (tensor.dims[1] < 0 || tensor.dims[1] == static_cast<std::int64_t>(width));
}

}  // namespace

Graph::Graph(const std::string& path, const OnnxRuntimeOptions& options,
             std::vector<GraphTensor> inputs, std::vector<GraphTensor> outputs)
    : path_(path), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  constexpr std::size_t most_rows = 65536;
  constexpr unsigned most_threads = 1024;
  if (options.chunk_rows < 1 || options.chunk_rows > most_rows || options.threads > most_threads) {
    throw InputError("ONNX Runtime cannot be given " + std::to_string(options.chunk_rows) +
                     " showers at once and " + std::to_string(options.threads) +
                     " threads: use 1 to 65536 showers and at most 1024 threads");
  }
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) {
    refuse("no such file, so there is no graph to run: give the path of an .onnx file");
  }
  Ort::Env& env = environment();
  try {
    Ort::SessionOptions session;
    session.SetIntraOpNumThreads(static_cast<int>(options.threads));
    session.SetInterOpNumThreads(1);
    session.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);  // errors are thrown, not printed
    session_ = Ort::Session(env, std::filesystem::path(path).c_str(), session);
    memory_ = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    check_inputs(inputs_);
    check_outputs(outputs_);
    rehearse();
  } catch (const Ort::Exception& error) {
    refuse("ONNX Runtime " + onnxruntime_version() + " cannot run this graph (" + reason(error) +
           "): export it again, or use a later version of ONNX Runtime");
  }
}

void Graph::refuse(const std::string& what) const {
  throw ModelError(path_ + ": " + what);
}

void Graph::check_inputs(const std::vector<GraphTensor>& wanted) {
  Ort::AllocatorWithDefaultOptions allocator;
  std::vector<Declared> found;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < session_.GetInputCount(); ++i) {
    const auto name = session_.GetInputNameAllocated(i, allocator);
    found.push_back(declared(name.get(), session_.GetInputTypeInfo(i)));
    names.push_back(found.back().name);
  }
  for (const GraphTensor& tensor : wanted) {
    const auto own = std::find_if(found.begin(), found.end(),
                                  [&](const Declared& d) { return d.name == tensor.name; });
    has_input_.push_back(own != found.end());
    if (own == found.end()) {
      if (tensor.optional) continue;
      refuse("has no input " + in_quotes(tensor.name) + " (its inputs are " + list(names) + "): " +
             (tensor.setting[0] == '\0'
                  ? "export it with this name"
                  : std::string("say what it is called as ") + tensor.setting +
                        ", or leave that empty if the graph does without"));
    }
    const Declared need{tensor.name,
                        ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                        {-1, static_cast<std::int64_t>(tensor.width)}};
    if (!fits(*own, tensor.width, false)) {
      refuse("its input " + in_quotes(tensor.name) + " is " + describe(*own) + " where " +
             describe(need) + " belongs: export it for these layers and voxels, in float32");
    }
    if (own->dims[0] > 1) {
      refuse("its input " + in_quotes(tensor.name) + " is for exactly " +
             std::to_string(own->dims[0]) +
             " showers at a time: export it with a dynamic first dimension");
    }
    one_by_one_ = one_by_one_ || own->dims[0] == 1;
    input_names_.push_back(tensor.name.c_str());
    found.erase(own);
  }
  if (found.empty()) return;
  refuse("its input " + in_quotes(found.front().name) + ", " + describe(found.front()) +
         ", is not among those it can be given: make it a constant of the graph, or give its name "
         "to the input it stands for");
}

void Graph::check_outputs(const std::vector<GraphTensor>& wanted) {
  Ort::AllocatorWithDefaultOptions allocator;
  std::vector<Declared> found;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
    const auto name = session_.GetOutputNameAllocated(i, allocator);
    found.push_back(declared(name.get(), session_.GetOutputTypeInfo(i)));
    names.push_back(found.back().name);
  }
  for (const GraphTensor& tensor : wanted) {
    const auto own = std::find_if(found.begin(), found.end(),
                                  [&](const Declared& d) { return d.name == tensor.name; });
    if (own == found.end()) {
      refuse(
          "has no output " + in_quotes(tensor.name) + " (its outputs are " + list(names) + "): " +
          (tensor.setting[0] == '\0' ? "export it with this name"
                                     : std::string("say what it is called as ") + tensor.setting));
    }
    const Declared need{tensor.name,
                        ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                        {-1, static_cast<std::int64_t>(tensor.width)}};
    if (!fits(*own, tensor.width, true)) {
      refuse("its output " + in_quotes(tensor.name) + " is " + describe(*own) + " where " +
             describe(need) + " belongs: export it for these layers and voxels, in float32");
    }
    output_names_.push_back(tensor.name.c_str());
  }
}

void Graph::rehearse() const {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}}) {
    std::vector<std::vector<float>> storage;
    std::vector<const float*> inputs;
    std::vector<float*> outputs;
    for (const GraphTensor& tensor : inputs_) {
      storage.emplace_back(n * tensor.width, 1.0F);
      inputs.push_back(storage.back().data());
    }
    for (const GraphTensor& tensor : outputs_) {
      storage.emplace_back(n * tensor.width);
      outputs.push_back(storage.back().data());
    }
    for (std::size_t row = 0; row < (one_by_one_ ? n : 1); ++row) {
      run_rows(row, one_by_one_ ? 1 : n, inputs, outputs);
    }
  }
}

void Graph::run_rows(std::size_t first, std::size_t n, const std::vector<const float*>& inputs,
                     const std::vector<float*>& outputs) const {
  std::vector<Ort::Value> in, out;
  in.reserve(inputs.size());
  out.reserve(outputs.size());
  const auto view = [&](float* data, std::size_t width) {
    const std::array<std::int64_t, 2> shape = {static_cast<std::int64_t>(n),
                                               static_cast<std::int64_t>(width)};
    return Ort::Value::CreateTensor<float>(memory_, data + first * width, n * width, shape.data(),
                                           shape.size());
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // ONNX Runtime's views are of mutable memory; it reads inputs only.
    if (has_input_[i]) in.push_back(view(const_cast<float*>(inputs[i]), inputs_[i].width));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    out.push_back(view(outputs[i], outputs_[i].width));
  }
  session_.Run(Ort::RunOptions{nullptr}, input_names_.data(), in.data(), in.size(),
               output_names_.data(), out.data(), out.size());
}

void Graph::run(std::size_t n, const std::vector<const float*>& inputs,
                const std::vector<float*>& outputs) const {
  try {
    const std::size_t step = one_by_one_ ? 1 : n;
    for (std::size_t first = 0; first < n; first += step) run_rows(first, step, inputs, outputs);
  } catch (const Ort::Exception& error) {
    throw EngineError(path_ + ": ONNX Runtime failed (" + reason(error) +
                      "), so there are no showers: ask for fewer at once if memory is short, and "
                      "report it otherwise");
  }
}

}  // namespace fastcaloq::detail
