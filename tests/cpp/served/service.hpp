/// \file
/// A conditioning service for tests: the Open Inference Protocol with features that can be foretold.
#pragma once

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http_server.hpp"
#include "model_file.hpp"

namespace fastcaloq::test {

inline constexpr const char* version = "0123456789abcdef";

struct Asked {
  nlohmann::json json;
  std::vector<float> energy, eta;
};

inline Asked read_request(const HttpRequest& request) {
  const std::size_t length = std::stoul(request.headers.at("inference-header-content-length"));
  Asked asked;
  asked.json = nlohmann::json::parse(request.body.substr(0, length));
  const auto n = asked.json["inputs"][0]["shape"][0].get<std::size_t>();
  asked.energy.resize(n);
  asked.eta.resize(n);
  std::memcpy(asked.energy.data(), request.body.data() + length, 4 * n);
  std::memcpy(asked.eta.data(), request.body.data() + length + 4 * n, 4 * n);
  return asked;
}

/// Two features of each condition.
inline std::vector<float> features_of(const std::vector<float>& energy,
                                      const std::vector<float>& eta) {
  std::vector<float> values;
  for (std::size_t i = 0; i < energy.size(); ++i) {
    values.push_back(std::sin(energy[i] / 1000.0F));
    values.push_back(std::fabs(eta[i]));
  }
  return values;
}

inline nlohmann::json answer_json(std::size_t n_rows, std::size_t n_features = 2) {
  return {{"model_name", "test"},
          {"model_version", version},
          {"outputs",
           {{{"name", "quantum"},
             {"shape", {n_rows, n_features}},
             {"datatype", "FP32"},
             {"parameters", {{"binary_data_size", 4 * n_rows * n_features}}}}}}};
}

/// JSON and binary features as one answer.
inline HttpReply binary_reply(const nlohmann::json& json, const std::vector<float>& values) {
  HttpReply reply;
  reply.body = json.dump();
  reply.headers = {"Inference-Header-Content-Length: " + std::to_string(reply.body.size()),
                   "Content-Type: application/octet-stream"};
  reply.body.append(reinterpret_cast<const char*>(values.data()), 4 * values.size());
  return reply;
}

inline HttpReply good_reply(const HttpRequest& request) {
  const Asked asked = read_request(request);
  return binary_reply(answer_json(asked.energy.size()), features_of(asked.energy, asked.eta));
}

inline std::shared_ptr<const Model> served_model(Conditioning before = Conditioning::table) {
  ModelFile file = make_model(before);
  file.serve();
  return file.load();
}

}  // namespace fastcaloq::test
