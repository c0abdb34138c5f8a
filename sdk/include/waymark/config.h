// Config: every choice the application has, with its default, unit and range. Defaults stand here
// and nowhere else. As JSON, each dotted field name is a path: {"upload": {"url": "https://..."}};
// durations are numbers of seconds under the name that ends in _s.
#ifndef WAYMARK_CONFIG_H_
#define WAYMARK_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/estimator.h"
#include "waymark/export.h"
#include "waymark/outbox.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// A value; any thread. Nothing is checked before Validate() or Tracker::Create().
struct Config {
  std::string database_path;  ///< SQLite file; empty: in memory, nothing survives the process
  std::string
      installation;  ///< 1 to 64 of [A-Za-z0-9._-]; empty: made once and kept in the database

  EstimatorOptions estimator;  ///< see waymark/estimator.h

  struct Records {
    double max_error_m =
        3;  ///< the stored curve stays this close to the smoothed track; [0.1, 1000]
    Duration max_interval =
        std::chrono::seconds(60);  ///< a point at least this often in motion; [1 s, 1 d]
    double max_distance_m = 0;  ///< a point at least this often along the way; 0: no rule; [0, 1e6]
    double max_turn_deg = 0;    ///< a point at each turn this sharp; 0: no rule; [0, 180]
    double min_distance_m = 0;  ///< no two points of one motion closer than this; [0, 10000]
    Duration settle =
        std::chrono::seconds(10);  ///< smoothing lag before a point is stored; [0, 60] s
    Duration gap_after =
        std::chrono::seconds(120);  ///< a silence this long is a gap with a cause; [10 s, 1 d]
  } records;

  struct Sampling {
    Duration moving_interval = std::chrono::seconds(1);  ///< between fixes in motion; [0, 1 h]
    /// At rest; [0, 1 d]. Fences bring a fix forward here to 64 s, in motion to what max_speed_mps
    /// allows: with both intervals at 1 h, tracking is for geofences only (1-5 % of the fixes).
    Duration stationary_interval = std::chrono::seconds(300);
    Duration max_batch_delay{};  ///< hardware batching allowed in background; [0, 1 h]
    double low_battery = 0.15;   ///< below this level intervals stretch by 4; [0, 1]
    double max_speed_mps = 45;   ///< for the time to the nearest fence; (0, 340]
    bool passive = false;        ///< never switch the hardware on, use what others ask for
  } sampling;

  struct Upload {
    std::string url;  ///< https, or http to loopback; empty: no upload
    std::string
        authorization;  ///< secret; the Authorization header; never logged, journalled or saved
    std::uint32_t max_batch_records = 250;       ///< [1, 10000]
    std::uint32_t max_batch_bytes = 256 * 1024;  ///< of payload; [1 KiB, 16 MiB]
    Duration max_latency =
        std::chrono::seconds(900);  ///< a record waits at most this long while online; [0, 1 d]
    Duration backoff_initial = std::chrono::seconds(15);  ///< [1 s, 1 h]
    Duration backoff_max = std::chrono::seconds(3600);    ///< [backoff_initial, 1 d]
    Duration timeout = std::chrono::seconds(30);          ///< of one request; [1, 600] s
    bool allow_metered = true;  ///< upload over links that cost by the byte
    bool allow_roaming = true;  ///< upload in a foreign network
  } upload;

  OutboxLimits store;  ///< beyond them the oldest points are dropped, counted and told of

  /// One entry for each violated rule, cross-field rules included; empty: valid.
  struct Violation {
    std::string field;
    std::string reason;  ///< value, limit
  };
  WAYMARK_API std::vector<Violation> Validate() const;
};

/// A field by its dotted name, for JSON readers, command lines and bindings.
struct ConfigField {
  const char* name;         ///< "records.max_error_m"
  const char* description;  ///< with unit and range
};
/// All of them, in a fixed order. This and the functions below: any thread.
WAYMARK_API std::vector<ConfigField> ConfigFields();
/// Sets one field from text. kInvalidArgument: unknown name or text that is not of its type (range
/// is Validate()'s matter).
WAYMARK_API Status SetConfigField(Config& config, std::string_view name, std::string_view value);
/// The value as text that SetConfigField reads back; the secret upload.authorization gives "".
/// kInvalidArgument: unknown name.
WAYMARK_API Result<std::string> GetConfigField(const Config& config, std::string_view name);

/// Built-in choices: "navigation" (1 Hz, no batching), "balanced" (the defaults), "low_power",
/// "passive". kInvalidArgument lists the names.
WAYMARK_API Result<Config> ConfigForProfile(std::string_view name);

}  // namespace waymark

#endif  // WAYMARK_CONFIG_H_
