#include "replay_tool/export_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "replay_tool/command_steps.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/output_file.h"
#include "replay_tool/plural.h"
#include "replay_tool/standard_output.h"
#include "replay_tool/track_writer.h"
#include "waymark/outbox.h"
#include "waymark/stored_record.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kRowsPerRead = 1000;
constexpr std::size_t kBytesPerRead = 1 << 20;

struct ExportFlags {
  std::string database;
  std::vector<std::string> formats = {"gpx"};
  std::string out;
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

struct Export {
  std::string format, path;
};

// One format goes to --out or standard output; several go to files that differ in their extension.
std::vector<Export> Exports(const ExportFlags& flags) {
  if (flags.formats.size() == 1) {
    return {{flags.formats.front(), flags.out.empty() ? "-" : flags.out}};
  }
  std::vector<Export> exports;
  const std::string stem = flags.out.empty() ? flags.database : flags.out;
  for (const std::string& format : flags.formats) exports.push_back({format, stem + "." + format});
  return exports;
}

struct Counts {
  std::uint64_t records = 0, unreadable = 0;
};

// Writes one format; the exit status.
int Write(Outbox& outbox, const Export& wanted, Counts& counts) {
  Result<OutputFile> out = OutputFile::Create(wanted.path);
  if (!out.ok()) return Fail(kExitEnvironment, out.status().message());
  const std::unique_ptr<TrackWriter> writer = MakeTrackWriter(wanted.format, out.value());
  Counts places;
  Status read = ForEachRecord(
      outbox, [&](const Record& r) { writer->Place(r); }, places.unreadable);
  counts = Counts();
  if (read.ok()) {
    read = ForEachRecord(
        outbox,
        [&](const Record& r) {
          ++counts.records;
          writer->Add(r);
        },
        counts.unreadable);
  }
  writer->Finish();
  const Status written = out.value().Close();
  if (!read.ok()) return Fail(kExitEnvironment, read.message());
  if (!written.ok()) return Fail(kExitEnvironment, written.message());
  return kExitDone;
}

int RunExport(const ExportFlags& flags) {
  const std::vector<Export> exports = Exports(flags);
  CommandFiles files;
  files.ReadsDatabase("DB", flags.database);
  for (const Export& wanted : exports) files.Writes("--out", wanted.path);
  if (const int failed = CheckFiles(files); failed != kExitDone) return failed;
  SqliteOutboxOptions options;
  options.path = flags.database;
  options.read_only = true;
  options.quarantine_corrupt = false;
  const Result<OpenedOutbox> opened = OpenSqliteOutbox(options);
  if (!opened.ok()) return Fail(kExitEnvironment, opened.status().message());
  Counts counts;
  for (const Export& wanted : exports) {
    if (const int failed = Write(*opened.value().outbox, wanted, counts); failed != kExitDone) {
      return failed;
    }
    if (flags.formats.size() > 1) Say(fmt::format("{}\n", wanted.path));
  }
  if (counts.unreadable > 0) {
    Warn(flags.database + ": " + Plural(counts.unreadable, "record") + " not readable, left out");
  }
  if (counts.records == 0) Warn(flags.database + ": no records (delivered ones are deleted)");
  return kExitDone;
}

}  // namespace

void AddExportCommand(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("export", "Write the stored track out of a database");
  auto flags = std::make_shared<ExportFlags>();
  command->add_option("database", flags->database, "A database of Waymark")
      ->type_name("DB")
      ->required();
  command->add_option("--format", flags->formats, "One or several, with commas (default gpx)")
      ->type_name("gpx,geojson,csv,kml")
      ->delimiter(',')
      ->check(OneOf({"gpx", "geojson", "csv", "kml"}));
  command
      ->add_option("--out", flags->out,
                   "Default: standard output. Several formats: FILE.gpx, FILE.csv and so on "
                   "(default FILE: the database)")
      ->type_name("FILE");
  command->footer(
      "Examples:\n"
      "  replay_tool export track.db --format geojson --out track.geojson\n"
      "  replay_tool export track.db --format gpx,kml --out track");
  command->callback([flags, &exit_status] { exit_status = RunExport(*flags); });
}

}  // namespace waymark::replay
