// The geofence engine: a set of fences of any number and shape, and the crossings that a stream of
// estimates causes.
#ifndef SDK_GEOFENCE_GEOFENCE_ENGINE_H_
#define SDK_GEOFENCE_GEOFENCE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/export.h"
#include "waymark/geofence.h"
#include "waymark/status.h"

namespace waymark {

/// Deterministic value without clocks, threads or globals; not thread-safe. Update allocates only
/// when an event fires or a fence changes its state.
class WAYMARK_API GeofenceEngine {
 public:
  GeofenceEngine();
  GeofenceEngine(const GeofenceEngine&);
  GeofenceEngine& operator=(const GeofenceEngine&);
  GeofenceEngine(GeofenceEngine&&) noexcept;
  GeofenceEngine& operator=(GeofenceEngine&&) noexcept;
  ~GeofenceEngine();

  /// Adds each fence, or replaces the one with its id. A fence that cannot be used is appended to
  /// `problems` and the rest is kept; so is the second of one id within the span. A replacement
  /// keeps the state (inside, since, hits): no second Enter, and an Exit if the new shape excludes
  /// the device. Adding an identical fence changes nothing.
  void Add(std::span<const Geofence> fences, std::vector<FenceProblem>& problems);
  /// Unknown ids are ignored. A removed fence gives no Exit. Returns how many were removed.
  std::size_t Remove(std::span<const std::string> ids);
  void Clear();
  std::optional<Geofence> Find(std::string_view id) const;
  std::optional<FenceState> State(std::string_view id) const;
  std::size_t size() const;
  /// All ids in increasing byte order.
  std::vector<std::string> Ids() const;
  /// Appends the ids of the fences that contain `p`, in increasing byte order. Remembers the last
  /// answer, since most questions are about a device that hardly moved: no call for two threads at
  /// once, const or not.
  void Containing(LatLon p, std::vector<std::string>& ids) const;

  /// The next estimate. Estimates that are not newer than the last one change nothing. Appends the
  /// events it causes, ordered by crossing time, then id.
  void Update(const Estimate& estimate, std::vector<FenceEvent>& out);
  /// Time passes without an estimate: dwell, expiry and opening hours. `utc_confirmed` says that
  /// now.utc was confirmed by GNSS or a server in this boot; without it UTC decides nothing.
  void Advance(const Stamp& now, bool utc_confirmed, std::vector<FenceEvent>& out);
  /// When Advance has something to do, if nothing else happens before.
  std::optional<MonoTime> NextDeadline() const;

  /// How far the device can be from the last estimate before any fence can change, uncertainty
  /// allowed for: metres, 0 next to a boundary or while a crossing is pending. A lower bound, at
  /// most kFarM. kFarM without fences; 0 before the first estimate of a set that is not empty.
  double NextCheckDistanceM() const;
  static constexpr double kFarM = 100'000;
  /// The earliest time after the last estimate at which a device no faster than `max_speed_mps` can
  /// cause a crossing. nullopt: not within kFarM. 0 where it may happen at once.
  std::optional<Duration> TimeToNearestPossibleEvent(double max_speed_mps) const;

  /// The definitions (set of fences), versioned and checksummed.
  void SaveFences(std::vector<std::byte>& out) const;
  /// Replaces the set and forgets all states. Anything else than ok() leaves the engine unchanged;
  /// any bytes are safe.
  Status RestoreFences(std::span<const std::byte> image);
  /// The dynamic state: the last estimate and every fence whose state is not the default one.
  void SaveState(std::vector<std::byte>& out) const;
  /// Call after RestoreFences (or Add). States of unknown fences are dropped. The first Update
  /// after it may carry an earlier monotonic time than the saved estimate: the device was rebooted.
  Status RestoreState(std::span<const std::byte> image);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace waymark

#endif  // SDK_GEOFENCE_GEOFENCE_ENGINE_H_
