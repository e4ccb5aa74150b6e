#include "http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <stdexcept>

namespace fastcaloq::test {
namespace {

bool send_all(int socket, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

/// Reads until `text` has `size` bytes; false where the other side stops before.
bool receive(int socket, std::string& text, std::size_t size) {
  char buffer[16384];
  while (text.size() < size) {
    const ssize_t n = ::recv(socket, buffer, sizeof(buffer), 0);
    if (n <= 0) return false;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return true;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, length) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &length) != 0) {
    throw std::runtime_error("no port on the loopback for a test");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::stop() {
  if (stopped_.exchange(true)) return;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
}

void HttpServer::accept_all() {
  for (;;) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ++n_connections_;
    const std::lock_guard<std::mutex> lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] {
      serve(socket);
      ::shutdown(socket, SHUT_RDWR);
    });
  }
}

void HttpServer::serve(int socket) {
  std::string text;
  for (;;) {
    std::size_t end = text.find("\r\n\r\n");
    while (end == std::string::npos) {
      if (!receive(socket, text, text.size() + 1)) return;
      end = text.find("\r\n\r\n");
    }
    HttpRequest request;
    std::istringstream head(text.substr(0, end));
    std::getline(head, request.line);
    for (std::string line; std::getline(head, line);) {
      const std::size_t colon = line.find(':');
      if (line.back() == '\r') line.pop_back();
      request.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
    }
    const auto length = static_cast<std::size_t>(std::stoul(request.headers["content-length"]));
    if (!receive(socket, text, end + 4 + length)) return;
    request.body = text.substr(end + 4, length);
    text.erase(0, end + 4 + length);
    ++n_requests_;
    const HttpReply reply = handler_(request);
    for (int waited = 0; waited < reply.delay_ms && !stopped_; waited += 5) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (reply.hang_up) return;
    if (!reply.raw.empty()) {
      send_all(socket, reply.raw);
      return;
    }
    std::string answer = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
    for (const std::string& header : reply.headers) answer += header + "\r\n";
    answer += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
    if (!send_all(socket, answer)) return;
  }
}

}  // namespace fastcaloq::test
