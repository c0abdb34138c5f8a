// Row and wire: what goes in comes out, and any bytes at all are safe.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sdk/sync/record_codec.h"
#include "support/record_gen.h"
#include "waymark/wire.h"

namespace waymark {
namespace {

std::vector<std::byte> AnyBytes() {
  std::vector<std::byte> bytes;
  for (const auto b : *rc::gen::arbitrary<std::vector<std::uint8_t>>())
    bytes.push_back(std::byte{b});
  return bytes;
}

// Bytes compare every field of the record, whatever its kind.
bool Same(const Record& a, const Record& b) {
  return a.seq == b.seq && sync::EncodeRecord(a) == sync::EncodeRecord(b);
}

Batch AnyBatch() {
  Batch batch;
  batch.installation = "phone-1";
  std::uint64_t seq = *rc::gen::inRange<std::uint64_t>(0, 1u << 20);
  const int count = *rc::gen::inRange(0, 60);
  for (int i = 0; i < count; ++i) {
    seq += *rc::gen::oneOf(rc::gen::just<std::uint64_t>(1), rc::gen::inRange<std::uint64_t>(1, 99));
    batch.records.push_back(testing::AnyRecord(seq));
  }
  return batch;
}

// A small damage: a byte changed, the end cut, bytes added.
std::vector<std::byte> Damaged(std::vector<std::byte> bytes) {
  const int edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits && !bytes.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        bytes[at] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
        break;
      case 1:
        bytes.resize(at);
        break;
      default:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::byte{0xff});
    }
  }
  return bytes;
}

RC_GTEST_PROP(RecordCodec, RoundTripsExactly, ()) {
  const auto seq = *rc::gen::inRange<std::uint64_t>(1, UINT64_MAX);
  const Record record = testing::AnyRecord(seq);
  const auto bytes = sync::EncodeRecord(record);
  const auto again = sync::DecodeRecord(seq, bytes);
  RC_ASSERT(again.ok());
  RC_ASSERT(again.value().kind() == record.kind());
  RC_ASSERT(again.value().session == record.session && again.value().utc == record.utc);
  RC_ASSERT(Same(again.value(), record));
}

RC_GTEST_PROP(RecordCodec, AnyBytesAreSafe, ()) {
  (void)sync::DecodeRecord(1, AnyBytes()).ok();
  const auto again = sync::DecodeRecord(1, Damaged(sync::EncodeRecord(testing::AnyRecord(1))));
  if (again.ok()) RC_ASSERT(Same(sync::Quantised(again.value()), again.value()));
}

RC_GTEST_PROP(Wire, RoundTripsExactly, ()) {
  const Batch batch = AnyBatch();
  const auto again = DecodeBatch(EncodeBatch(batch));
  RC_ASSERT(again.ok());
  RC_ASSERT(again.value().installation == batch.installation);
  RC_ASSERT(again.value().records.size() == batch.records.size());
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    RC_ASSERT(Same(again.value().records[i], batch.records[i]));
  }
}

RC_GTEST_PROP(Wire, AnyBytesAreSafe, ()) {
  (void)DecodeBatch(AnyBytes()).ok();
  const auto again = DecodeBatch(Damaged(EncodeBatch(AnyBatch())));
  if (again.ok()) RC_ASSERT(DecodeBatch(EncodeBatch(again.value())).ok());
}

}  // namespace
}  // namespace waymark
