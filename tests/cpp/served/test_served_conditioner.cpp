#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>

#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"
#include "fastcaloq/served_conditioner.hpp"
#include "service.hpp"

namespace fastcaloq {
namespace {

using test::good_reply;
using test::HttpReply;
using test::HttpRequest;
using test::HttpServer;
using test::served_model;

ServedOptions options_for(const HttpServer& server) {
  ServedOptions options;
  options.url = server.url();
  options.backoff = std::chrono::milliseconds(1);
  return options;
}

std::vector<float> energies(std::size_t n) {
  std::vector<float> energy(n);
  for (std::size_t i = 0; i < n; ++i) energy[i] = 300.0F + 10.0F * static_cast<float>(i);
  return energy;
}

std::vector<float> ask(const Conditioner& conditioner, const std::vector<float>& energy,
                       const std::vector<float>& eta) {
  std::vector<float> out(2 * energy.size());
  conditioner.features(energy.data(), eta.data(), energy.size(), out.data());
  return out;
}

TEST(ServedConditioner, GivesTheServicesFeatures) {
  HttpServer server(good_reply);
  const ServedConditioner conditioner(served_model(), options_for(server));
  const std::vector<float> energy = energies(500);
  std::vector<float> eta(500, 0.25F);
  eta[7] = -0.125F;
  EXPECT_EQ(ask(conditioner, energy, eta), test::features_of(energy, eta));
  EXPECT_EQ(server.n_requests(), 1);
  EXPECT_EQ(conditioner.statistics().conditions_asked, 500U);
}

TEST(ServedConditioner, DrawsTheShowersOfItsFeatures) {
  HttpServer server(good_reply);
  const auto model = served_model(test::Conditioning::classical);
  const Sampler given(model);
  const Sampler asking(
      model, {2, "auto", std::make_shared<ServedConditioner>(model, options_for(server))});
  const std::vector<float> energy = energies(1000), eta(1000, 0.3F);
  const std::vector<float> quantum = test::features_of(energy, eta);
  std::vector<std::uint64_t> event(1000);
  std::iota(event.begin(), event.end(), 0U);
  const std::vector<std::uint32_t> particle(1000, 0);
  const ShowerKeys keys{3, event.data(), particle.data()};
  std::vector<float> one(3000), two(3000);
  given.sample({1000, energy.data(), eta.data(), quantum.data()}, keys, OutOfRange::refuse,
               one.data());
  asking.sample({1000, energy.data(), eta.data()}, keys, OutOfRange::refuse, two.data());
  EXPECT_EQ(one, two);
}

TEST(ServedConditioner, AsksForEqualConditionsOnceAndRemembersThem) {
  std::multiset<float> seen;
  HttpServer server([&seen](const HttpRequest& request) {
    for (const float energy : test::read_request(request).energy) seen.insert(energy);
    return good_reply(request);
  });
  const ServedConditioner conditioner(served_model(), options_for(server));
  std::vector<float> energy(3000), eta(3000);
  for (std::size_t i = 0; i < energy.size(); ++i) {
    energy[i] = 256.0F * static_cast<float>(1 + i % 15);
    eta[i] = i % 2 == 0 ? 0.2F : -0.2F;
  }
  const std::vector<float> want = test::features_of(energy, eta);
  for (int round = 0; round < 3; ++round) EXPECT_EQ(ask(conditioner, energy, eta), want);
  EXPECT_EQ(seen.size(), 15U);
  EXPECT_EQ(server.n_requests(), 1);
  EXPECT_EQ(conditioner.statistics().conditions_cached, 30U);
}

TEST(ServedConditioner, AsksAtOneEtaWhereTheModelDependsOnNone) {
  HttpServer server(good_reply);
  test::ModelFile file = test::make_model();
  file.serve();
  file.card["condition"]["eta_half_width"] = 1e30;
  file.card["validity"]["eta"] = {0.25, 0.5};
  file.fill_parity();
  const ServedConditioner conditioner(file.load(), options_for(server));
  const std::vector<float> energy(3, 512.0F), eta{0.25F, -0.375F, 0.5F};
  EXPECT_EQ(ask(conditioner, energy, eta), test::features_of(energy, std::vector<float>(3, 0.25F)));
  EXPECT_EQ(conditioner.statistics().conditions_asked, 1U);
}

TEST(ServedConditioner, KeepsItsMemoryWithinBounds) {
  HttpServer server(good_reply);
  ServedOptions options = options_for(server);
  options.cache_entries = 100;
  const ServedConditioner conditioner(served_model(), options);
  const std::vector<float> energy = energies(1000), eta(1000, 0.1F);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ask(conditioner, energy, eta), test::features_of(energy, eta));
  }
  // Of the second batch only what was asked for last in the first is known.
  EXPECT_EQ(conditioner.statistics().conditions_asked, 1900U);
  options.cache_entries = 0;
  const ServedConditioner forgetful(served_model(), options);
  for (int round = 0; round < 2; ++round) ask(forgetful, energy, eta);
  EXPECT_EQ(forgetful.statistics().conditions_asked, 2000U);
}

