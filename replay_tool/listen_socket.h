// A listening TCP socket for "ADDRESS:PORT", with its failures in words.
#ifndef WAYMARK_REPLAY_TOOL_LISTEN_SOCKET_H_
#define WAYMARK_REPLAY_TOOL_LISTEN_SOCKET_H_

#include <cstdint>
#include <string>

#include "waymark/status.h"

namespace waymark::replay {

struct ListenSocket {
  int fd = -1;  ///< the caller's to close
  std::uint16_t port = 0;
  std::string host;  ///< as in a URL: V6 addresses in brackets
};

/// kInvalidArgument: malformed or unknown address. kUnavailable: in use or not allowed.
Result<ListenSocket> Listen(const std::string& address_and_port);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_LISTEN_SOCKET_H_
