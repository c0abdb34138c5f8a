#include "replay_tool/export_command.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "replay_tool/exit_status.h"
#include "replay_tool/output_file.h"
#include "replay_tool/track_writer.h"
#include "waymark/outbox.h"
#include "waymark/stored_record.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kRowsPerRead = 1000;
constexpr std::size_t kBytesPerRead = 1 << 20;

struct ExportFlags {
  std::string database;
  std::string format = "gpx";
  std::string out = "-";
};

// Calls `sink` for every readable record in order; counts the others.
Status ForEachRecord(Outbox& outbox, const std::function<void(const Record&)>& sink,
                     std::uint64_t& unreadable) {
  std::uint64_t after = 0;
  while (true) {
    const Result<std::vector<StoredRecord>> rows = outbox.Peek(after, kRowsPerRead, kBytesPerRead);
    if (!rows.ok()) return rows.status();
    if (rows.value().empty()) return Status();
    for (const StoredRecord& row : rows.value()) {
      after = row.seq;
      const Result<Record> record = DecodeStoredRecord(row);
      if (record.ok()) {
        sink(record.value());
      } else {
        ++unreadable;
      }
    }
  }
}

int RunExport(const ExportFlags& flags) {
  SqliteOutboxOptions options;
  options.path = flags.database;
  options.read_only = true;
  options.quarantine_corrupt = false;
  const Result<OpenedOutbox> opened = OpenSqliteOutbox(options);
  if (!opened.ok()) return Fail(kExitEnvironment, opened.status().message());
  Outbox& outbox = *opened.value().outbox;
  Result<OutputFile> out = OutputFile::Create(flags.out);
  if (!out.ok()) return Fail(kExitEnvironment, out.status().message());

  const std::unique_ptr<TrackWriter> writer = MakeTrackWriter(flags.format, out.value());
  std::uint64_t records = 0, unreadable = 0, ignored = 0;
  Status read = ForEachRecord(
      outbox, [&](const Record& r) { writer->Place(r); }, ignored);
  if (read.ok()) {
    read = ForEachRecord(
        outbox,
        [&](const Record& r) {
          ++records;
          writer->Add(r);
        },
        unreadable);
  }
  writer->Finish();
  const Status written = out.value().Close();
  if (!read.ok()) return Fail(kExitEnvironment, read.message());
  if (!written.ok()) return Fail(kExitEnvironment, written.message());
  if (unreadable > 0) {
    Warn(flags.database + ": " + std::to_string(unreadable) + " records not readable, left out");
  }
  if (records == 0) Warn(flags.database + ": no records (delivered ones are deleted)");
  return kExitDone;
}

}  // namespace

void AddExportCommand(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("export", "Write the stored track out of a database");
  auto flags = std::make_shared<ExportFlags>();
  command->add_option("database", flags->database, "A database of Waymark")
      ->type_name("DB")
      ->required();
  command->add_option("--format", flags->format, "Default gpx")
      ->type_name("gpx|geojson|csv|kml")
      ->check(CLI::IsMember({"gpx", "geojson", "csv", "kml"}));
  command->add_option("--out", flags->out, "Default: standard output")->type_name("FILE");
  command->footer("Example:\n  replay_tool export track.db --format geojson --out track.geojson");
  command->callback([flags, &exit_status] { exit_status = RunExport(*flags); });
}

}  // namespace waymark::replay
