// The peers: what others do with the same fixes, from their published rules, in our own words.
// Each is judged exactly as our own estimates are.
#ifndef WAYMARK_REPLAY_TOOL_BASELINES_H_
#define WAYMARK_REPLAY_TOOL_BASELINES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replay_tool/track_point.h"
#include "waymark/smoother.h"

namespace waymark::replay {

enum class Peer : std::uint8_t {
  kRaw,       ///< the fixes themselves
  kCv,        ///< plain constant-velocity Kalman filter
  kCvGate,    ///< the same with a chi-square gate and a reset
  kGate,      ///< gate of the commercial leader's default policy, Conservative
  kOrganic,   ///< Organic Maps' GpsTrackFilter
  kGpsbabel,  ///< GPSBabel's kalman, profile auto, without its filling of gaps
};

struct PeerName {
  Peer peer;
  std::string_view name;
  std::string_view rule;
};
std::span<const PeerName> PeerNames();
std::optional<Peer> PeerFromName(std::string_view name);

/// A peer's answer to a trace.
struct PeerTrack {
  /// What it showed right after each fix, from its first answer on; utc_ms is the newest time so
  /// far. `arrivals` says when, one for each.
  std::vector<TrackPoint> live;
  std::vector<MonoTime> arrivals;
  /// Its track when everything is known: the points it keeps, in order of time.
  std::vector<TrackPoint> track;
  /// Between fixes its live position moves on with speed and course; else it stands.
  bool predicts = false;
};

/// `fixes` in order of delivery, each with its UTC; where a fix has no accuracy,
/// `default_accuracy_m` stands for it.
PeerTrack RunPeer(Peer peer, std::span<const DeliveredFix> fixes, double default_accuracy_m);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_BASELINES_H_
