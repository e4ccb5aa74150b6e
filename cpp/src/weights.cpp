#include "weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

template <typename Extent>
std::string shape_text(const std::vector<Extent>& shape) {
  std::string text = "[";
  for (const Extent extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

// Stored little-endian and unaligned.
template <typename T>
T load(const char* data, std::size_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

/// Without a way out of the loop, so that millions of weights are looked at several at a time.
bool all_finite(const std::vector<float>& values) {
  std::uint32_t largest = 0;
  for (const float value : values) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    largest = std::max(largest, bits & 0x7fffffffU);
  }
  return largest < 0x7f800000U;
}

[[noreturn]] void fail(const std::string& name, const std::string& reason) {
  throw ModelError("initialiser " + in_quotes(name) + " " + reason +
                   ", so card and weights are not of one model: export the model again");
}

}  // namespace

const Tensor& Weights::find(const std::string& name, ElementType type,
                            const std::vector<std::size_t>& shape) {
  const auto found = file_.initializers.find(name);
  if (found == file_.initializers.end()) fail(name, "is missing");
  asked_.insert(name);
  const Tensor& tensor = found->second;
  if (tensor.element_type != static_cast<std::int32_t>(type)) {
    fail(name, "has element type " + std::to_string(tensor.element_type) + " where " +
                   std::to_string(static_cast<int>(type)) + " belongs");
  }
  bool same = tensor.dims.size() == shape.size();
  for (std::size_t i = 0; same && i < shape.size(); ++i) {
    same = static_cast<std::size_t>(tensor.dims[i]) == shape[i];
  }
  if (!same) {
    fail(name,
         "has shape " + shape_text(tensor.dims) + " where the card asks for " + shape_text(shape));
  }
  const std::size_t width = type == ElementType::float32 ? 4 : 8;
  if (tensor.data.size() != tensor.size * width) fail(name, "holds no raw data");
  return tensor;
}

std::vector<float> Weights::floats(const std::string& name, const std::vector<std::size_t>& shape) {
  const Tensor& tensor = find(name, ElementType::float32, shape);
  std::vector<float> values(tensor.size);
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  if (all_finite(values)) return values;
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  fail(name, "holds a value that is not finite at " + std::to_string(bad - values.begin()));
}

std::vector<std::uint32_t> Weights::permutation(const std::string& name, std::size_t n) {
  const Tensor& tensor = find(name, ElementType::int64, {n});
  std::vector<std::uint32_t> values(n);
  std::vector<bool> seen(n, false);
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = load<std::int64_t>(tensor.data.data(), i);
    if (value < 0 || value >= static_cast<std::int64_t>(n) ||
        seen[static_cast<std::size_t>(value)]) {
      fail(name, "is not a permutation of its " + std::to_string(n) + " positions");
    }
    seen[static_cast<std::size_t>(value)] = true;
    values[i] = static_cast<std::uint32_t>(value);
  }
  return values;
}

std::vector<kernels::MlpLayer> Weights::layers(const std::string& prefix,
                                               const std::vector<std::size_t>& widths) {
  std::vector<kernels::MlpLayer> layers;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string name = prefix + "." + std::to_string(i);
    kernels::MlpLayer layer;
    layer.n_in = widths[i];
    layer.n_out = widths[i + 1];
    layer.weight = floats(name + ".weight", {layer.n_in, layer.n_out});
    layer.bias = floats(name + ".bias", {layer.n_out});
    layers.push_back(std::move(layer));
  }
  return layers;
}

void Weights::finish() const {
  for (const auto& [name, tensor] : file_.initializers) {
    const auto starts = [&name = name](const char* prefix) { return name.rfind(prefix, 0) == 0; };
    const bool ours =
        starts("energy.") || starts("shape.") || starts("conditioner.") || starts("quantum.");
    if (ours && asked_.count(name) == 0) fail(name, "is not asked for by the card");
  }
}

}  // namespace fastcaloq::detail
