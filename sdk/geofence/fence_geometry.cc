#include <limits>
#include <utility>

#include "sdk/geofence/fence_table.h"
#include "waymark/geofence.h"

namespace waymark {

struct FenceGeometry::Impl {
  geofence::FenceTable table;
  geofence::FenceIndex index = 0;
};

FenceGeometry::FenceGeometry(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<FenceGeometry> FenceGeometry::Create(const FenceShape& shape) {
  auto impl = std::make_shared<Impl>();
  Geofence fence;
  fence.id = "shape";
  fence.shape = shape;
  std::string reason;
  const auto added = impl->table.Put(fence, false, reason, [](geofence::FenceIndex) {});
  if (!added) return Status(Code::kInvalidArgument, reason);
  impl->index = added->index;
  return FenceGeometry(std::move(impl));
}

double FenceGeometry::SignedDistanceM(LatLon p) const {
  constexpr double kHalfEarthM = 2.1e7;
  const auto position = LatLon::FromDegrees(p.lat_deg, p.lon_deg);
  if (!position) return std::numeric_limits<double>::quiet_NaN();
  return impl_->table.Shape(impl_->index)
      .Distance(geofence::SurfacePoint(*position), kHalfEarthM)
      .distance_m;
}

}  // namespace waymark
