/// \file
/// The process-wide part of ONNX Runtime.
#pragma once

#include <onnxruntime_cxx_api.h>

namespace fastcaloq::detail {

/// Never destroyed: whoever uses ONNX Runtime in this process may do so until its end.
/// \throws EngineError the library is older than the headers
Ort::Env& environment();

}  // namespace fastcaloq::detail
