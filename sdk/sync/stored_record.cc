#include "waymark/stored_record.h"

#include "sdk/sync/record_codec.h"

namespace waymark {

Result<Record> DecodeStoredRecord(const StoredRecord& row) {
  return sync::DecodeRecord(row.seq, row.payload);
}

}  // namespace waymark
