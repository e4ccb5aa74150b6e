#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "fastcaloq/error.hpp"
#include "fastcaloq/served_conditioner.hpp"
#include "service.hpp"

namespace fastcaloq {
namespace {

using std::chrono::milliseconds;
using test::good_reply;
using test::HttpReply;
using test::HttpRequest;
using test::HttpServer;
using test::served_model;
using Clock = std::chrono::steady_clock;

const std::vector<float> energy{1000.0F, 2000.0F}, eta{0.1F, 0.2F};

std::vector<float> ask(const Conditioner& conditioner) {
  std::vector<float> out(4);
  conditioner.features(energy.data(), eta.data(), 2, out.data());
  return out;
}

/// Asks in vain and returns the one line that says why.
std::string refusal(const Conditioner& conditioner) {
  try {
    ask(conditioner);
  } catch (const ServiceError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

ServedOptions quick(const std::string& url) {
  ServedOptions options;
  options.url = url;
  options.timeout = milliseconds(500);
  options.backoff = milliseconds(1);
  options.retries = 1;
  options.token = "secret-token";
  return options;
}

/// Answers the first `n` requests badly and the others well.
test::HttpServer::Handler at_first(int n, HttpReply bad) {
  auto count = std::make_shared<std::atomic<int>>(0);
  return [n, count, bad = std::move(bad)](const HttpRequest& request) {
    return (*count)++ < n ? bad : good_reply(request);
  };
}

HttpReply with_status(int status) {
  HttpReply reply;
  reply.status = status;
  reply.body = R"({"error": "the queue is full"})";
  return reply;
}

struct Fault {
  const char* name;
  HttpReply reply;
};

std::vector<Fault> passing_faults() {
  HttpReply slow, closed, half;
  slow.delay_ms = 2000;
  closed.hang_up = true;
  half.raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"model";
  return {{"busy", with_status(503)},
          {"many", with_status(429)},
          {"slow", slow},
          {"closed", closed},
          {"half", half}};
}

class PassingFault : public testing::TestWithParam<Fault> {};

TEST_P(PassingFault, IsTriedAgain) {
  HttpServer server(at_first(1, GetParam().reply));
  const ServedConditioner conditioner(served_model(), quick(server.url()));
  EXPECT_EQ(ask(conditioner), test::features_of(energy, eta));
  EXPECT_EQ(conditioner.statistics().requests, 2U);
  EXPECT_EQ(conditioner.statistics().failures, 1U);
}

TEST_P(PassingFault, ThatStaysIsAnErrorOrMetByTheTable) {
  HttpServer server(at_first(1000, GetParam().reply));
  const auto model = served_model();
  ServedOptions options = quick(server.url());
  const std::string text = refusal(ServedConditioner(model, options));
  EXPECT_NE(text.find(server.url()), std::string::npos) << text;
  EXPECT_NE(text.find("is away"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  options.fallback = true;
  const ServedConditioner lenient(model, options);
  std::vector<float> own(4);
  own_conditioner(model)->features(energy.data(), eta.data(), 2, own.data());
  EXPECT_EQ(ask(lenient), own);
  EXPECT_EQ(lenient.statistics().conditions_fallback, 2U);
}

INSTANTIATE_TEST_SUITE_P(Served, PassingFault, testing::ValuesIn(passing_faults()),
                         [](const auto& each) { return std::string(each.param.name); });

struct Refusal {
  const char* name;
  HttpReply reply;
  const char* text;
};

std::vector<Refusal> lasting_faults() {
  HttpReply garbage, endless;
  garbage.body = "<html>hello</html>";
  endless.body = std::string(1 << 20, ' ');
  nlohmann::json other = test::answer_json(2);
  other["model_version"] = "fedcba9876543210";
  const std::vector<float> values(4, 0.5F), nan{0.1F, 0.2F, std::nanf(""), 0.4F};
  return {{"garbage", garbage, "JSON"},
          {"endless", endless, "longer"},
          {"version", test::binary_reply(other, values), "version"},
          {"features", test::binary_reply(test::answer_json(2, 3), std::vector<float>(6)), "[2,2]"},
          {"nan", test::binary_reply(test::answer_json(2), nan), "row 1"},
          {"token", with_status(401), "token"},
          {"name", with_status(404), "name"},
          {"request", with_status(400), "the queue is full"},
          {"redirect", with_status(302), "302"}};
}

class LastingFault : public testing::TestWithParam<Refusal> {};

TEST_P(LastingFault, IsAnErrorAtOnceEvenWithAFallback) {
  HttpServer server(at_first(1000, GetParam().reply));
  ServedOptions options = quick(server.url());
  options.fallback = true;
  const ServedConditioner conditioner(served_model(), options);
  const std::string text = refusal(conditioner);
  EXPECT_NE(text.find(GetParam().text), std::string::npos) << text;
  EXPECT_NE(text.find(server.url()), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(server.n_requests(), 1);
  EXPECT_EQ(conditioner.statistics().conditions_fallback, 0U);
}

INSTANTIATE_TEST_SUITE_P(Served, LastingFault, testing::ValuesIn(lasting_faults()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ServedFaults, ABadAnswerIsNotRemembered) {
  HttpServer server(at_first(1, with_status(400)));
  const ServedConditioner conditioner(served_model(), quick(server.url()));
  refusal(conditioner);
  EXPECT_EQ(ask(conditioner), test::features_of(energy, eta));
}

TEST(ServedFaults, NobodyThere) {
  HttpServer server(good_reply);
  const std::string url = server.url();
  server.stop();
  EXPECT_NE(refusal(ServedConditioner(served_model(), quick(url))).find("is away"),
            std::string::npos);
}

TEST(ServedFaults, AServiceThatStaysAwayIsLeftAlone) {
  HttpServer server(at_first(4, with_status(503)));
  ServedOptions options = quick(server.url());
  options.retries = 0;
  options.failures_to_pause = 4;
  options.pause = milliseconds(300);
  const ServedConditioner conditioner(served_model(), options);
  for (int i = 0; i < 4; ++i) refusal(conditioner);
  const auto start = Clock::now();
  for (int i = 0; i < 20; ++i) {
    const std::string text = refusal(conditioner);
    if (Clock::now() - start > milliseconds(200)) break;  // a machine busy with other things
    EXPECT_NE(text.find("left alone"), std::string::npos) << text;
    EXPECT_EQ(server.n_requests(), 4);
  }
  std::this_thread::sleep_for(milliseconds(350));
  EXPECT_EQ(ask(conditioner), test::features_of(energy, eta));
}

TEST(ServedFaults, AConnectionThatDiedBetweenCallsIsReplaced) {
  HttpServer server([](const HttpRequest& request) {
    // The whole answer, then the connection is closed without having been announced.
    HttpReply reply = good_reply(request);
    std::string raw = "HTTP/1.1 200 OK\r\n";
    for (const std::string& header : reply.headers) raw += header + "\r\n";
    reply.raw =
        raw + "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
    return reply;
  });
  ServedOptions options = quick(server.url());
  options.cache_entries = 0;
  const ServedConditioner conditioner(served_model(), options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(conditioner), test::features_of(energy, eta));
  EXPECT_EQ(server.n_connections(), 3);
}

}  // namespace
}  // namespace fastcaloq
