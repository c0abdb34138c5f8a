#include "replay_tool/listen_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace waymark::replay {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* a) const { freeaddrinfo(a); }
};

std::uint16_t BoundPort(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  const in_port_t port = bound.ss_family == AF_INET6
                             ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                             : reinterpret_cast<sockaddr_in*>(&bound)->sin_port;
  return ntohs(port);
}

}  // namespace

Result<ListenSocket> Listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number || std::stoi(port) > 65535 || colon == 0) {
    return Status(Code::kInvalidArgument,
                  "cannot listen on '" + text + "': expected ADDRESS:PORT, as in 127.0.0.1:8080");
  }
  ListenSocket out;
  out.host = text.substr(0, colon);
  std::string name = out.host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  if (const int error = getaddrinfo(name.c_str(), port.c_str(), &hints, &raw); error != 0) {
    return Status(Code::kInvalidArgument, "cannot listen on " + text + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(raw);
  out.fd = socket(raw->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  // A restart must not wait for the connections of its predecessor to time out.
  if (out.fd >= 0) setsockopt(out.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (out.fd < 0 || bind(out.fd, raw->ai_addr, raw->ai_addrlen) != 0 ||
      listen(out.fd, SOMAXCONN) != 0) {
    const Status status(Code::kUnavailable,
                        "cannot listen on " + text + ": " + std::strerror(errno));
    if (out.fd >= 0) close(out.fd);
    return status;
  }
  out.port = BoundPort(out.fd);
  return out;
}

}  // namespace waymark::replay
