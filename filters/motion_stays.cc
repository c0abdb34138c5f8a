// Model: a rest that has lasted is a stay, and ends the trip; leaving its surroundings ends the
// stay and begins the next trip. Between rests within the surroundings the stay goes on. Its place
// is the robust, weighted mean of the fixes of all its rests. Reference for stays as
// spatio-temporal clusters: Li et al., "Mining user similarity based on location history", GIS
// 2008.
#include <algorithm>
#include <cmath>

#include "filters/motion_detector.h"

namespace waymark {
namespace {

// Errors that all the fixes of a stay share (satellite orbits, multipath of the place), per axis.
constexpr double kSharedErrorM = 1.0;
// Errors decorrelate in about a minute (estimation.md finding 2).
constexpr double kDecorrelationS = 60;

}  // namespace

// Rest again: near the stay it goes on, elsewhere it has ended.
void MotionDetector::RestInStay(std::vector<MotionEvent>& out) {
  const double apart_m = std::hypot(state_.place.at.east_m - state_.stay_at.east_m,
                                    state_.place.at.north_m - state_.stay_at.north_m);
  if (way() == Way::kHeld) return;
  if (apart_m > std::max(options_.stay_radius_m, 3 * NoiseM())) LeaveStay(out);
}

// The place of a stay from all its rests.
MotionDetector::Place MotionDetector::StayPlace() const {
  const Place& before = state_.stay_place;
  Place now = state_.place;
  if (state_.motion != Motion::kStationary || now.fixes == 0) return before;
  if (before.fixes == 0) return now;
  // A rest on an excursion that is held back may be none.
  if (way() == Way::kHeld) return before;
  const double weight = before.weight + now.weight;
  const double k = weight > 0 ? before.weight / weight : 0;
  now.at.east_m += k * (before.at.east_m - now.at.east_m);
  now.at.north_m += k * (before.at.north_m - now.at.north_m);
  now.variance_m2 += k * (before.variance_m2 - now.variance_m2);
  now.scatter_m2 += k * (before.scatter_m2 - now.scatter_m2);
  now.weight = weight;
  now.fixes += before.fixes;
  now.first = before.first;
  return now;
}

// A rest that has lasted becomes a stay and ends the trip.
void MotionDetector::SettleStay(MonoTime now, const Distance& odometer,
                                std::vector<MotionEvent>& out) {
  if (state_.in_stay || state_.motion != Motion::kStationary ||
      now - state_.since < options_.min_stay) {
    return;
  }
  MotionEvent event;
  const LatLon here = frame_.FromLocal(state_.place.at);
  if (state_.in_trip) {
    event.kind = MotionEvent::Kind::kTripEnded;
    event.trip = TripNow(state_.since, here, odometer);
    out.push_back(event);
    state_.in_trip = false;
  }
  state_.in_stay = true;
  state_.stay = {};
  state_.stay.id = state_.next_id++;
  state_.stay.begin = state_.since;
  state_.stay_at = state_.place.at;
  state_.stay_place = {};
  event = {};
  event.kind = MotionEvent::Kind::kStayBegan;
  event.stay = StayNow(state_.since, state_.place);
  out.push_back(event);
}

// Out of the surroundings of the stay: it ended when the device departed.
void MotionDetector::LeaveStay(std::vector<MotionEvent>& out) {
  MotionEvent event;
  if (state_.in_stay) {
    event.kind = MotionEvent::Kind::kStayEnded;
    event.stay = StayNow(state_.departed, state_.stay_place);
    out.push_back(event);
    state_.in_stay = false;
    event = {};
  }
  state_.departing = false;
  state_.in_trip = true;
  state_.trip = {};
  state_.trip.id = state_.next_id++;
  state_.trip.begin = state_.trip.end = state_.departed;
  state_.trip.from = state_.trip.to = state_.departed_from;
  state_.trip_reading = state_.depart_reading;
  event.kind = MotionEvent::Kind::kTripBegan;
  event.trip = TripNow(state_.departed, state_.departed_from, state_.depart_reading);
  out.push_back(event);
}

void MotionDetector::Advance(MonoTime now, const Distance& odometer,
                             std::vector<MotionEvent>& out) {
  if (state_.started) SettleStay(now, odometer, out);
}

std::optional<MonoTime> MotionDetector::NextDeadline() const {
  if (!state_.started || state_.in_stay || state_.motion != Motion::kStationary) {
    return std::nullopt;
  }
  return state_.since + options_.min_stay;
}

void MotionDetector::Finish(const Distance& odometer, std::vector<MotionEvent>& out) {
  if (!state_.started) return;
  MotionEvent event;
  if (state_.in_stay) {
    event.kind = MotionEvent::Kind::kStayEnded;
    event.stay = StayNow(state_.last, StayPlace());
    out.push_back(event);
  } else if (state_.in_trip) {
    const LatLon here =
        state_.count > 0 ? frame_.FromLocal(At(state_.count - 1).at) : state_.departed_from;
    event.kind = MotionEvent::Kind::kTripEnded;
    event.trip = TripNow(state_.last, here, odometer);
    out.push_back(event);
  }
  const std::uint64_t next_id = state_.next_id;
  state_ = State();
  state_.next_id = next_id;
  state_.watch = StayWatch(tuning_.watch);
  frame_ = {};
}

Stay MotionDetector::StayNow(MonoTime end, const Place& place) const {
  Stay stay = state_.stay;
  stay.end = end;
  stay.begin_utc = UtcAt(stay.begin);
  stay.end_utc = UtcAt(end);
  stay.position = frame_.FromLocal(place.at);
  stay.fixes = place.fixes;
  const double independent = std::clamp(1 + Seconds(place.last - place.first) / kDecorrelationS,
                                        1.0, std::max(1.0, static_cast<double>(place.fixes)));
  const double variance_m2 = std::max(place.variance_m2, place.scatter_m2) / independent;
  stay.r68_m = kR68PerSigma * std::sqrt(variance_m2 + kSharedErrorM * kSharedErrorM);
  return stay;
}

Trip MotionDetector::TripNow(MonoTime end, LatLon to, const Distance& odometer) const {
  Trip trip = state_.trip;
  trip.end = end;
  trip.begin_utc = UtcAt(trip.begin);
  trip.end_utc = UtcAt(end);
  trip.to = to;
  const Distance way = Odometer::Between(state_.trip_reading, odometer);
  trip.distance_m = way.distance_m;
  trip.distance_bound_m = way.bound_m;
  return trip;
}

std::optional<Stay> MotionDetector::current_stay() const {
  if (!state_.in_stay) return std::nullopt;
  return StayNow(state_.last, StayPlace());
}

std::optional<Trip> MotionDetector::current_trip() const {
  if (!state_.in_trip) return std::nullopt;
  const LatLon here =
      state_.count > 0 ? frame_.FromLocal(At(state_.count - 1).at) : state_.departed_from;
  return TripNow(state_.last, here, state_.trip_reading);
}

std::optional<UtcTime> MotionDetector::UtcAt(MonoTime time) const {
  if (!state_.utc_minus_mono_ms) return std::nullopt;
  return UtcTime(std::chrono::milliseconds(time.time_since_epoch().count() / 1'000'000 +
                                           *state_.utc_minus_mono_ms));
}

}  // namespace waymark
