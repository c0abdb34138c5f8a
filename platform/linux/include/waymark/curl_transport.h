// The Transport port over libcurl, for Linux hosts.
#ifndef WAYMARK_CURL_TRANSPORT_H_
#define WAYMARK_CURL_TRANSPORT_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "waymark/export.h"
#include "waymark/ports.h"
#include "waymark/status.h"

namespace waymark {

struct CurlTransportOptions {
  /// PEM file of the certificate authorities to trust instead of the system's; empty: the system's.
  /// That a certificate is checked cannot be switched off.
  std::string ca_file;
  std::string user_agent = "waymark";
  std::chrono::milliseconds connect_timeout{10'000};
  /// A longer answer is cut off there; its status counts all the same.
  std::size_t max_reply_bytes = 64 * 1024;
};

/// One worker thread, one exchange at a time in the order of Send, connections kept alive. HTTPS
/// (TLS 1.2 or newer, certificate and name verified); plain HTTP only to localhost, 127.0.0.0/8 and
/// ::1 and never through a proxy. Redirects are not followed: their status is the reply.
///
/// `done` runs on the worker. CancelAll() may be called on any thread, from inside `done` too; what
/// it cancels gets its one `done`, without an HTTP status, before it returns. The destructor
/// cancels and joins; it must not run inside `done`.
///
/// kInvalidArgument: `ca_file` cannot be read. kInternal: libcurl does not start.
WAYMARK_API Result<std::unique_ptr<Transport>> MakeCurlTransport(
    const CurlTransportOptions& options = {});

}  // namespace waymark

#endif  // WAYMARK_CURL_TRANSPORT_H_
