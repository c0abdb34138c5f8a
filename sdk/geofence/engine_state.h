// The engine's innards, shared by its files: crossing decisions, time, persistence.
#ifndef SDK_GEOFENCE_ENGINE_STATE_H_
#define SDK_GEOFENCE_ENGINE_STATE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "sdk/geofence/fence_follower.h"
#include "sdk/geofence/fence_index.h"
#include "sdk/geofence/fence_table.h"
#include "sdk/geofence/free_region.h"
#include "sdk/geofence/geofence_engine.h"
#include "sdk/geofence/path_segment.h"
#include "sdk/geofence/rest_anchor.h"

namespace waymark {

namespace geofence {

/// A fence that is inside, undecided, waiting for confirmation, or only just left.
struct LiveFence {
  FenceIndex fence = 0;
  bool inside = false;
  bool announced = false;
  bool undecided = false;    ///< added while the position could not tell the side
  bool dwell_done = false;   ///< for this visit
  bool cancel_told = false;  ///< one cancelled crossing was reported since the last crossing
  bool was_open = true;      ///< at the last look
  bool has_since = false;
  bool settled = false;   ///< scratch: deep inside at this step
  MonoTime since{};       ///< of the side
  MonoTime dwell_from{};  ///< when the announced visit began
  std::uint32_t hits = 0;
  double extreme_m = 0;  ///< the signed distance deepest on the present side since `since`
  double extreme_variance_m2 = 0;  ///< of one axis of the estimate that went there
  bool pending = false;
  double pending_best = 0;  ///< the highest probability of the other side so far
  MonoTime pending_crossing{}, pending_from{};
  LatLon pending_position;

  void Deepen(double distance_m, double variance_m2) {
    if (inside ? distance_m >= extreme_m : distance_m <= extreme_m) return;
    extreme_m = distance_m;
    extreme_variance_m2 = variance_m2;
  }
  void SetExtreme(double distance_m, double variance_m2) {
    extreme_m = distance_m;
    extreme_variance_m2 = variance_m2;
  }
};

/// What remains of a fence that was visited and left.
struct PastFence {
  FenceIndex fence = 0;
  std::uint32_t hits = 0;
  MonoTime since{};
};

/// The last estimate, as far as the next decision needs it.
struct LastEstimate {
  MonoTime time{};
  std::optional<UtcTime> utc;
  LatLon position;
  PositionCovariance covariance;
};

}  // namespace geofence

struct GeofenceEngine::Impl {
  geofence::FenceTable table;
  geofence::FenceIndexer index;
  /// Per fence: whether it is in `live`, in `past`, or was added after the last estimate.
  std::vector<std::uint8_t> flags;
  std::vector<geofence::LiveFence> live;  ///< in increasing order of the fence's index
  std::vector<geofence::PastFence> past;  ///< likewise
  std::vector<geofence::FenceIndex> fresh;
  std::vector<std::pair<UtcTime, geofence::FenceIndex>> expiries;  ///< a heap, earliest first
  std::optional<geofence::LastEstimate> last;
  geofence::RestAnchor rest;
  MonoTime last_advance{};  ///< until when dwell and opening hours were looked at
  bool resumed = false;     ///< the next estimate may carry the times of another boot
  /// UTC minus monotonic time, once confirmed.
  std::optional<Duration> utc_minus_mono;
  double sure_sigmas = 1.5;  ///< beyond so many sigma no fence of the set can be in doubt
  geofence::Surroundings surroundings;            ///< scratch
  Estimate anchored;                              ///< scratch
  std::vector<geofence::FenceIndex> candidates;   ///< scratch
  std::vector<geofence::FenceIndex> to_index;     ///< scratch of a bulk
  std::optional<geofence::SurfacePoint> surface;  ///< of a recent estimate, often the last
  geofence::FenceFollower follower;               ///< of Containing
  /// While the estimates stay in it no boundary is crossed, and nothing is in doubt. Part of the
  /// saved state: what is skipped must not depend on a restart.
  geofence::FreeRegion skip;
  std::optional<MonoTime> next_deadline_of_live;  ///< dwell and opening hours

  static constexpr std::uint8_t kLive = 1, kPast = 2, kFresh = 4;

  void Put(const Geofence& fence, bool trusted, std::size_t position,
           std::vector<FenceProblem>& problems);
  void RemoveIndex(geofence::FenceIndex i);
  void AfterBulk();
  std::optional<UtcTime> UtcAt(MonoTime t) const;
  bool OpenAt(geofence::FenceIndex i, MonoTime t) const;

  geofence::LiveFence* FindLive(geofence::FenceIndex i);
  const geofence::LiveFence* FindLive(geofence::FenceIndex i) const;
  geofence::LiveFence& MakeLive(geofence::FenceIndex i);
  void Retire(const geofence::LiveFence& fence);
  void Rebase(const Estimate& estimate);
  void UpdateSkip(LatLon at);
  void Remember(const Estimate& estimate, LatLon at);
  void StepTo(const Estimate& estimate, LatLon at, std::vector<FenceEvent>& out);
  void RetraceWayOff(const Estimate& now, std::vector<FenceEvent>& out);
  void RefreshDeadline();
  void DoAdvance(MonoTime now, std::vector<FenceEvent>& out);
};

namespace geofence {

/// One update: the step from the last estimate to the next.
class Step {
 public:
  /// `at` is the position of the estimate.
  Step(GeofenceEngine::Impl& engine, const Estimate& estimate, LatLon at,
       std::vector<FenceEvent>& out);
  /// Whether the state of any fence may have changed.
  bool Run();

 private:
  struct Moment {
    MonoTime time{};
    LatLon position;
  };
  void Gather(double reach_m);
  bool IsClear(LiveFence& live) const;
  bool RetireLeft();
  void Prepare();
  void Decide(FenceIndex i);
  void DecideFirst(FenceIndex i, const FenceShapeView& shape);
  void Judge(FenceIndex i, const FenceShapeView& shape, const Stretch& stretch, bool first,
             bool final, LiveFence*& live);
  void Cross(LiveFence& live, bool inside, const Moment& crossing, double probability,
             double distance_m, MonoTime evidence_from);
  void Cancel(LiveFence& live, double probability, double distance_m);
  void Emit(const LiveFence& live, FenceTransition trigger, FenceRejection rejection,
            const Moment& crossing, double probability, double distance_m, MonoTime evidence_from);
  Moment MomentAt(double s_m) const;
  PositionCovariance CovarianceAt(double s_m) const;

  GeofenceEngine::Impl& engine_;
  const Estimate& estimate_;
  std::vector<FenceEvent>& out_;
  LatLon at_;
  PositionCovariance covariance_;
  double sigma_m_ = 0;
  double variance_m2_ = 0;  ///< of one axis
  bool has_way_ = false;
  double length_m_ = 0;  ///< of the way; at least that until Prepare()
  /// What exact distances need: made when the first fence asks.
  std::optional<SurfacePoint> from_, to_;
  std::optional<PathSegment> segment_;
  double cap_m_ = 0;
  BoundaryDistance at_end_;
};

}  // namespace geofence
}  // namespace waymark

#endif  // SDK_GEOFENCE_ENGINE_STATE_H_
