// Root isolation for a 1-Lipschitz function (the signed distance along the way), by bisection: an
// interval [s, t] of length l with |d(s)| + |d(t)| > l and equal signs has no root; otherwise it is
// halved, down to kResolutionM.
#include "sdk/geofence/path_segment.h"

#include <algorithm>
#include <optional>

namespace waymark::geofence {
namespace {

// A root is known to this much. Half the tie: the side of everything outside the tie is right.
constexpr double kResolutionM = 0.005;
// Longer segments follow the geodesic itself; on a shorter one the chord strays by less than 1 mm.
constexpr double kChordSegmentM = 4000;

struct Sample {
  double s_m = 0;
  BoundaryDistance d;
};

class Finder {
 public:
  Finder(const FenceShapeView& shape, const PathSegment& segment, double cap_m, Stretches& out)
      : shape_(shape), segment_(segment), cap_m_(cap_m), out_(out) {}

  void Begin(const Sample& a) {
    open_ = Stretch{.inside = a.d.distance_m < 0,
                    .begin_m = a.s_m,
                    .end_m = a.s_m,
                    .extreme_at_m = a.s_m,
                    .extreme = a.d};
  }

  void Visit(const Sample& a, const Sample& b, int depth) {
    const double length = b.s_m - a.s_m;
    const bool same = (a.d.distance_m < 0) == (b.d.distance_m < 0);
    const double spare = std::fabs(a.d.distance_m) + std::fabs(b.d.distance_m) - length;
    if ((same && spare > -2 * kResolutionM && !Deeper(spare, length)) || length < kResolutionM ||
        depth > 48) {
      Take(b);
      return;
    }
    Sample mid{(a.s_m + b.s_m) / 2, {}};
    mid.d = shape_.Distance(segment_.At(mid.s_m), cap_m_);
    Visit(a, mid, depth + 1);
    Visit(mid, b, depth + 1);
  }

  void End() {
    // What is not deeper than a tie is no stretch of its own, except at the end of the segment.
    Push(open_);
  }

 private:
  // Whether the interval may hold a point clearly further from the boundary than the extreme so
  // far: the largest possible distance in it is (|d(s)| + |d(t)| + length) / 2.
  bool Deeper(double spare, double length) const {
    const double possible = (spare + 2 * length) / 2;
    const double known = std::fabs(open_.extreme.distance_m);
    return length > 0.25 && known < cap_m_ && possible > known + std::max(0.25, 0.1 * known) &&
           length > 0.05 * known;
  }

  void Take(const Sample& b) {
    if ((b.d.distance_m < 0) != open_.inside) {
      open_.end_m = b.s_m;
      Push(open_);
      Begin(b);
    } else {
      open_.end_m = b.s_m;
      if (std::fabs(b.d.distance_m) > std::fabs(open_.extreme.distance_m)) {
        open_.extreme = b.d;
        open_.extreme_at_m = b.s_m;
      }
    }
  }

  void Push(const Stretch& stretch) {
    if (out_.count > 0) {
      Stretch& last = out_.at[out_.count - 1];
      const bool last_is_tie = std::fabs(last.extreme.distance_m) < kTieM;
      if (last.inside == stretch.inside || last_is_tie) {
        // A tie between two stretches of one side, or before one: it belongs to the follower.
        const bool keep_begin = last.inside == stretch.inside;
        const Stretch before = last;
        last = stretch;
        if (keep_begin || out_.count == 1) last.begin_m = before.begin_m;
        if (keep_begin &&
            std::fabs(before.extreme.distance_m) > std::fabs(stretch.extreme.distance_m)) {
          last.extreme = before.extreme;
          last.extreme_at_m = before.extreme_at_m;
        }
        if (out_.count > 1 && out_.at[out_.count - 2].inside == last.inside) {
          const Stretch tail = last;
          --out_.count;
          Push(tail);
        }
        return;
      }
    }
    if (out_.count == Stretches::kMax) {
      out_.at[out_.count - 2] = out_.at[out_.count - 1];
      out_.at[out_.count - 1] = stretch;
      if (out_.at[out_.count - 2].inside == stretch.inside) --out_.count;
      return;
    }
    out_.at[out_.count++] = stretch;
  }

