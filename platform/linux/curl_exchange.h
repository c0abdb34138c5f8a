// One HTTP exchange on a libcurl easy handle: the request set up, the reply taken apart.
#ifndef WAYMARK_PLATFORM_LINUX_CURL_EXCHANGE_H_
#define WAYMARK_PLATFORM_LINUX_CURL_EXCHANGE_H_

#include <curl/curl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "waymark/curl_transport.h"
#include "waymark/ports.h"

namespace waymark::linux_platform {

/// Why `url` may not be used: nullopt when it may.
std::optional<std::string> RefusedUrl(const std::string& url);

/// Retry-After as seconds from now: a number, or a date against the reply's own Date (the device's
/// clock may be wrong). nullopt: absent or malformed.
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value,
                                                    std::optional<UtcTime> server_date);

/// An HTTP date (RFC 9110 section 5.6.7).
std::optional<UtcTime> ParseHttpDate(std::string_view value);

struct CloseEasy {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct FreeHeaders {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};

/// Neither copied nor moved: libcurl holds pointers into it.
class CurlExchange {
 public:
  CurlExchange(HttpRequest request, std::function<void(HttpReply)> done,
               const CurlTransportOptions& options);
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  /// nullptr: the request cannot be sent at all; Finish() with `refusal()`.
  CURL* easy() const { return refusal_ ? nullptr : easy_.get(); }
  const std::optional<std::string>& refusal() const { return refusal_; }
  /// Calls `done` with what libcurl's `result` and the received headers say.
  void Finish(CURLcode result);
  /// Calls `done` without a status.
  void Fail(std::string detail);

 private:
  void SetUp(const CurlTransportOptions& options);
  void AddHeader(std::string_view name, std::string_view value);
  void OnHeader(std::string_view line);
  static std::size_t HeaderCallback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t BodyCallback(char* data, std::size_t size, std::size_t count, void* self);

  HttpRequest request_;
  std::function<void(HttpReply)> done_;
  std::size_t max_reply_bytes_;
  std::size_t received_bytes_ = 0;
  bool cut_off_ = false;
  std::optional<std::string> refusal_;
  std::string retry_after_;
  std::string date_;
  char error_[CURL_ERROR_SIZE] = {};
  std::unique_ptr<curl_slist, FreeHeaders> headers_;
  std::unique_ptr<CURL, CloseEasy> easy_;
};

}  // namespace waymark::linux_platform

#endif  // WAYMARK_PLATFORM_LINUX_CURL_EXCHANGE_H_
