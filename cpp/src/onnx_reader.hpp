/// \file
/// The part of an ONNX file the native engine needs: metadata, initialisers, inputs and outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fastcaloq::detail {

/// Element types by ONNX's own numbers (TensorProto.DataType).
enum class ElementType : std::uint8_t { float32 = 1, int64 = 7, float64 = 11 };

/// An initialiser; `data` points into the file (little-endian raw_data) and is not aligned.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int32_t element_type = 0;
  std::string_view data;
  /// Product of dims, checked against overflow and against the size of `data`.
  std::size_t size = 0;
};

/// An input or output of the graph. A dynamic dimension is -1.
struct GraphValue {
  std::string name;
  std::int32_t element_type = 0;
  std::vector<std::int64_t> dims;
};

/// Views into the bytes given to read_onnx, which must outlive this.
struct OnnxFile {
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;
  std::map<std::string, std::string_view, std::less<>> metadata;
  std::map<std::string, Tensor, std::less<>> initializers;
  std::vector<GraphValue> inputs;
  std::vector<GraphValue> outputs;
};

/// Reads the wire format; throws ModelError for bytes that are not an ONNX model, for repeated names,
/// external data, and tensors whose size disagrees with their shape. Constants of the graph held in
/// other than raw form are kept without data: the engine never needs them.
OnnxFile read_onnx(std::string_view bytes);

/// Digest of a file: SHA-256 of `bytes` with the characters of `digest_field`, a view into `bytes`,
/// read as '0'. 64 lower-case hexadecimal characters.
std::string file_digest(std::string_view bytes, std::string_view digest_field);

}  // namespace fastcaloq::detail
