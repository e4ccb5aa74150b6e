#include "fastcaloq/served_conditioner.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "circuit_breaker.hpp"
#include "condition_cache.hpp"
#include "fastcaloq/error.hpp"
#include "http_client.hpp"
#include "inference_protocol.hpp"
#include "served_options.hpp"

namespace fastcaloq {
namespace {

using detail::CircuitBreaker;

/// One |eta| that stands for all where the model does not depend on it (its range is nothing against
/// the half width, so the scaled eta is 0 to the last bit of float32): what is asked once is known for
/// every shower of that energy.
std::optional<float> eta_everywhere(const ModelCard& card) {
  constexpr double nothing = 1e-12;
  const Interval& range = card.validity.eta;
  const double furthest = std::max(std::fabs(range.low - card.condition.eta_center),
                                   range.high - card.condition.eta_center);
  if (furthest >= nothing * card.condition.eta_half_width) return std::nullopt;
  return static_cast<float>(range.low);
}

/// The distinct conditions of a batch, and which of them each row has.
struct Distinct {
  Distinct(const float* incident_energy, const float* eta, std::size_t n,
           std::optional<float> one_eta)
      : slot(n) {
    std::unordered_map<std::uint64_t, std::size_t> known;
    for (std::size_t row = 0; row < n; ++row) {
      const float asked_eta = one_eta.value_or(std::fabs(eta[row]));
      const std::uint64_t key = detail::condition_key(incident_energy[row], asked_eta);
      if (row > 0 && key == keys[slot[row - 1]]) {  // a run of equal rows
        slot[row] = slot[row - 1];
        continue;
      }
      const auto [place, is_new] = known.emplace(key, keys.size());
      slot[row] = place->second;
      if (!is_new) continue;
      keys.push_back(key);
      energy.push_back(incident_energy[row]);
      size_of_eta.push_back(asked_eta);
    }
  }

  std::vector<std::size_t> slot;
  std::vector<std::uint64_t> keys;
  std::vector<float> energy, size_of_eta;
};

std::chrono::microseconds jittered(std::chrono::microseconds pause) {
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> part(0.5, 1.0);
  return std::chrono::microseconds(
      static_cast<std::int64_t>(part(random) * static_cast<double>(pause.count())));
}

bool is_busy(long status) {
  constexpr std::array busy{429L, 500L, 502L, 503L, 504L};
  return std::find(busy.begin(), busy.end(), status) != busy.end();
}

/// The service is away: what may be met by the fallback.
class Away : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

}  // namespace

struct ServedConditioner::Implementation {
  Implementation(std::shared_ptr<const Model> model, ServedOptions given)
      : options(detail::checked(std::move(given), model.get())),
        n_features(model->n_features()),
        one_eta(eta_everywhere(model->card())),
        fallback(detail::find_fallback(model, options)),
        name("the conditioning service at " + options.url),
        target(options.url + "/v2/models/" + options.model_name + "/infer"),
        client({options.token, options.ca_file, options.connect_timeout, options.timeout}),
        breaker(options.failures_to_pause, options.pause),
        cache(options.cache_entries, n_features) {}

  void features(const Distinct& distinct, std::vector<float>& known);
  std::vector<float> ask(const float* energy, const float* eta, std::size_t n);

