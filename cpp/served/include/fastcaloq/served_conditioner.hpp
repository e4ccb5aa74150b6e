/// \file
/// Features asked of a service: a client of the Open Inference Protocol (KServe v2, REST, with the
/// binary tensor extension). CMake component `served`; needs libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fastcaloq/conditioner.hpp"
#include "fastcaloq/export.hpp"
#include "fastcaloq/model.hpp"

namespace fastcaloq {

struct ServedOptions {
  /// "http://host:8000" or "https://host:8443", a path in front of the protocol's own at the end if
  /// need be; no user, no query.
  std::string url;
  std::string model_name;  ///< as the service calls it; empty: the card's name
  /// Version the service must answer with; empty: the card's, which names the trained conditioner.
  /// To be given for a service that numbers its models in a way of its own.
  std::string version;
  std::string token;    ///< sent as `Authorization: Bearer`, never printed; empty: none
  std::string ca_file;  ///< certificates to trust for https, PEM; empty: the system's
  std::chrono::milliseconds connect_timeout{1000};
  std::chrono::milliseconds timeout{5000};  ///< of one attempt, connecting included
  unsigned retries = 3;                     ///< further attempts where the service is away or busy
  /// Pause before the first further attempt, doubled for each one after it, up to 2 s; between half
  /// of it and all of it, at random, so that many clients do not come back at once.
  std::chrono::milliseconds backoff{50};
  /// So many failed attempts in a row, and no attempt is made for `pause`; then one is tried.
  unsigned failures_to_pause = 5;
  std::chrono::milliseconds pause{5000};
  std::size_t cache_entries = 65536;    ///< conditions remembered, the latest used; 0: none
  std::size_t rows_per_request = 4096;  ///< larger batches are asked for in parts
  /// Use the model's own conditioner (its table) for what a service that is away cannot answer.
  bool fallback = false;
};

/// What happened so far; see ServedConditioner::statistics.
struct ServedStatistics {
  std::uint64_t requests = 0;  ///< attempts made
  std::uint64_t failures = 0;  ///< of these: unanswered, or answered that the service is busy
  // Distinct conditions of each batch, by who answered for them.
  std::uint64_t conditions_asked = 0;     ///< the service
  std::uint64_t conditions_cached = 0;    ///< memory
  std::uint64_t conditions_fallback = 0;  ///< the model's own conditioner
};

/// Asks a service for features. Equal conditions of a batch are asked for once; only |eta| counts, and
/// no eta at all where the model does not depend on it (then it is the lowest of the model's range).
/// May be used by many threads at once; each has a connection of its own, kept open between calls.
///
/// A service is away when it cannot be reached, does not answer in time, or answers 429, 500, 502, 503
/// or 504: then it is asked again, and after that the fallback is used if it was allowed. Whatever
/// else it answers is an error at once: other versions, shapes and types, NaN, a refused token; and so
/// is a certificate that is not trusted.
class FASTCALOQ_API ServedConditioner final : public Conditioner {
 public:
  /// Connects to nothing yet.
  /// \throws InputError a null model, one without features, an address, token or limit that cannot be
  ///         used, a card without a version where none was given, a fallback that the model lacks
  ServedConditioner(std::shared_ptr<const Model> model, ServedOptions options);
  ~ServedConditioner() override;

  std::size_t n_features() const noexcept override;
  /// \throws ServiceError the service is away and nothing may stand in for it, or its answer cannot
  ///         be used; the text names the address and the reason
  void features(const float* incident_energy, const float* eta, std::size_t n,
                float* out) const override;

  ServedStatistics statistics() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fastcaloq
