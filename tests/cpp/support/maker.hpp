/// \file
/// Seeded random weights for model files.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model_file.hpp"

namespace fastcaloq::test {

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  std::vector<float> normal(std::size_t n, double scale) {
    std::normal_distribution<double> distribution(0.0, scale);
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(distribution(random_));
    return values;
  }

  void dense(ModelFile& file, const std::string& prefix, const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const std::string name = prefix + "." + std::to_string(i);
      const auto n_in = static_cast<std::size_t>(widths[i]);
      const auto n_out = static_cast<std::size_t>(widths[i + 1]);
      file.add(name + ".weight", {widths[i], widths[i + 1]},
               normal(n_in * n_out, 1.0 / std::sqrt(static_cast<double>(n_in))));
      file.add(name + ".bias", {widths[i + 1]}, normal(n_out, 0.2));
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace fastcaloq::test
