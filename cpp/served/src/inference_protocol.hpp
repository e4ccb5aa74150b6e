/// \file
/// Requests and answers of the Open Inference Protocol (KServe v2, REST) with binary tensors.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fastcaloq::detail {

struct InferenceRequest {
  std::string body;             ///< JSON, then incident_energy and eta as little-endian float32
  std::size_t json_length = 0;  ///< bytes of JSON
};

/// Asks for the features of n conditions: tensors "incident_energy" [n, 1] MeV and "eta" [n, 1].
InferenceRequest encode_request(const float* incident_energy, const float* eta, std::size_t n);

/// What an answer must be like.
struct Expected {
  std::string version;
  std::size_t n_rows = 0;
  std::size_t n_features = 0;

  /// Longer than any good answer, in bytes.
  std::size_t longest() const { return 65536 + 32 * n_rows * n_features; }
};

/// The tensor "quantum" [n, Q] of an answer, row-major; binary, or numbers in the JSON.
/// \param header_length the header Inference-Header-Content-Length: bytes of JSON; empty: all of it
/// \throws ServiceError no JSON, another version, shape or type, bytes missing or left over, a feature
///         that is not finite; the text begins with what is wrong, the address to be put in front
std::vector<float> decode_answer(const std::string& body, const std::string& header_length,
                                 const Expected& expected);

/// The service's own words for an error, from {"error": "..."}; safe to print, may be empty.
std::string error_text(const std::string& body);

}  // namespace fastcaloq::detail
