/// \file
/// A chain of dense layers on the vector kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/engine.hpp"

namespace fastcaloq::detail {

class DenseChain {
 public:
  /// `activation` follows every layer.
  DenseChain(const std::vector<kernels::MlpLayer>& layers, kernels::Activation activation)
      : mlp_(layers, activation, activation) {}

  /// y (n, out) from x (n, in), row-major; `scratch` holds scratch_floats(n) floats.
  void apply(const kernels::KernelTable& kernels, const float* x, float* y, std::size_t n,
             float* scratch) const {
    const float* input = x;
    for (std::size_t i = 0; i < mlp_.size(); ++i) {
      const bool last = i + 1 == mlp_.size();
      // Layers take turns between the two halves of the scratch.
      float* output = last ? y : scratch + (i % 2) * half(n);
      kernels.linear(mlp_.layers()[i], input, output, n);
      input = output;
    }
  }

  std::size_t scratch_floats(std::size_t n) const { return mlp_.size() > 1 ? 2 * half(n) : 0; }

 private:
  std::size_t half(std::size_t n) const { return n * mlp_.max_width(); }

  kernels::PackedMlp mlp_;
};

}  // namespace fastcaloq::detail
