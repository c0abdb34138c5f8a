// One table names every field with its type and range: parsing, printing and validation follow from
// it.
#include "waymark/config.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <type_traits>

namespace waymark {
namespace {

// A number as text that reads back to the same double.
std::string FormatNumber(double v) {
  std::array<char, 32> text{};
  for (int digits = 6; digits <= 17; ++digits) {
    std::snprintf(text.data(), text.size(), "%.*g", digits, v);
    if (std::strtod(text.data(), nullptr) == v) break;
  }
  return text.data();
}

struct Field {
  ConfigField info;
  std::function<Status(Config&, std::string_view)> set;
  std::function<std::string(const Config&)> get;
  std::function<std::optional<std::string>(const Config&)> check;  // the violated rule
};

Status BadValue(const char* name, std::string_view value, const char* expected) {
  return Status(Code::kInvalidArgument, "config field " + std::string(name) + ": '" +
                                            std::string(value.substr(0, 40)) + "' is not " +
                                            expected);
}

bool ParseDouble(std::string_view text, double& out) {
  // strtod and not from_chars: the portable core may not rely on floating from_chars (iOS 13).
  const std::string copy(text);
  char* end = nullptr;
  out = std::strtod(copy.c_str(), &end);
  return !copy.empty() && end == copy.c_str() + copy.size() && std::isfinite(out);
}

using Ref = std::function<void*(Config&)>;

template <class T, class Member>
T& At(const Member& member, Config& c) {
  return *static_cast<T*>(member(c));
}
template <class T, class Member>
const T& At(const Member& member, const Config& c) {
  return *static_cast<const T*>(member(const_cast<Config&>(c)));
}

std::string RangeText(double value, double low, double high, const char* unit) {
  return FormatNumber(value) + " is outside [" + FormatNumber(low) + ", " + FormatNumber(high) +
         "]" + unit;
}

Field NumberField(const char* name, const char* description, const Ref& ref, double low,
                  double high) {
  return {{name, description},
          [=](Config& c, std::string_view text) {
            double v = 0;
            if (!ParseDouble(text, v)) return BadValue(name, text, "a number");
            At<double>(ref, c) = v;
            return Status();
          },
          [=](const Config& c) { return FormatNumber(At<double>(ref, c)); },
          [=](const Config& c) -> std::optional<std::string> {
            const double v = At<double>(ref, c);
            if (v >= low && v <= high) return std::nullopt;
            return RangeText(v, low, high, "");
          }};
}

Field DurationField(const char* name, const char* description, const Ref& ref, double low_s,
                    double high_s) {
  return {{name, description},
          [=](Config& c, std::string_view text) {
            double v = 0;
            if (!ParseDouble(text, v) || std::fabs(v) > 4e9) {
              return BadValue(name, text, "a number of seconds");
            }
            At<Duration>(ref, c) = FromSeconds(v);
            return Status();
          },
          [=](const Config& c) { return FormatNumber(Seconds(At<Duration>(ref, c))); },
          [=](const Config& c) -> std::optional<std::string> {
            // Not as seconds: 60 s of nanoseconds are 60.000000000000007.
            const Duration v = At<Duration>(ref, c);
            if (v >= FromSeconds(low_s) && v <= FromSeconds(high_s)) return std::nullopt;
            return RangeText(Seconds(v), low_s, high_s, " s");
          }};
}

template <class T>
Field CountField(const char* name, const char* description, const Ref& ref, T low, T high) {
  return {{name, description},
          [=](Config& c, std::string_view text) {
            T v = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
            if (error != std::errc() || end != text.data() + text.size()) {
              return BadValue(name, text, "a whole number");
            }
            At<T>(ref, c) = v;
            return Status();
          },
          [=](const Config& c) { return std::to_string(At<T>(ref, c)); },
          [=](const Config& c) -> std::optional<std::string> {
            const T v = At<T>(ref, c);
            if (v >= low && v <= high) return std::nullopt;
            return std::to_string(v) + " is outside [" + std::to_string(low) + ", " +
                   std::to_string(high) + "]";
          }};
}

Field BoolField(const char* name, const char* description, const Ref& ref) {
  return {{name, description},
          [=](Config& c, std::string_view text) {
            if (text != "true" && text != "false") return BadValue(name, text, "true or false");
            At<bool>(ref, c) = text == "true";
            return Status();
          },
          [=](const Config& c) { return std::string(At<bool>(ref, c) ? "true" : "false"); },
          [](const Config&) { return std::optional<std::string>(); }};
}

Field TextField(const char* name, const char* description, const Ref& ref,
                const std::function<std::optional<std::string>(const std::string&)>& rule) {
  return {{name, description},
          [=](Config& c, std::string_view text) {
            At<std::string>(ref, c) = std::string(text);
            return Status();
          },
          [=](const Config& c) { return At<std::string>(ref, c); },
          [=](const Config& c) { return rule(At<std::string>(ref, c)); }};
}

std::optional<std::string> AnyText(const std::string&) { return std::nullopt; }

std::optional<std::string> InstallationRule(const std::string& id) {
  if (id.size() > 64) return std::to_string(id.size()) + " bytes, the limit is 64";
  for (const char ch : id) {
    const bool fine = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                      (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' || ch == '-';
    if (!fine) return "only [A-Za-z0-9._-] may stand in it";
  }
  return std::nullopt;
}

// https anywhere; plain http only to this machine, so that no track crosses a network in the clear.
std::optional<std::string> UrlRule(const std::string& url) {
  if (url.empty() || (url.rfind("https://", 0) == 0 && url.size() > 8)) return std::nullopt;
  for (const char* host : {"127.0.0.1", "localhost", "[::1]"}) {
    const std::string prefix = "http://" + std::string(host);
    if (url.rfind(prefix, 0) != 0) continue;
    const char next = url.size() > prefix.size() ? url[prefix.size()] : '/';
    if (next == '/' || next == ':') return std::nullopt;
  }
  return "must begin with https:// (http:// only to 127.0.0.1, [::1] or localhost)";
}

std::optional<std::string> SecretRule(const std::string& value) {
  if (value.size() > 8192) return "longer than 8192 bytes";
  for (const char ch : value) {
    if (static_cast<unsigned char>(ch) < 0x20 || ch == 0x7f) return "holds a control character";
  }
  return std::nullopt;
}

// A member's name cannot stand in parentheses: NOLINTNEXTLINE(bugprone-macro-parentheses)
#define WAYMARK_REF(member) [](Config& c) -> void* { return &c.member; }

const std::vector<Field>& Fields() {
  constexpr double kHour = 3600, kDay = 86400;
  static const std::vector<Field> fields = {
      TextField("database_path", "SQLite file; empty: in memory", WAYMARK_REF(database_path),
                AnyText),
      TextField("installation", "id of this installation, [A-Za-z0-9._-]{0,64}; empty: made once",
                WAYMARK_REF(installation), InstallationRule),
      NumberField("estimator.max_accuracy_m", "refuse fixes with a larger radius, m, [1, 100000]",
                  WAYMARK_REF(estimator.max_accuracy_m), 1, 1e5),
      NumberField("estimator.default_accuracy_m",
                  "radius assumed where none is given, m, [0.1, 1000]",
                  WAYMARK_REF(estimator.default_accuracy_m), 0.1, 1000),
      NumberField("estimator.max_speed_mps", "impossible above, m/s, [1, 10000]",
                  WAYMARK_REF(estimator.max_speed_mps), 1, 1e4),
      DurationField("estimator.reorder_window_s", "late fixes are put in their place, s, [0, 10]",
                    WAYMARK_REF(estimator.reorder_window), 0, 10),
      DurationField("estimator.max_coast_s", "no estimate further from the last fix, s, [1, 3600]",
                    WAYMARK_REF(estimator.max_coast), 1, kHour),
      BoolField("estimator.accept_simulated", "use fixes marked as mocked",
                WAYMARK_REF(estimator.accept_simulated)),
      NumberField("records.max_error_m", "stored curve against smoothed track, m, [0.1, 1000]",
                  WAYMARK_REF(records.max_error_m), 0.1, 1000),
      DurationField("records.max_interval_s",
                    "a point at least this often in motion, s, [1, 86400]",
                    WAYMARK_REF(records.max_interval), 1, kDay),
      NumberField("records.max_distance_m",
                  "a point at least this often along the way, m, 0: no rule, [0, 1000000]",
                  WAYMARK_REF(records.max_distance_m), 0, 1e6),
      NumberField("records.max_turn_deg", "a point at each turn this sharp, 0: no rule, [0, 180]",
                  WAYMARK_REF(records.max_turn_deg), 0, 180),
      NumberField("records.min_distance_m", "no two points closer, m, [0, 10000]",
                  WAYMARK_REF(records.min_distance_m), 0, 1e4),
      DurationField("records.settle_s", "smoothing lag before a point is stored, s, [0, 60]",
                    WAYMARK_REF(records.settle), 0, 60),
      DurationField("records.gap_after_s", "a silence this long is a gap, s, [10, 86400]",
                    WAYMARK_REF(records.gap_after), 10, kDay),
      DurationField("sampling.moving_interval_s", "between fixes in motion, s, [0, 3600]",
                    WAYMARK_REF(sampling.moving_interval), 0, kHour),
      DurationField("sampling.stationary_interval_s", "between fixes at rest, s, [0, 86400]",
                    WAYMARK_REF(sampling.stationary_interval), 0, kDay),
      DurationField("sampling.max_batch_delay_s", "hardware batching in background, s, [0, 3600]",
                    WAYMARK_REF(sampling.max_batch_delay), 0, kHour),
      NumberField("sampling.low_battery", "stretch intervals below this level, [0, 1]",
                  WAYMARK_REF(sampling.low_battery), 0, 1),
      NumberField("sampling.max_speed_mps", "fastest approach to a fence, m/s, [0.1, 340]",
                  WAYMARK_REF(sampling.max_speed_mps), 0.1, 340),
      BoolField("sampling.passive", "use only fixes that others ask for",
                WAYMARK_REF(sampling.passive)),
      TextField("upload.url", "https URL; empty: no upload", WAYMARK_REF(upload.url), UrlRule),
      TextField("upload.authorization", "secret Authorization header",
                WAYMARK_REF(upload.authorization), SecretRule),
      CountField<std::uint32_t>("upload.max_batch_records", "[1, 10000]",
                                WAYMARK_REF(upload.max_batch_records), 1, 10000),
      CountField<std::uint32_t>("upload.max_batch_bytes", "bytes of payload, [1024, 16777216]",
                                WAYMARK_REF(upload.max_batch_bytes), 1024, 16u << 20),
      DurationField("upload.max_latency_s", "a record waits at most this long, s, [0, 86400]",
                    WAYMARK_REF(upload.max_latency), 0, kDay),
      DurationField("upload.backoff_initial_s", "first retry delay, s, [1, 3600]",
                    WAYMARK_REF(upload.backoff_initial), 1, kHour),
      DurationField("upload.backoff_max_s", "longest retry delay, s, [1, 86400]",
                    WAYMARK_REF(upload.backoff_max), 1, kDay),
      DurationField("upload.timeout_s", "of one request, s, [1, 600]", WAYMARK_REF(upload.timeout),
                    1, 600),
      BoolField("upload.allow_metered", "upload over metered links",
                WAYMARK_REF(upload.allow_metered)),
      BoolField("upload.allow_roaming", "upload while roaming", WAYMARK_REF(upload.allow_roaming)),
      CountField<std::uint64_t>("store.max_records",
                                "kept before the oldest are dropped, [100, 1e9]",
                                WAYMARK_REF(store.max_records), 100, 1'000'000'000),
      CountField<std::uint64_t>("store.max_bytes", "payload bytes kept, [65536, 2^40]",
                                WAYMARK_REF(store.max_bytes), 65536, std::uint64_t{1} << 40),
      DurationField("store.max_age_s", "age at which records are dropped, s, [3600, 3.2e8]",
                    WAYMARK_REF(store.max_age), kHour, 3.2e8),
  };
  return fields;
}

#undef WAYMARK_REF

const Field* FindField(std::string_view name) {
  for (const Field& f : Fields()) {
    if (name == f.info.name) return &f;
  }
  return nullptr;
}

Status UnknownField(std::string_view name) {
  return Status(Code::kInvalidArgument, "config has no field '" + std::string(name.substr(0, 60)) +
                                            "'; ConfigFields() lists the names");
}

}  // namespace

std::vector<Config::Violation> Config::Validate() const {
  std::vector<Violation> violations;
  for (const Field& f : Fields()) {
    if (auto reason = f.check(*this)) violations.push_back({f.info.name, *reason});
  }
  if (upload.backoff_initial > upload.backoff_max) {
    violations.push_back(
        {"upload.backoff_initial_s", FormatNumber(Seconds(upload.backoff_initial)) +
                                         " exceeds upload.backoff_max_s " +
                                         FormatNumber(Seconds(upload.backoff_max))});
  }
  if (records.settle < estimator.reorder_window) {
    violations.push_back(
        {"records.settle_s", FormatNumber(Seconds(records.settle)) +
                                 " is below estimator.reorder_window_s " +
                                 FormatNumber(Seconds(estimator.reorder_window)) +
                                 ": a late fix would come after its point was stored"});
  }
  return violations;
}

std::vector<ConfigField> ConfigFields() {
  std::vector<ConfigField> out;
  for (const Field& f : Fields()) out.push_back(f.info);
  return out;
}

Status SetConfigField(Config& config, std::string_view name, std::string_view value) {
  const Field* f = FindField(name);
  return f ? f->set(config, value) : UnknownField(name);
}

Result<std::string> GetConfigField(const Config& config, std::string_view name) {
  const Field* f = FindField(name);
  if (!f) return UnknownField(name);
  if (name == "upload.authorization") return std::string();
  return f->get(config);
}

Result<Config> ConfigForProfile(std::string_view name) {
  using std::chrono::seconds;
  Config c;
  if (name == "balanced") return c;
  if (name == "navigation") {
    c.sampling.stationary_interval = seconds(1);
    c.records.max_error_m = 1;
    return c;
  }
  if (name == "low_power") {
    c.sampling.moving_interval = seconds(20);
    c.sampling.max_batch_delay = seconds(300);
    c.records.max_error_m = 10;
    c.upload.max_latency = seconds(3600);
    return c;
  }
  if (name == "passive") {
    c.sampling.passive = true;
    c.upload.max_latency = seconds(3600);
    return c;
  }
  return Status(Code::kInvalidArgument,
                "no profile '" + std::string(name.substr(0, 40)) +
                    "'; there are balanced, low_power, navigation, passive");
}

}  // namespace waymark
