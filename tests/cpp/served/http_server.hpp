/// \file
/// A small HTTP server on the loopback for tests: says what the test tells it to.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fastcaloq::test {

struct HttpRequest {
  std::string line;                            ///< "POST /v2/... HTTP/1.1"
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::string raw;       ///< sent in place of all the others, and the connection closed
  bool hang_up = false;  ///< close without a word
  int delay_ms = 0;      ///< wait before the answer (less if the server is stopped)
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// Listens on a free port of 127.0.0.1. The handler is called from several threads.
  explicit HttpServer(Handler handler);
  ~HttpServer();

  /// Ends listening and every connection; the port is then closed.
  void stop();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int n_connections() const { return n_connections_; }
  int n_requests() const { return n_requests_; }

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_{false};
  std::atomic<int> n_connections_{0}, n_requests_{0};
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace fastcaloq::test
