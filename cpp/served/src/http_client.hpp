/// \file
/// HTTP requests through libcurl, over connections that stay open.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace fastcaloq::detail {

struct HttpOptions {
  std::string token;
  std::string ca_file;
  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds timeout{};
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  /// Bytes of JSON in front of the binary tensors; empty where the service did not say.
  std::string inference_header_length;
  /// Why there is no answer, in libcurl's words; empty where there is one.
  std::string failure;
  /// Another attempt would fail likewise: an answer too long, a certificate that is not trusted.
  bool lasting = false;
};

/// Checks an address and leaves out a slash at its end. Throws InputError: neither http nor https, no
/// host, or with a user or a query, which would be printed.
std::string checked_url(const std::string& url);

/// For many threads: each request takes a connection of its own from those kept.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();

  /// Sends a body of JSON (`json_length` bytes) and binary tensors. An answer of more than `most` bytes
  /// is not read. Throws ServiceError where libcurl cannot be set up.
  HttpAnswer post(const std::string& url, const std::string& body, std::size_t json_length,
                  std::size_t most);

 private:
  struct Pool;
  HttpOptions options_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace fastcaloq::detail
