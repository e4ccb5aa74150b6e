#include "http_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <string_view>
#include <utility>

#include "fastcaloq/error.hpp"

namespace fastcaloq::detail {
namespace {

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, CurlDeleter>;
using Headers = std::unique_ptr<curl_slist, CurlDeleter>;

void start_libcurl() {
  // Once for the process and never undone: other code in it may use libcurl too.
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw ServiceError("libcurl cannot start, so no service can be asked: check its installation");
  }
}

struct Received {
  HttpAnswer answer;
  std::size_t most = 0;
  bool too_long = false;
};

bool is_lasting(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

std::size_t receive_body(char* data, std::size_t size, std::size_t count, void* pointer) noexcept {
  auto& received = *static_cast<Received*>(pointer);
  const std::size_t length = size * count;
  if (length > received.most - received.answer.body.size()) {
    received.too_long = true;
    return 0;  // ends the transfer
  }
  try {
    received.answer.body.append(data, length);
  } catch (...) {
    return 0;
  }
  return length;
}

std::size_t receive_header(char* data, std::size_t size, std::size_t count,
                           void* pointer) noexcept {
  constexpr std::string_view wanted = "inference-header-content-length:";
  const std::string_view line(data, size * count);
  const bool same = line.size() > wanted.size() &&
                    std::equal(wanted.begin(), wanted.end(), line.begin(), [](char a, char b) {
                      return a == std::tolower(static_cast<unsigned char>(b));
                    });
  if (same) {
    std::array<char, 24> digits{};
    std::size_t n = 0;
    for (const char c : line.substr(wanted.size())) {
      if (c >= '0' && c <= '9' && n < digits.size()) digits[n++] = c;
    }
    try {
      static_cast<Received*>(pointer)->answer.inference_header_length.assign(digits.data(), n);
    } catch (...) {
      return 0;
    }
  }
  return line.size();
}

void append(Headers& headers, const std::string& line) {
  curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
  if (longer == nullptr) throw ServiceError("no memory is left for a request to the service");
  static_cast<void>(headers.release());
  headers.reset(longer);
}

}  // namespace

std::string checked_url(const std::string& url) {
  start_libcurl();
  const std::unique_ptr<CURLU, CurlDeleter> parsed(curl_url());
  const auto part = [&parsed](CURLUPart which) {
    char* text = nullptr;
    std::string copy;
    if (curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK && text != nullptr) copy = text;
    curl_free(text);
    return copy;
  };
  const bool good = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  const std::string scheme = part(CURLUPART_SCHEME);
  if (!good || (scheme != "http" && scheme != "https")) {
    throw InputError(
        "the address of the conditioning service is no http:// or https:// URL, so it cannot be "
        "reached: give one like http://localhost:8000");
  }
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty() ||
      !part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty()) {
    throw InputError(
        "the address of the conditioning service holds a user, a query or a fragment, which would "
        "be printed in messages: leave them out, and give a token as such");
  }
  std::string text = part(CURLUPART_URL);
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

struct HttpClient::Pool {
  Handle take() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!handles.empty()) {
        Handle handle = std::move(handles.back());
        handles.pop_back();
        return handle;
      }
    }
    return Handle(curl_easy_init());
  }

  void give_back(Handle handle) {
    const std::lock_guard<std::mutex> lock(mutex);
    handles.push_back(std::move(handle));
  }

  std::mutex mutex;
  std::vector<Handle> handles;
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {
  start_libcurl();
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::post(const std::string& url, const std::string& body,
                            std::size_t json_length, std::size_t most) {
  Handle handle = pool_->take();
  if (!handle) throw ServiceError("no memory is left for a connection to the service");
  CURL* curl = handle.get();
  Headers headers;
  append(headers, "Content-Type: application/octet-stream");
  append(headers, "Inference-Header-Content-Length: " + std::to_string(json_length));
  append(headers, "Expect:");  // no question before the body, which would cost a round trip
  if (!options_.token.empty()) append(headers, "Authorization: Bearer " + options_.token);
  Received received;
  received.most = most;
  std::array<char, CURL_ERROR_SIZE> reason{};

  curl_easy_reset(curl);  // options go, connections stay
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // threads
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &receive_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &receive_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &received);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    received.answer.lasting = received.too_long || is_lasting(code);
    received.answer.failure = received.too_long   ? "its answer is longer than features can be"
                              : reason[0] != '\0' ? reason.data()
                                                  : curl_easy_strerror(code);
  } else {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &received.answer.status);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
  pool_->give_back(std::move(handle));
  return std::move(received.answer);
}

}  // namespace fastcaloq::detail
