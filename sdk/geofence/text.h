// Numbers in reasons for people. The state machine may not use streams, std::format or floating
// std::to_chars.
#ifndef SDK_GEOFENCE_TEXT_H_
#define SDK_GEOFENCE_TEXT_H_

#include <cstdio>
#include <string>

#include "waymark/fix.h"

namespace waymark::geofence {

inline std::string NumberText(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  return buffer;
}

inline std::string PositionText(LatLon p) {
  return NumberText(p.lat_deg) + "," + NumberText(p.lon_deg);
}

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_TEXT_H_
