// How a component of filters/ writes its state into a snapshot and reads it back: little-endian
// whatever the host, versioned blocks with a length, and a reader that any bytes leave safe.
#ifndef WAYMARK_FILTERS_STATE_BYTES_H_
#define WAYMARK_FILTERS_STATE_BYTES_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// Monotonic times beyond this (146 years) are refused at the intake and in a snapshot.
inline constexpr std::int64_t kMaxTimeNs = (std::int64_t{1} << 62) - 1;

/// Appends numbers to a byte vector.
class StateWriter {
 public:
  explicit StateWriter(std::vector<std::byte>& out) : out_(out) {}

  /// Opens a block; returns the mark that EndBlock takes. Blocks may nest.
  std::size_t BeginBlock(std::uint32_t tag, std::uint16_t version) {
    U32(tag);
    U16(version);
    const std::size_t mark = out_.size();
    U32(0);
    return mark;
  }
  void EndBlock(std::size_t mark) {
    const std::uint64_t length = out_.size() - mark - 4;
    for (std::size_t i = 0; i < 4; ++i) out_[mark + i] = static_cast<std::byte>(length >> (8 * i));
  }

  void U8(std::uint8_t v) { Raw(v, 1); }
  void U16(std::uint16_t v) { Raw(v, 2); }
  void U32(std::uint32_t v) { Raw(v, 4); }
  void U64(std::uint64_t v) { Raw(v, 8); }
  void I64(std::int64_t v) { Raw(static_cast<std::uint64_t>(v), 8); }
  void Bool(bool v) { U8(v ? 1 : 0); }
  void Bytes(std::span<const std::byte> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  /// Behind their number.
  void SizedBytes(std::span<const std::byte> bytes) {
    U32(static_cast<std::uint32_t>(bytes.size()));
    Bytes(bytes);
  }
  void F64(double v) { U64(std::bit_cast<std::uint64_t>(v)); }
  /// Each as F64, at once: growing the vector costs more than a number.
  void F64s(std::initializer_list<double> values) {
    const std::size_t at = out_.size();
    out_.resize(at + 8 * values.size());
    std::byte* to = out_.data() + at;
    for (const double v : values) {
      const std::array<std::byte, 8> bytes = Image(std::bit_cast<std::uint64_t>(v));
      to = std::copy(bytes.begin(), bytes.end(), to);
    }
  }
  void Time(MonoTime t) { I64(t.time_since_epoch().count()); }
  void Utc(UtcTime t) { I64(t.time_since_epoch().count()); }
  void Position(LatLon p) {
    F64(p.lat_deg);
    F64(p.lon_deg);
  }
  void OptF64(const std::optional<double>& v) {
    Bool(v.has_value());
    if (v) F64(*v);
  }
  void OptTime(const std::optional<MonoTime>& v) {
    Bool(v.has_value());
    if (v) Time(*v);
  }
  void OptUtc(const std::optional<UtcTime>& v) {
    Bool(v.has_value());
    if (v) Utc(*v);
  }

 private:
  static std::array<std::byte, 8> Image(std::uint64_t v) {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(v >> (8 * i));
    return bytes;
  }
  void Raw(std::uint64_t v, std::size_t n) {
    const std::array<std::byte, 8> bytes = Image(v);
    out_.insert(out_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
  }
  std::vector<std::byte>& out_;
};

/// Reads what StateWriter wrote. The first read that cannot be honoured fails the reader; from
/// then on every read gives zero, so a caller checks ok() once, at the end.
class StateReader {
 public:
  explicit StateReader(std::span<const std::byte> in) : in_(in) {}

  bool ok() const { return ok_; }
  /// Everything was read, and nothing went wrong.
  bool done() const { return ok_ && at_ == in_.size(); }
  void Fail() { ok_ = false; }

  /// Enters a block: the bytes of its content. Fails unless tag matches and 1 <= version <= newest.
  std::span<const std::byte> Block(std::uint32_t tag, std::uint16_t newest,
                                   std::uint16_t* version = nullptr) {
    const std::uint32_t found_tag = U32();
    const std::uint16_t found_version = U16();
    const std::uint32_t length = U32();
    if (!ok_ || found_tag != tag || found_version < 1 || found_version > newest ||
        length > in_.size() - at_) {
      Fail();
      return {};
    }
    if (version != nullptr) *version = found_version;
    const std::span<const std::byte> content = in_.subspan(at_, length);
    at_ += length;
    return content;
  }

  /// The next block whole, header included, whatever its tag: to hand to a component's Restore.
  std::span<const std::byte> NextBlock() {
    const std::size_t begin = at_;
    U32();
    U16();
    const std::uint32_t length = U32();
    if (!ok_ || length > in_.size() - at_) {
      Fail();
      return {};
    }
    at_ += length;
    return in_.subspan(begin, at_ - begin);
  }

  std::uint8_t U8() { return static_cast<std::uint8_t>(Raw(1)); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Raw(2)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Raw(4)); }
  std::uint64_t U64() { return Raw(8); }
  std::int64_t I64() { return static_cast<std::int64_t>(Raw(8)); }
  /// Only 0 and 1 are booleans.
  bool Bool() {
    const std::uint8_t v = U8();
    if (v > 1) Fail();
    return v == 1;
  }
  /// An enumerator in [0, count).
  template <class E>
  E Enum(std::uint8_t count) {
    const std::uint8_t v = U8();
    if (v >= count) Fail();
    return v < count ? static_cast<E>(v) : E{};
  }
  /// A count in [0, limit].
  std::uint32_t Count(std::uint32_t limit) {
    const std::uint32_t v = U32();
    if (v > limit) Fail();
    return ok_ ? v : 0;
  }
  /// What SizedBytes wrote; of the bytes that are read.
  std::span<const std::byte> SizedBytes() {
    const std::uint32_t size = U32();
    if (!ok_ || size > in_.size() - at_) {
      Fail();
      return {};
    }
    at_ += size;
    return in_.subspan(at_ - size, size);
  }
  /// No state of ours holds a number that is not finite.
  double F64() {
    const double v = std::bit_cast<double>(Raw(8));
    if (!std::isfinite(v)) Fail();
    return ok_ ? v : 0;
  }
  /// Within kMaxTimeNs of zero, so that the difference of any two times fits.
  MonoTime Time() {
    const std::int64_t ns = I64();
    if (ns < -kMaxTimeNs || ns > kMaxTimeNs) Fail();
    return ok_ ? MonoTime(Duration(ns)) : MonoTime{};
  }
  UtcTime Utc() { return UtcTime(std::chrono::milliseconds(I64())); }
  LatLon Position() {
    LatLon p;
    p.lat_deg = F64();
    p.lon_deg = F64();
    if (p.lat_deg < -90 || p.lat_deg > 90 || p.lon_deg < -180 || p.lon_deg >= 180) Fail();
    return ok_ ? p : LatLon{};
  }
  std::optional<double> OptF64() { return Bool() ? std::optional<double>(F64()) : std::nullopt; }
  std::optional<MonoTime> OptTime() {
    return Bool() ? std::optional<MonoTime>(Time()) : std::nullopt;
  }
  std::optional<UtcTime> OptUtc() { return Bool() ? std::optional<UtcTime>(Utc()) : std::nullopt; }

 private:
  std::uint64_t Raw(std::size_t n) {
    if (!ok_ || in_.size() - at_ < n) {
      ok_ = false;
      return 0;
    }
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < n; ++i) {
      v |= static_cast<std::uint64_t>(in_[at_ + i]) << (8 * i);
    }
    at_ += n;
    return v;
  }
  std::span<const std::byte> in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

inline Status CorruptState(const char* component) {
  return Status(Code::kCorruption, std::string("the saved state of the ") + component +
                                       " is damaged or of a newer version; it starts afresh");
}

}  // namespace waymark

#endif  // WAYMARK_FILTERS_STATE_BYTES_H_
