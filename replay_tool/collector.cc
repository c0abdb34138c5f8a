#include "replay_tool/collector.h"

#include <microhttpd.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <ctime>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "replay_tool/collector_store.h"
#include "replay_tool/listen_socket.h"
#include "waymark/wire.h"

namespace waymark::replay {
namespace {

constexpr unsigned kConnectionTimeoutS = 120;
constexpr unsigned kMaxConnections = 256;

UtcTime Now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string Header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value ? value : "";
}

struct Answer {
  int status = 200;
  std::string body;
  std::string retry_after;
  std::chrono::milliseconds delay{0};
  bool close = false;
};

// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(UtcTime utc) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(utc).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string RetryAfter(const ScriptedAnswer& answer) {
  if (!answer.retry_after) return "";
  return answer.retry_after_as_date ? HttpDate(Now() + *answer.retry_after)
                                    : std::to_string(answer.retry_after->count());
}

std::string ErrorBody(std::string_view text) {
  nlohmann::json json;
  json["error"] = text;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

MHD_Result Send(MHD_Connection* connection, const Answer& answer) {
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", "application/json");
  if (!answer.retry_after.empty()) {
    MHD_add_response_header(response, "Retry-After", answer.retry_after.c_str());
  }
  if (answer.status == 405) MHD_add_response_header(response, "Allow", "POST");
  const MHD_Result sent =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return sent;
}

// What one connection has sent of its current request.
struct Incoming {
  std::string body;
  bool too_large = false;
};

}  // namespace

struct Collector::Impl {
  Impl(CollectorOptions o, CollectorStore s) : options(std::move(o)), store(std::move(s)) {}
  ~Impl() {
    if (daemon)
      MHD_stop_daemon(daemon);
    else if (socket.fd >= 0)
      close(socket.fd);
  }

  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char* version, const char* data,
                              std::size_t* size, void** state);
  static void OnCompleted(void* self, MHD_Connection* connection, void** state,
                          MHD_RequestTerminationCode code);
  Answer Handle(MHD_Connection* connection, const std::string& method, const Incoming& incoming);
  Answer Judge(const std::string& method, const std::string& content_type, const Incoming& incoming,
               RequestEntry& entry, std::optional<Batch>& batch);

  const CollectorOptions options;
  ListenSocket socket;
  MHD_Daemon* daemon = nullptr;
  mutable std::mutex mutex;  // guards what follows
  CollectorStore store;
  std::uint64_t requests = 0;
};

// What the request is, before anything is stored.
Answer Collector::Impl::Judge(const std::string& method, const std::string& content_type,
                              const Incoming& incoming, RequestEntry& entry,
                              std::optional<Batch>& batch) {
  if (method != "POST") return {405, ErrorBody("send batches with POST"), {}, {}, false};
  if (incoming.too_large) {
    return {413,
            ErrorBody("more than " + std::to_string(options.max_body_bytes) + " bytes"),
            {},
            {},
            false};
  }
  if (content_type.substr(0, content_type.find(';')) != kBatchContentType) {
    return {
        415, ErrorBody(std::string("the content type is not ") + kBatchContentType), {}, {}, false};
  }
  Result<Batch> decoded = DecodeBatch(std::as_bytes(std::span(incoming.body)));
  if (!decoded.ok()) return {400, ErrorBody(decoded.status().message()), {}, {}, false};
  batch = std::move(decoded).value();
  entry.records = batch->records.size();
  if (!batch->records.empty()) {
    entry.first_seq = batch->records.front().seq;
    entry.last_seq = batch->records.back().seq;
  }
  return {};
}