  ServedOptions options;
  std::size_t n_features;
  std::optional<float> one_eta;
  std::shared_ptr<const Conditioner> fallback;
  std::string name, target;
  detail::HttpClient client;
  CircuitBreaker breaker;
  detail::ConditionCache cache;
  std::atomic<std::uint64_t> requests{0}, failures{0}, conditions_asked{0}, conditions_cached{0},
      conditions_fallback{0};
};

/// Features of conditions by one request, made again where the service is away.
std::vector<float> ServedConditioner::Implementation::ask(const float* energy, const float* eta,
                                                          std::size_t n) {
  const detail::InferenceRequest request = detail::encode_request(energy, eta, n);
  const detail::Expected expected{options.version, n, n_features};
  std::chrono::microseconds pause = options.backoff;
  std::string reason = "it did not answer before";
  for (unsigned attempt = 0; attempt <= options.retries; ++attempt) {
    if (attempt > 0) {
      std::this_thread::sleep_for(jittered(pause));
      pause = std::min<std::chrono::microseconds>(2 * pause, std::chrono::seconds(2));
    }
    if (!breaker.allow(CircuitBreaker::Clock::now())) {
      reason += "; it is left alone for a while";
      break;
    }
    ++requests;
    const detail::HttpAnswer answer =
        client.post(target, request.body, request.json_length, expected.longest());
    if ((!answer.failure.empty() && !answer.lasting) || is_busy(answer.status)) {
      ++failures;
      breaker.failed(CircuitBreaker::Clock::now());
      reason = !answer.failure.empty() ? answer.failure
                                       : "status " + std::to_string(answer.status) + " " +
                                             detail::error_text(answer.body);
      continue;
    }
    breaker.succeeded();  // it is there, whatever it says
    if (answer.lasting) {
      throw ServiceError(name + " cannot be used: " + answer.failure +
                         "; check what runs there, and whether its certificate is trusted");
    }
    if (answer.status != 200) {
      const bool token = answer.status == 401 || answer.status == 403;
      throw ServiceError(name + " refuses the request (status " + std::to_string(answer.status) +
                         " " + detail::error_text(answer.body) + "): check " +
                         (token ? "the token" : "the address and the model's name there"));
    }
    try {
      return detail::decode_answer(answer.body, answer.inference_header_length, expected);
    } catch (const ServiceError& error) {
      throw ServiceError(name + " " + error.what());
    }
  }
  throw Away(name + " is away (" + reason +
             "), so the features of these showers are unknown: start it, check the address, or "
             "allow the fallback to the model's table");
}

/// Row i of `known` (keys, Q) from memory, the service or the fallback.
void ServedConditioner::Implementation::features(const Distinct& distinct,
                                                 std::vector<float>& known) {
  const std::vector<std::size_t> missing = cache.look_up(distinct.keys, known.data());
  conditions_cached += distinct.keys.size() - missing.size();
  for (std::size_t start = 0; start < missing.size(); start += options.rows_per_request) {
    const std::size_t n = std::min(options.rows_per_request, missing.size() - start);
    std::vector<std::uint64_t> keys(n);
    std::vector<float> energy(n), eta(n), answer;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t from = missing[start + i];
      keys[i] = distinct.keys[from];
      energy[i] = distinct.energy[from];
      eta[i] = distinct.size_of_eta[from];
    }
    try {
      answer = ask(energy.data(), eta.data(), n);
      conditions_asked += n;
      if (options.cache_entries > 0) cache.insert(keys, answer.data());
    } catch (const Away&) {
      if (!fallback) throw;
      answer.resize(n * n_features);
      fallback->features(energy.data(), eta.data(), n, answer.data());
      conditions_fallback += n;
    }
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(answer.data() + i * n_features, n_features,
                  known.data() + missing[start + i] * n_features);
    }
  }
}

ServedConditioner::ServedConditioner(std::shared_ptr<const Model> model, ServedOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(model), std::move(options))) {}
ServedConditioner::~ServedConditioner() = default;

std::size_t ServedConditioner::n_features() const noexcept {
  return implementation_->n_features;
}

void ServedConditioner::features(const float* incident_energy, const float* eta, std::size_t n,
                                 float* out) const {
  const Distinct distinct(incident_energy, eta, n, implementation_->one_eta);
  const std::size_t width = implementation_->n_features;
  std::vector<float> known(distinct.keys.size() * width);
  implementation_->features(distinct, known);
  for (std::size_t row = 0; row < n; ++row) {
    std::copy_n(known.data() + distinct.slot[row] * width, width, out + row * width);
  }
}

ServedStatistics ServedConditioner::statistics() const {
  const Implementation& own = *implementation_;
  return {own.requests, own.failures, own.conditions_asked, own.conditions_cached,
          own.conditions_fallback};
}

}  // namespace fastcaloq
