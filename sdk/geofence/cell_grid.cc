#include "sdk/geofence/cell_grid.h"

#include <algorithm>

namespace waymark::geofence {

BandColumns::BandColumns() {
  for (int b = 0; b < kBands; ++b) {
    const double middle_deg = (b + 0.5) * (180.0 / kBands) - 90;
    const double columns = 2 * kBands * std::cos(middle_deg * kRadPerDeg);
    const auto i = static_cast<std::size_t>(b);
    top[i] = std::max(1, static_cast<std::int32_t>(columns + 0.5));
    fine_per_deg[i] = static_cast<double>(top[i]) * kFinePerBand / 360.0;
  }
}

const BandColumns kBandColumns;

}  // namespace waymark::geofence