Answer Collector::Impl::Handle(MHD_Connection* connection, const std::string& method,
                               const Incoming& incoming) {
  RequestEntry entry;
  entry.utc = Now();
  entry.bytes = incoming.body.size();
  entry.idempotency_key = Header(connection, "Idempotency-Key");
  std::optional<Batch> batch;
  Answer answer = Judge(method, Header(connection, "Content-Type"), incoming, entry, batch);

  const std::lock_guard lock(mutex);
  ++requests;
  const auto range =
      entry.records > 0 ? std::optional(SeqRange{entry.first_seq, entry.last_seq}) : std::nullopt;
  const ScriptedAnswer* scripted = options.script.Find(requests, range);
  if (scripted && scripted->status) {
    answer = {*scripted->status, ErrorBody("scripted"), RetryAfter(*scripted), {}, false};
  } else if (batch) {
    const Result<CollectorStore::Stored> stored = store.Add(*batch, entry.utc);
    if (stored.ok()) {
      entry.duplicate = stored.value().known > 0 && stored.value().fresh == 0;
      nlohmann::ordered_json json;
      json["stored"] = stored.value().fresh;
      json["duplicates"] = stored.value().known;
      answer.body = json.dump() + "\n";
    } else {
      answer = {503, ErrorBody(stored.status().message()), {}, {}, false};
    }
  }
  if (scripted) {
    answer.delay = scripted->delay;
    answer.close = scripted->close;
  }
  if (!answer.close) entry.status = answer.status;
  // What cannot be logged is not worth refusing records for.
  store.Log(entry).Ignore();
  return answer;
}

MHD_Result Collector::Impl::OnRequest(void* self, MHD_Connection* connection, const char*,
                                      const char* method, const char*, const char* data,
                                      std::size_t* size, void** state) try {
  auto* impl = static_cast<Impl*>(self);
  if (!*state) {
    *state = new Incoming;
    return MHD_YES;
  }
  auto& incoming = *static_cast<Incoming*>(*state);
  if (*size > 0) {
    incoming.too_large |= incoming.body.size() + *size > impl->options.max_body_bytes;
    if (incoming.too_large) {
      incoming.body.clear();  // the rest is read to be able to answer, and dropped
    } else {
      incoming.body.append(data, *size);
    }
    *size = 0;
    return MHD_YES;
  }
  const Answer answer = impl->Handle(connection, method, incoming);
  // Each connection has a thread of its own: only this one waits.
  if (answer.delay.count() > 0) std::this_thread::sleep_for(answer.delay);
  return answer.close ? MHD_NO : Send(connection, answer);
} catch (const std::exception&) {
  return MHD_NO;  // out of memory: the connection closes, the client tries again
}

void Collector::Impl::OnCompleted(void*, MHD_Connection*, void** state,
                                  MHD_RequestTerminationCode) {
  delete static_cast<Incoming*>(*state);
  *state = nullptr;
}

Collector::Collector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collector::~Collector() = default;

Result<std::unique_ptr<Collector>> Collector::Start(CollectorOptions options) {
  Result<ListenSocket> socket = Listen(options.listen);
  if (!socket.ok()) return socket.status();
  Result<CollectorStore> store = CollectorStore::Open(options.directory);
  if (!store.ok()) {
    close(socket.value().fd);
    return store.status();
  }
  auto impl = std::make_unique<Impl>(std::move(options), std::move(store).value());
  impl->socket = socket.value();
  impl->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, nullptr,
      nullptr, &Impl::OnRequest, impl.get(), MHD_OPTION_LISTEN_SOCKET, impl->socket.fd,
      MHD_OPTION_NOTIFY_COMPLETED, &Impl::OnCompleted, nullptr, MHD_OPTION_CONNECTION_TIMEOUT,
      kConnectionTimeoutS, MHD_OPTION_CONNECTION_LIMIT, kMaxConnections, MHD_OPTION_END);
  if (!impl->daemon) {
    return Status(Code::kInternal,
                  std::string("the HTTP server does not start: ") + std::strerror(errno));
  }
  return std::unique_ptr<Collector>(new Collector(std::move(impl)));
}

std::uint16_t Collector::port() const { return impl_->socket.port; }
std::string Collector::url() const {
  return "http://" + impl_->socket.host + ":" + std::to_string(impl_->socket.port);
}
std::uint64_t Collector::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}
std::uint64_t Collector::records() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->store.records();
}

}  // namespace waymark::replay
