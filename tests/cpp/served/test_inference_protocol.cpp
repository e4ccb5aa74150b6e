#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "fastcaloq/error.hpp"
#include "inference_protocol.hpp"
#include "service.hpp"

namespace fastcaloq::detail {
namespace {

using nlohmann::json;

const std::vector<float> values{0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
const Expected expected{test::version, 3, 2};

std::vector<float> decode(const test::HttpReply& reply) {
  std::string length;
  if (!reply.headers.empty()) length = reply.headers[0].substr(reply.headers[0].find(' ') + 1);
  return decode_answer(reply.body, length, expected);
}

TEST(InferenceProtocol, RequestIsJsonAndBinaryTensors) {
  const float energy[] = {1000.0F, 2000.0F};
  const float eta[] = {0.1F, 0.2F};
  const InferenceRequest request = encode_request(energy, eta, 2);
  test::HttpRequest http;
  http.body = request.body;
  http.headers["inference-header-content-length"] = std::to_string(request.json_length);
  const test::Asked asked = test::read_request(http);
  EXPECT_EQ(asked.energy, std::vector<float>(energy, energy + 2));
  EXPECT_EQ(asked.eta, std::vector<float>(eta, eta + 2));
  EXPECT_EQ(request.body.size(), request.json_length + 16);
  const json input = {{"name", "incident_energy"},
                      {"shape", {2, 1}},
                      {"datatype", "FP32"},
                      {"parameters", {{"binary_data_size", 8}}}};
  EXPECT_EQ(asked.json["inputs"][0], input);
  EXPECT_EQ(asked.json["inputs"][1]["name"], "eta");
  EXPECT_EQ(asked.json["outputs"][0],
            json({{"name", "quantum"}, {"parameters", {{"binary_data", true}}}}));
}

TEST(InferenceProtocol, ReadsBinaryAndPlainFeatures) {
  EXPECT_EQ(decode(test::binary_reply(test::answer_json(3), values)), values);
  // Another tensor in front of ours.
  json two = test::answer_json(3);
  const json first = {{"name", "extra"},
                      {"shape", {1}},
                      {"datatype", "FP32"},
                      {"parameters", {{"binary_data_size", 4}}}};
  two["outputs"].insert(two["outputs"].begin(), first);
  std::vector<float> with_extra{9.0F};
  with_extra.insert(with_extra.end(), values.begin(), values.end());
  EXPECT_EQ(decode(test::binary_reply(two, with_extra)), values);
  // Numbers in the JSON, flat and as rows.
  json plain = test::answer_json(3);
  plain["outputs"][0].erase("parameters");
  plain["outputs"][0]["data"] = values;
  test::HttpReply reply;
  reply.body = plain.dump();
  EXPECT_EQ(decode(reply), values);
  plain["outputs"][0]["data"] = {{0.1F, 0.2F}, {0.3F, 0.4F}, {0.5F, 0.6F}};
  reply.body = plain.dump();
  EXPECT_EQ(decode(reply), values);
}

struct Fault {
  const char* name;
  std::function<void(json&, std::vector<float>&)> make;
  const char* text;
};

class BadAnswer : public testing::TestWithParam<Fault> {};

TEST_P(BadAnswer, IsRefusedWithTheReason) {
  json answer = test::answer_json(3);
  std::vector<float> numbers = values;
  GetParam().make(answer, numbers);
  try {
    decode(test::binary_reply(answer, numbers));
    FAIL();
  } catch (const ServiceError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(GetParam().text), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

json& output(json& answer) {
  return answer["outputs"][0];
}

INSTANTIATE_TEST_SUITE_P(
    InferenceProtocol, BadAnswer,
    testing::Values(
        Fault{"version", [](json& a, auto&) { a["model_version"] = "fedcba9876543210"; },
              "fedcba9876543210"},
        Fault{"number", [](json& a, auto&) { a["model_version"] = 1; }, "version (none)"},
        Fault{"no_version", [](json& a, auto&) { a.erase("model_version"); }, "version (none)"},
        Fault{"more_features", [](json& a, auto&) { output(a)["shape"] = json::array({3, 3}); },
              "[3,2] belongs"},
        Fault{"fewer_rows", [](json& a, auto&) { output(a)["shape"] = json::array({2, 2}); },
              "[3,2] belongs"},
        Fault{"no_shape", [](json& a, auto&) { output(a).erase("shape"); }, "[3,2] belongs"},
        Fault{"type", [](json& a, auto&) { output(a)["datatype"] = "FP64"; }, "FP32"},
        Fault{"no_tensor", [](json& a, auto&) { output(a)["name"] = "features"; }, "'quantum'"},
        Fault{"no_outputs", [](json& a, auto&) { a.erase("outputs"); }, "'quantum'"},
        Fault{"outputs_text", [](json& a, auto&) { a["outputs"] = "none"; }, "'quantum'"},
        Fault{"not_a_number", [](json&, auto& v) { v[3] = std::nanf(""); }, "row 1"},
        Fault{"infinite", [](json&, auto& v) { v[5] = HUGE_VALF; }, "row 2"},
        Fault{"short", [](json&, auto& v) { v.pop_back(); }, "fewer or more"},
        Fault{"size", [](json& a, auto&) { output(a)["parameters"]["binary_data_size"] = 20; },
              "fewer or more"},
        Fault{"huge",
              [](json& a, auto&) {
                output(a)["parameters"]["binary_data_size"] =
                    std::numeric_limits<std::uint64_t>::max() - 1;
              },
              "fewer or more"},
        Fault{"plain_text",
              [](json& a, auto&) {
                output(a).erase("parameters");
                output(a)["data"] = {"a", "b", "c", "d", "e", "f"};
              },
              "list"},
        Fault{"plain_short",
              [](json& a, auto&) {
                output(a).erase("parameters");
                output(a)["data"] = {0.1, 0.2};
              },
              "fewer or more"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(InferenceProtocol, RefusesWhatIsNoAnswer) {
  for (const char* body : {"", "{", "[]", "null", "<html>Bad gateway</html>", "\xff\xfe"}) {
    EXPECT_THROW(decode_answer(body, "", expected), ServiceError) << body;
  }
  EXPECT_THROW(decode_answer("{}", "3", expected), ServiceError);
  EXPECT_THROW(decode_answer("{}", "99999999999999999999", expected), ServiceError);
  const std::string deep(100000, '[');
  EXPECT_THROW(decode_answer(deep, "", expected), ServiceError);
}

TEST(InferenceProtocol, QuotesAnErrorSafely) {
  EXPECT_EQ(error_text(R"({"error": "no such model"})"), "'no such model'");
  EXPECT_EQ(error_text(R"({"error": "a\nb"})"), "'a?b'");
  EXPECT_EQ(error_text("<html>"), "");
  EXPECT_EQ(error_text(R"({"error": 5})"), "");
}

}  // namespace
}  // namespace fastcaloq::detail
