#include "sdk/geofence/cell_grid.h"

#include <algorithm>

namespace waymark::geofence {

BandColumns::BandColumns() {
  for (int b = 0; b < kBands; ++b) {
    const double middle_deg = (b + 0.5) * (180.0 / kBands) - 90;
    const double columns = 2 * kBands * std::cos(middle_deg * kRadPerDeg);
    const auto i = static_cast<std::size_t>(b);
    top[i] = std::max(1, static_cast<std::int32_t>(std::lround(columns)));
    fine_per_deg[i] = static_cast<double>(top[i]) * kFinePerBand / 360.0;
  }
}

const BandColumns kBandColumns;

RowPlane::RowPlane(int level, std::int32_t row) : width_deg(360.0 / ColumnsOf(level, row)) {
  // sin by its Taylor series to x^17: 4e-14 at 90 degrees.
  const double x = ((row + 0.5) * RowHeightDeg(level) - 90) * kRadPerDeg, x2 = x * x;
  const double s =
      x * (1 + x2 * (-1.0 / 6 +
                     x2 * (1.0 / 120 +
                           x2 * (-1.0 / 5040 + x2 * (1.0 / 362880 +
                                                     x2 * (-1.0 / 39916800 +
                                                           x2 * (1.0 / 6227020800 +
                                                                 x2 * (-1.0 / 1307674368000 +
                                                                       x2 / 355687428096000))))))));
  const double c_lat = std::sqrt(1 - s * s);
  // Meridian curve: dp/dlat = -M sin(lat), dz/dlat = M cos(lat), dM/dlat = 3 M e^2 sin cos / w^2.
  const double w2 = 1 - kEccentricity2 * s * s;
  const double inv_w = 1 / std::sqrt(w2), inv_w2 = inv_w * inv_w;
  const double n = kEquatorialRadiusM * inv_w;
  const double m = n * (1 - kEccentricity2) * inv_w2;
  const double m_slope = 3 * m * kEccentricity2 * s * c_lat * inv_w2;
  half_sin_lat = s * 0.5;
  p0 = n * c_lat;
  p1 = -m * s;
  p2 = -(m * c_lat + m_slope * s) * 0.5;
  n1 = m;
  n2 = m_slope * 0.5;
  n3 = -m * (1.0 / 6);
}

void RowPlanes::Note(int level, std::int32_t row) {
  std::vector<std::uint16_t>& chunks = chunk_of_[static_cast<std::size_t>(level)];
  if (chunks.empty()) {
    const auto rows = static_cast<std::size_t>(kBands) << (2 * (kTopLevel - level));
    chunks.assign(rows / kChunk, kNone);
  }
  std::uint16_t& chunk = chunks[ChunkOf(row)];
  if (chunk != kNone) return;
  chunk = static_cast<std::uint16_t>(planes_.size() / kChunk);
  const auto first = static_cast<std::int32_t>(ChunkOf(row) * kChunk);
  for (std::int32_t r = 0; r < static_cast<std::int32_t>(kChunk); ++r) {
    planes_.emplace_back(level, first + r);
  }
}

std::size_t RowPlanes::memory_bytes() const {
  std::size_t bytes = planes_.capacity() * sizeof(RowPlane);
  for (const auto& chunks : chunk_of_) bytes += chunks.capacity() * sizeof(std::uint16_t);
  return bytes;
}

}  // namespace waymark::geofence
