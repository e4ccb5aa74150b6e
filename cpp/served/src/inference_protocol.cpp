#include "inference_protocol.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

using Json = nlohmann::json;

constexpr const char* update =
    ", so its features cannot be used: check what runs there, and at which version";

[[noreturn]] void refuse(const std::string& what) {
  throw ServiceError(what + update);
}

/// The member `key` of an object, or null.
const Json& member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

bool is_text(const Json& value, std::string_view text) {
  return value.is_string() && value.get_ref<const std::string&>() == text;
}

/// Bytes of a binary tensor; `none` for one whose numbers stand in the JSON.
constexpr std::size_t none = static_cast<std::size_t>(-1);
std::size_t binary_size(const Json& output) {
  const Json& size = member(member(output, "parameters"), "binary_data_size");
  return size.is_number_unsigned() ? size.get<std::size_t>() : none;
}

void check_shape(const Json& output, const Expected& expected) {
  if (!is_text(member(output, "datatype"), "FP32")) {
    refuse("answers with features of another type than FP32");
  }
  const Json& shape = member(output, "shape");
  const Json wanted = {expected.n_rows, expected.n_features};
  if (shape != wanted) {
    refuse("answers with features of shape " + in_quotes(shape.dump(), 40) + " where " +
           wanted.dump() + " belongs");
  }
}

void append_numbers(const Json& data, std::vector<float>& values, std::size_t most, int depth) {
  for (const Json& entry : data) {
    if (entry.is_array() && depth > 0) {
      append_numbers(entry, values, most, depth - 1);
    } else if (entry.is_number() && values.size() < most) {
      values.push_back(entry.get<float>());
    } else {
      refuse("answers with features that are no list of as many numbers as it says");
    }
  }
}

void check_finite(const std::vector<float>& values, std::size_t n_features) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      refuse("answers with a feature that is not a finite number (row " +
             std::to_string(i / n_features) + " of the request)");
    }
  }
}

}  // namespace

InferenceRequest encode_request(const float* incident_energy, const float* eta, std::size_t n) {
  const std::size_t n_bytes = n * sizeof(float);
  const auto input = [n, n_bytes](const char* name) {
    return Json{{"name", name},
                {"shape", {n, 1}},
                {"datatype", "FP32"},
                {"parameters", {{"binary_data_size", n_bytes}}}};
  };
  const Json json = {
      {"inputs", Json::array({input("incident_energy"), input("eta")})},
      {"outputs", Json::array({{{"name", "quantum"}, {"parameters", {{"binary_data", true}}}}})}};
  InferenceRequest request;
  request.body = json.dump();
  request.json_length = request.body.size();
  for (const float* values : {incident_energy, eta}) {
    request.body.append(reinterpret_cast<const char*>(values), n_bytes);
  }
  return request;
}

std::vector<float> decode_answer(const std::string& body, const std::string& header_length,
                                 const Expected& expected) {
  std::size_t json_length = body.size();
  if (!header_length.empty()) {
    json_length = header_length.size() < 10 ? std::stoul(header_length) : none;
    if (json_length > body.size()) refuse("answers with less than it says it does");
  }
  const std::string_view text(body.data(), json_length);
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) refuse("does not answer in JSON");
  const Json& version = member(json, "model_version");
  if (!is_text(version, expected.version)) {
    refuse("answers with version " +
           (version.is_string() ? in_quotes(version.get_ref<const std::string&>()) : "(none)") +
           " of its conditioner where the model was made with " + in_quotes(expected.version));
  }
  std::size_t place = json_length;  // of the next binary tensor
  for (const Json& output : member(json, "outputs")) {
    const std::size_t n_bytes = binary_size(output);
    if (!is_text(member(output, "name"), "quantum")) {
      if (n_bytes != none) place += std::min(n_bytes, body.size());
      continue;
    }
    check_shape(output, expected);
    std::vector<float> values;
    const std::size_t n_values = expected.n_rows * expected.n_features;
    if (n_bytes == none) {
      append_numbers(member(output, "data"), values, n_values, 1);
    } else if (place <= body.size() && n_bytes <= body.size() - place &&
               n_bytes == n_values * sizeof(float)) {
      values.resize(n_values);
      std::memcpy(values.data(), body.data() + place, n_bytes);
    }
    if (values.size() != n_values) refuse("answers with fewer or more features than it says");
    check_finite(values, expected.n_features);
    return values;
  }
  refuse("answers without the tensor 'quantum'");
}

std::string error_text(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  const Json& text = member(json, "error");
  return text.is_string() ? in_quotes(text.get_ref<const std::string&>(), 160) : "";
}

}  // namespace fastcaloq::detail
