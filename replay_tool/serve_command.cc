#include "replay_tool/serve_command.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "replay_tool/collector.h"
#include "replay_tool/command_steps.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/standard_output.h"

namespace waymark::replay {
namespace {

int FailToStart(const Status& status) {
  // What is malformed is the command line's fault, the rest the environment's.
  return Fail(status.code() == Code::kInvalidArgument ? kExitUsage : kExitEnvironment,
              status.message());
}

}  // namespace

int RunServe(const ServeArguments& arguments) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);  // inherited by the server's threads

  CommandFiles files;
  files.Reads("--script", arguments.script);
  for (const char* name : {"/records.jsonl", "/requests.jsonl"}) {
    files.Writes("--out", arguments.out + name);
  }
  if (const int failed = CheckFiles(files); failed != kExitDone) return failed;

  CollectorOptions options;
  options.listen = arguments.listen;
  options.directory = arguments.out;
  options.max_body_bytes = arguments.max_body_bytes;
  if (!arguments.script.empty()) {
    Result<CollectorScript> script = CollectorScript::Load(arguments.script);
    if (!script.ok()) return Fail(kExitInput, script.status().message());
    options.script = std::move(script).value();
  }
  Result<std::unique_ptr<Collector>> collector = Collector::Start(std::move(options));
  if (!collector.ok()) return FailToStart(collector.status());

  Say(fmt::format("listening on {}, writing to {} ({} records there)\n", collector.value()->url(),
                  arguments.out, collector.value()->records()));
  FlushStandardOutput();
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  Say(fmt::format("{} requests; {} records in {}/records.jsonl\n", collector.value()->requests(),
                  collector.value()->records(), arguments.out));
  return kExitDone;
}

void AddServeCommand(CLI::App& app, int& exit_status) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* serve = app.add_subcommand(
      "serve",
      "Receive batches and write each record once, as JSON lines (the reference collector)");
  serve->add_option("--listen", arguments->listen, "Where; port 0 takes a free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  serve->add_option("--out", arguments->out, "Folder for records.jsonl and requests.jsonl")
      ->type_name("DIR")
      ->required();
  serve
      ->add_option("--script", arguments->script,
                   "JSON list of answers, to rehearse failures (below)")
      ->type_name("FILE");
  serve->add_option("--max-body-bytes", arguments->max_body_bytes, "Larger requests get 413")
      ->type_name("BYTES")
      ->check(WholeNumber())
      ->capture_default_str();
  serve->footer(
      "Example:\n"
      "  replay_tool serve --listen 127.0.0.1:8080 --out received\n\n"
      "A script names requests from 1 (request, or from and to) or a record (contains_seq), and\n"
      "what becomes of them (status, retry_after_s, retry_after_as_date, delay_ms, close):\n"
      "  [{\"request\": 1, \"status\": 503, \"retry_after_s\": 2}, {\"request\": 4, \"close\": "
      "true}]");
  serve->callback([arguments, &exit_status] { exit_status = RunServe(*arguments); });
}

}  // namespace waymark::replay