TEST(ServedConditioner, AsksForLargeBatchesInPartsOverOneConnection) {
  std::atomic<std::size_t> largest{0};
  HttpServer server([&largest](const HttpRequest& request) {
    largest = std::max<std::size_t>(largest, test::read_request(request).energy.size());
    return good_reply(request);
  });
  ServedOptions options = options_for(server);
  options.rows_per_request = 64;
  const ServedConditioner conditioner(served_model(), options);
  const std::vector<float> energy = energies(1000), eta(1000, 0.1F);
  EXPECT_EQ(ask(conditioner, energy, eta), test::features_of(energy, eta));
  EXPECT_EQ(largest, 64U);
  EXPECT_EQ(server.n_requests(), 16);
  EXPECT_EQ(server.n_connections(), 1);
}

TEST(ServedConditioner, SaysWhatTheProtocolAsksFor) {
  HttpRequest last;
  HttpServer server([&last](const HttpRequest& request) {
    last = request;
    return good_reply(request);
  });
  ServedOptions options = options_for(server);
  options.url += "/behind/a/gateway/";
  options.token = "secret-token";
  ask(ServedConditioner(served_model(), options), {1000.0F}, {0.1F});
  EXPECT_EQ(last.line, "POST /behind/a/gateway/v2/models/test/infer HTTP/1.1\r");
  EXPECT_EQ(last.headers["authorization"], "Bearer secret-token");
  EXPECT_EQ(last.headers["content-type"], "application/octet-stream");
  options.model_name = "circuit";
  ask(ServedConditioner(served_model(), options), {1000.0F}, {0.1F});
  EXPECT_NE(last.line.find("/models/circuit/infer"), std::string::npos) << last.line;
}

TEST(ServedConditioner, TakesTheVersionOfAServiceThatCountsItsOwnWay) {
  HttpServer server([](const HttpRequest& request) {
    const test::Asked asked = test::read_request(request);
    nlohmann::json json = test::answer_json(asked.energy.size());
    json["model_version"] = "1";
    return test::binary_reply(json, test::features_of(asked.energy, asked.eta));
  });
  ServedOptions options = options_for(server);
  EXPECT_THROW(ask(ServedConditioner(served_model(), options), {1000.0F}, {0.1F}), ServiceError);
  options.version = "1";
  EXPECT_NO_THROW(ask(ServedConditioner(served_model(), options), {1000.0F}, {0.1F}));
}

TEST(ServedConditioner, IsUsedByManyThreads) {
  HttpServer server(good_reply);
  ServedOptions options = options_for(server);
  options.cache_entries = 50;
  const ServedConditioner conditioner(served_model(), options);
  const std::vector<float> energy = energies(200), eta(200, 0.1F);
  const std::vector<float> want = test::features_of(energy, eta);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) EXPECT_EQ(ask(conditioner, energy, eta), want);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(server.n_connections(), 4);  // one each, kept open
}

TEST(ServedConditioner, RefusesBadOptions) {
  const auto model = served_model();
  const auto refused = [&model](auto change) {
    ServedOptions options;
    options.url = "http://localhost:8000";
    EXPECT_NO_THROW(ServedConditioner(model, options));
    change(options);
    EXPECT_THROW(ServedConditioner(model, options), InputError);
  };
  for (const char* url : {"", "localhost:8000", "ftp://host", "file:///etc/passwd", "http://",
                          "http://user:word@host", "http://host/?key=1", "http://a b"}) {
    refused([url](ServedOptions& options) { options.url = url; });
  }
  for (const char* token : {"two words", "line\r\nHost: other", "\xc3\xa9"}) {
    refused([token](ServedOptions& options) { options.token = token; });
  }
  refused([](ServedOptions& options) { options.model_name = "../other"; });
  refused([](ServedOptions& options) { options.rows_per_request = 0; });
  refused([](ServedOptions& options) { options.failures_to_pause = 0; });
  refused([](ServedOptions& options) { options.timeout = std::chrono::milliseconds(0); });
  ServedOptions options;
  options.url = "http://localhost:8000";
  EXPECT_THROW(ServedConditioner(nullptr, options), InputError);
  EXPECT_THROW(ServedConditioner(test::make_model(test::Conditioning::none).load(), options),
               InputError);
  EXPECT_THROW(ServedConditioner(test::make_model().load(), options), InputError);  // no version
  options.fallback = true;
  EXPECT_THROW(ServedConditioner(served_model(test::Conditioning::classical), options), InputError);
}

}  // namespace
}  // namespace fastcaloq
