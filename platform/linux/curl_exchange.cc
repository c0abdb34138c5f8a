#include "platform/linux/curl_exchange.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace waymark::linux_platform {
namespace {

// A reply may ask for more; the uploader bounds it further. Keeps the arithmetic inside 64 bits.
constexpr std::int64_t kMaxRetryAfterSeconds = 366 * 86'400;

struct FreeUrl {
  void operator()(CURLU* u) const { curl_url_cleanup(u); }
};

std::optional<std::string> Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string copy = text;
  curl_free(text);
  return copy;
}

// A literal of 127.0.0.0/8: "127.evil.example" is a name and does not pass.
bool IsLoopback4(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int numbers = 1, value = 0, digits = 0;
  for (const char c : host.substr(4)) {
    if (c == '.') {
      if (digits == 0) return false;
      ++numbers, value = 0, digits = 0;
    } else if (c >= '0' && c <= '9' && ++digits <= 3) {
      value = value * 10 + (c - '0');
      if (value > 255) return false;
    } else {
      return false;
    }
  }
  return numbers == 3 && digits > 0;  // the three behind "127."
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || IsLoopback4(host);
}

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

bool FitsAHeader(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x20 && u != 0x7f;
  });
}

}  // namespace

std::optional<std::string> RefusedUrl(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return "the URL is malformed";
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME).value_or("");
  if (scheme == "https") return std::nullopt;
  if (scheme != "http") return "the URL must be https";
  if (IsLoopback(Part(url.get(), CURLUPART_HOST).value_or(""))) return std::nullopt;
  return "plain http is only allowed to loopback; use https";
}

std::optional<UtcTime> ParseHttpDate(std::string_view value) {
  const std::time_t t = curl_getdate(std::string(Trimmed(value)).c_str(), nullptr);
  if (t == -1) return std::nullopt;
  return UtcTime(std::chrono::seconds(t));
}

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value,
                                                    std::optional<UtcTime> server_date) {
  value = Trimmed(value);
  if (value.empty()) return std::nullopt;
  const bool number =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  std::int64_t seconds = 0;
  if (number) {
    for (const char c : value) {
      seconds = std::min(seconds * 10 + (c - '0'), kMaxRetryAfterSeconds);
    }
  } else {
    const std::optional<UtcTime> until = ParseHttpDate(value);
    if (!until || !server_date) return std::nullopt;
    seconds = std::chrono::ceil<std::chrono::seconds>(*until - *server_date).count();
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMaxRetryAfterSeconds));
}

CurlExchange::CurlExchange(HttpRequest request, std::function<void(HttpReply)> done,
                           const CurlTransportOptions& options)
    : request_(std::move(request)),
      done_(std::move(done)),
      max_reply_bytes_(options.max_reply_bytes),
      easy_(curl_easy_init()) {
  refusal_ = RefusedUrl(request_.url);
  if (!refusal_ && !easy_) refusal_ = "libcurl has no handle left";
  if (!refusal_) SetUp(options);
}

void CurlExchange::AddHeader(std::string_view name, std::string_view value) {
  if (value.empty() || refusal_) return;
  if (!FitsAHeader(value)) {
    refusal_ = "the header " + std::string(name) + " holds a control character";
    return;
  }
  const std::string line = std::string(name) + ": " + std::string(value);
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (!longer) {
    refusal_ = "no memory for the headers";
    return;
  }
  (void)headers_.release();
  headers_.reset(longer);
}

void CurlExchange::SetUp(const CurlTransportOptions& options) {
  CURL* c = easy_.get();
  AddHeader("Content-Type", request_.content_type);
  AddHeader("Idempotency-Key", request_.idempotency_key);
  AddHeader("Authorization", request_.authorization);
  // A batch is small: waiting for "100 Continue" costs a round trip and saves nothing.
  if (curl_slist* longer = curl_slist_append(headers_.get(), "Expect:")) {
    (void)headers_.release();
    headers_.reset(longer);
  }
  const bool plain =
      request_.url.size() >= 5 && EqualsIgnoringCase(request_.url.substr(0, 5), "http:");
  curl_easy_setopt(c, CURLOPT_URL, request_.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS);
#endif
  if (plain) curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(c, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
  }
  // One stream at a time gains nothing from HTTP/2 (measured), and this works behind any proxy.
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<std::int64_t>(options.connect_timeout.count(), 1)));
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::max<std::int64_t>(request_.timeout.count(), 1)));
  curl_easy_setopt(c, CURLOPT_POST, 1L);
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  curl_easy_setopt(
      c, CURLOPT_POSTFIELDS,
      request_.body.empty() ? "" : reinterpret_cast<const char*>(request_.body.data()));
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &CurlExchange::HeaderCallback);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &CurlExchange::BodyCallback);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(c, CURLOPT_PRIVATE, this);
}

std::size_t CurlExchange::HeaderCallback(char* data, std::size_t size, std::size_t count,
                                         void* self) {
  static_cast<CurlExchange*>(self)->OnHeader({data, size * count});
  return size * count;
}

void CurlExchange::OnHeader(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // what came before belonged to an interim reply
    retry_after_.clear();
    date_.clear();
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon), value = Trimmed(line.substr(colon + 1));
  if (EqualsIgnoringCase(name, "Retry-After")) retry_after_ = value;
  if (EqualsIgnoringCase(name, "Date")) date_ = value;
}

// The body means nothing to us: it is counted, so that an endless one ends, and dropped.
std::size_t CurlExchange::BodyCallback(char*, std::size_t size, std::size_t count, void* self) {
  auto* exchange = static_cast<CurlExchange*>(self);
  exchange->received_bytes_ += size * count;
  if (exchange->received_bytes_ <= exchange->max_reply_bytes_) return size * count;
  exchange->cut_off_ = true;
  return 0;
}

void CurlExchange::Finish(CURLcode result) {
  HttpReply reply;
  reply.id = request_.id;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && (result == CURLE_OK || cut_off_)) {
    reply.http_status = static_cast<int>(status);
    reply.server_date = ParseHttpDate(date_);
    reply.retry_after = ParseRetryAfter(retry_after_, reply.server_date);
    if (cut_off_) reply.detail = "the answer was cut off";
  } else {
    reply.detail = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
  }
  std::exchange(done_, nullptr)(std::move(reply));
}

void CurlExchange::Fail(std::string detail) {
  HttpReply reply;
  reply.id = request_.id;
  reply.detail = std::move(detail);
  std::exchange(done_, nullptr)(std::move(reply));
}

}  // namespace waymark::linux_platform