  const FenceShapeView& shape_;
  const PathSegment& segment_;
  double cap_m_;
  Stretches& out_;
  Stretch open_;
};

// Up to this length a segment's chord lies less than 2 mm under the surface.
constexpr double kStraightM = 300;

// A short segment and a circle of moderate size: where |a + s u - c| is the circle's chord, a
// quadratic equation. False if the two are not short and moderate enough.
bool CircleStretches(const FenceShapeView& shape, const PathSegment& segment,
                     const BoundaryDistance& at_a, const BoundaryDistance& at_b, Stretches& out) {
  const double length = segment.length_m(), radius = shape.radius_m();
  if (!shape.is_circle() || length > kStraightM || length <= 0 || radius > 10'000) return false;
  const double q = radius / kMeanRadiusM;
  const double chord = radius * (1 - q * q / 24);
  const SurfacePoint& origin = segment.begin();
  const Vec3 to_a = origin.ecef - shape.centre().ecef;
  const Vec3 along = (segment.end().ecef - origin.ecef) * (1 / length);
  const double half_b = Dot(to_a, along), c = Dot(to_a, to_a) - chord * chord;
  const double disc = half_b * half_b - c;
  const double middle = std::clamp(-half_b, 0.0, length);  // the closest approach
  const bool a_inside = at_a.distance_m < 0, b_inside = at_b.distance_m < 0;
  // So near to the beginning its directions are those of the way.
  const auto on_way = [&](double s) {
    const Vec3 from_centre = to_a + along * s;
    BoundaryDistance d;
    d.distance_m = ArcOfChordM(Norm(from_centre)) - radius;
    const double east = Dot(from_centre, origin.East()), north = Dot(from_centre, origin.North());
    const double size = std::sqrt(east * east + north * north);
    if (size > 1e-9) {
      const double scale = (d.distance_m > 0 ? -1 : 1) / size;
      d.east = scale * east;
      d.north = scale * north;
    }
    return d;
  };
  const auto outer = [&] {
    return std::fabs(at_b.distance_m) > std::fabs(at_a.distance_m) ? length : 0.0;
  };
  const auto add = [&](bool inside, double begin, double end, double extreme_at) {
    Stretch& s = out.at[out.count++];
    s = {inside, begin, end, extreme_at, {}};
    s.extreme = extreme_at <= 0 ? at_a : extreme_at >= length ? at_b : on_way(extreme_at);
  };
  const double root = disc > 0 ? std::sqrt(disc) : 0;
  const double in = std::clamp(-half_b - root, 0.0, length);
  const double leave = std::clamp(-half_b + root, 0.0, length);
  if (a_inside && b_inside) {
    add(true, 0, length, middle);
  } else if (a_inside) {
    add(true, 0, leave, middle);
    add(false, leave, length, length);
  } else if (b_inside) {
    add(false, 0, in, 0);
    add(true, in, length, middle);
  } else if (disc <= 0 || leave <= in || middle <= 0 || middle >= length) {
    add(false, 0, length, outer());
  } else {
    add(false, 0, in, 0);
    add(true, in, leave, middle);
    // Less than a tie deep is a touch, not a visit.
    if (out.at[1].extreme.distance_m > -kTieM) {
      out.count = 0;
      add(false, 0, length, outer());
      return true;
    }
    add(false, leave, length, length);
  }
  return true;
}

}  // namespace

PathSegment::PathSegment(const SurfacePoint& a, const SurfacePoint& b) : a_(a), b_(b) {
  const double chord = Norm(b.ecef - a.ecef);
  if (chord <= kChordSegmentM) {
    length_m_ = ArcOfChordM(chord);
    return;
  }
  const GeodesicLine line = Inverse(a.position, b.position);
  length_m_ = line.distance_m;
  azimuth_deg_ = line.azimuth_deg;
}

LatLon PathSegment::PositionAt(double s_m) const {
  if (length_m_ > kChordSegmentM) return Destination(a_.position, azimuth_deg_, s_m);
  const double t = length_m_ > 0 ? std::clamp(s_m / length_m_, 0.0, 1.0) : 0;
  const Vec3 along = b_.ecef - a_.ecef;
  Vec3 q = a_.ecef + along * t;
  // From the chord up to the surface, then to geodetic latitude: on the ellipsoid itself
  // tan(lat) = z / ((1 - e^2) p).
  q = q * (1 + t * (1 - t) * Dot(along, along) / (2 * kMeanRadiusM * Norm(q)));
  const double p = std::hypot(q.x, q.y);
  const double lat = std::atan2(q.z, (1 - kEccentricity2) * p) / kRadPerDeg;
  const double lon = std::atan2(q.y, q.x) / kRadPerDeg;
  return {lat, lon >= 180 ? lon - 360 : lon};
}

void FindStretches(const FenceShapeView& shape, const PathSegment& segment,
                   const BoundaryDistance& at_a, const BoundaryDistance& at_b, double cap_m,
                   Stretches& out) {
  out.count = 0;
  if (CircleStretches(shape, segment, at_a, at_b, out)) return;
  Finder finder(shape, segment, cap_m, out);
  const Sample a{0, at_a}, b{segment.length_m(), at_b};
  finder.Begin(a);
  finder.Visit(a, b, 0);
  finder.End();
}

}  // namespace waymark::geofence
