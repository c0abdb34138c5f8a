// Status and Result: how an environment failure is reported. Bad data is a Verdict, never a Status.
#ifndef WAYMARK_STATUS_H_
#define WAYMARK_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace waymark {

/// The values are frozen: they are the C ABI's and the journal's too. Append only.
enum class Code : std::int32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kFailedPrecondition = 2,
  kPermissionDenied = 3,
  kUnavailable = 4,
  kDeadlineExceeded = 5,
  kResourceExhausted = 6,
  kCorruption = 7,
  kIo = 8,
  kUnsupported = 9,
  kCancelled = 10,
  kInternal = 11,
};

/// A stable lower_snake name for `code` ("ok", "invalid_argument", ...). Never null.
constexpr const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kFailedPrecondition:
      return "failed_precondition";
    case Code::kPermissionDenied:
      return "permission_denied";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kDeadlineExceeded:
      return "deadline_exceeded";
    case Code::kResourceExhausted:
      return "resource_exhausted";
    case Code::kCorruption:
      return "corruption";
    case Code::kIo:
      return "io";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

/// Success, or a code with a message that says what, where, why and what to do.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == Code::kOk; }
  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  /// States that this failure is meant to be ignored here.
  void Ignore() const {}

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

/// A T, or the Status that says why there is none. value() requires ok().
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    if (status_.ok()) status_ = Status(Code::kInternal, "Result made from an ok Status");
  }

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const noexcept { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  /// By value, so that `for (auto& x : F().value())` does not dangle.
  T value() && { return std::move(*value_); }
  T value_or(T other) const& { return value_ ? *value_ : std::move(other); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace waymark

#endif  // WAYMARK_STATUS_H_
