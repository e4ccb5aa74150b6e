/// \file
/// The initialisers of a model file, checked against what the card promises.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kernels/engine.hpp"
#include "onnx_reader.hpp"

namespace fastcaloq::detail {

/// Hands out weights by name. Everything is checked: presence, element type, shape, finite values.
/// All errors are ModelError and name the initialiser.
class Weights {
 public:
  explicit Weights(const OnnxFile& file) : file_(file) {}

  std::vector<float> floats(const std::string& name, const std::vector<std::size_t>& shape);
  /// A permutation of 0..n-1, stored as int64.
  std::vector<std::uint32_t> permutation(const std::string& name, std::size_t n);
  /// Dense layers "<prefix>.<i>.weight" and "<prefix>.<i>.bias" of the given widths, input first.
  std::vector<kernels::MlpLayer> layers(const std::string& prefix,
                                        const std::vector<std::size_t>& widths);

  /// Refuses initialisers under the model's own prefixes that nobody asked for: the card and the
  /// weights would not be of one model.
  void finish() const;

 private:
  const Tensor& find(const std::string& name, ElementType type,
                     const std::vector<std::size_t>& shape);

  const OnnxFile& file_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace fastcaloq::detail
