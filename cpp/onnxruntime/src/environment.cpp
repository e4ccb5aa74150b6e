#include "environment.hpp"

#include "fastcaloq/error.hpp"
#include "fastcaloq/onnxruntime_engine.hpp"

namespace fastcaloq {

std::string onnxruntime_version() {
  return OrtGetApiBase()->GetVersionString();
}

namespace detail {

Ort::Env& environment() {
  // Without this interface every call of the C++ headers would go through a null pointer.
  static const bool usable = OrtGetApiBase()->GetApi(ORT_API_VERSION) != nullptr;
  if (!usable) {
    throw EngineError("the ONNX Runtime library is version " + onnxruntime_version() +
                      ", older than the 1." + std::to_string(ORT_API_VERSION) +
                      " this program was built with, so it cannot be used: install a later one");
  }
  static auto* const held = new Ort::Env(ORT_LOGGING_LEVEL_ERROR, "fastcaloq");
  return *held;
}

}  // namespace detail
}  // namespace fastcaloq
