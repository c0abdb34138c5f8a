#include "replay_tool/trace_flags.h"

#include <CLI/CLI.hpp>
#include <string>

#include "replay_tool/flag_checks.h"
#include "replay_tool/number_text.h"

namespace waymark::replay {

void AddTraceFlags(CLI::App& command, ReadOptions& options) {
  const std::string group = "How traces are read";
  command.add_flag("--routes", options.routes, "Read route points of a GPX too")->group(group);
  command
      .add_option("--assume-interval", options.assume_interval_s,
                  "Seconds between points of a GPX that has no times")
      ->type_name("SECONDS")
      ->check(Within(0.001, 86400.0))
      ->group(group);
  command
      .add_option_function<std::string>(
          "--assume-date",
          [&options](const std::string& text) {
            options.assume_date = ParseIsoTime(text + "T00:00:00Z");
            if (!options.assume_date) {
              throw CLI::ValidationError("--assume-date", "'" + text + "' is not YYYY-MM-DD");
            }
          },
          "Day of the first fix of an NMEA log that names no date")
      ->type_name("YYYY-MM-DD")
      ->group(group);
  command
      .add_option("--accuracy", options.accuracy_m,
                  "Horizontal accuracy in metres (68 %) of fixes that come without one")
      ->type_name("METRES")
      ->check(Within(0.001, 1e6))
      ->group(group);
}

}  // namespace waymark::replay
