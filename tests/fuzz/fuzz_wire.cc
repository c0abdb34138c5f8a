// Any bytes as a batch, as a stored record and as the uploader's saved state.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "sdk/sync/record_codec.h"
#include "sdk/sync/uploader.h"
#include "waymark/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto batch = waymark::DecodeBatch(bytes); batch.ok()) {
    // What decodes is valid: it survives another trip unchanged.
    const auto again = waymark::DecodeBatch(waymark::EncodeBatch(batch.value()));
    if (!again.ok() || again.value().records.size() != batch.value().records.size()) std::abort();
  }
  if (const auto record = waymark::sync::DecodeRecord(1, bytes); record.ok()) {
    const auto encoded = waymark::sync::EncodeRecord(record.value());
    if (!waymark::sync::DecodeRecord(1, encoded).ok()) std::abort();
  }
  waymark::sync::Uploader uploader({}, 1);
  (void)uploader.Restore(bytes).ok();
  return 0;
}
