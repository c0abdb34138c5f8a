// Little byte streams with variable-length integers (LEB128, zigzag for signed ones, as protobuf
// defines them). The reader is total: after the first failure it stays failed and gives zeros.
#ifndef WAYMARK_SDK_SYNC_BYTE_IO_H_
#define WAYMARK_SDK_SYNC_BYTE_IO_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waymark::sync {

constexpr std::uint64_t ZigZag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t UnZigZag(std::uint64_t v) {
  return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
}

class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}

  void Byte(std::uint8_t b) { out_.push_back(std::byte{b}); }
  void Varint(std::uint64_t v) {
    while (v >= 0x80) {
      Byte(static_cast<std::uint8_t>(v | 0x80));
      v >>= 7;
    }
    Byte(static_cast<std::uint8_t>(v));
  }
  void Signed(std::int64_t v) { Varint(ZigZag(v)); }
  void Fixed32(std::int32_t v) {
    auto u = static_cast<std::uint32_t>(v);
    for (int i = 0; i < 4; ++i, u >>= 8) Byte(static_cast<std::uint8_t>(u));
  }
  void Bytes(std::span<const std::byte> bytes) {
    Varint(bytes.size());
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void Text(std::string_view text) { Bytes(std::as_bytes(std::span(text.data(), text.size()))); }

 private:
  std::vector<std::byte>& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> in) : in_(in) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && in_.empty(); }

  std::uint8_t Byte() {
    if (in_.empty()) return Fail();
    const auto b = std::to_integer<std::uint8_t>(in_.front());
    in_ = in_.subspan(1);
    return b;
  }
  std::uint64_t Varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = Byte();
      if (!ok_ || (shift == 63 && b > 1)) return Fail();
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    return Fail();
  }
  std::int64_t Signed() { return UnZigZag(Varint()); }
  std::int32_t Fixed32() {
    std::uint32_t u = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) u |= std::uint32_t{Byte()} << shift;
    return static_cast<std::int32_t>(u);
  }
  std::span<const std::byte> Bytes() {
    const std::uint64_t size = Varint();
    if (size > in_.size()) {
      Fail();
      return {};
    }
    const auto bytes = in_.first(static_cast<std::size_t>(size));
    in_ = in_.subspan(static_cast<std::size_t>(size));
    return bytes;
  }
  std::string Text() {
    const auto bytes = Bytes();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::uint8_t Fail() {
    ok_ = false;
    in_ = {};
    return 0;
  }

 private:
  std::span<const std::byte> in_;
  bool ok_ = true;
};

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_BYTE_IO_H_
