// Little-endian images with a bound on every read.
#ifndef SDK_GEOFENCE_BYTE_CODEC_H_
#define SDK_GEOFENCE_BYTE_CODEC_H_

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waymark::geofence {

class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}
  template <std::integral T>
  void Int(T value) {
    auto v = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i, v >>= 8) {
      out_.push_back(static_cast<std::byte>(v & 0xff));
    }
  }
  void Double(double value) { Int(std::bit_cast<std::uint64_t>(value)); }
  void Bool(bool value) { Int(static_cast<std::uint8_t>(value)); }
  void Text(std::string_view text) {
    Int(static_cast<std::uint32_t>(text.size()));
    const auto* p = reinterpret_cast<const std::byte*>(text.data());
    out_.insert(out_.end(), p, p + text.size());
  }

 private:
  std::vector<std::byte>& out_;
};

/// Reads past the end give zeros and make ok() false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> in) : in_(in) {}
  template <std::integral T>
  T Int() {
    std::uint64_t v = 0;
    if (!Need(sizeof(T))) return T{};
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      v |= static_cast<std::uint64_t>(in_[at_ + i]) << (8 * i);
    }
    at_ += sizeof(T);
    return static_cast<T>(v);
  }
  double Double() { return std::bit_cast<double>(Int<std::uint64_t>()); }
  bool Bool() { return Int<std::uint8_t>() != 0; }
  std::string Text(std::size_t limit) {
    const auto size = Int<std::uint32_t>();
    if (size > limit || !Need(size)) {
      ok_ = false;
      return {};
    }
    std::string text(reinterpret_cast<const char*>(in_.data()) + at_, size);
    at_ += size;
    return text;
  }
  /// A count of items of at least `item_bytes` each: never more than the rest can hold.
  std::size_t Count(std::size_t item_bytes) {
    const auto n = Int<std::uint32_t>();
    if (n > (in_.size() - at_) / item_bytes) {
      ok_ = false;
      return 0;
    }
    return n;
  }
  bool ok() const { return ok_; }
  bool AtEnd() const { return at_ == in_.size(); }

 private:
  bool Need(std::size_t n) {
    if (n > in_.size() - at_) ok_ = false;
    return ok_;
  }
  std::span<const std::byte> in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Frames `body`: magic, version, length, checksum, bytes.
void AppendImage(std::uint32_t magic, std::uint32_t version, std::span<const std::byte> body,
                 std::vector<std::byte>& out);
/// The body of an intact image; nullopt otherwise.
std::optional<std::span<const std::byte>> OpenImage(std::uint32_t magic, std::uint32_t version,
                                                    std::span<const std::byte> image);

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_BYTE_CODEC_H_
