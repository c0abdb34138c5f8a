// The one place that states Waymark's version; CMake reads it from here.
#ifndef WAYMARK_VERSION_H_
#define WAYMARK_VERSION_H_

#define WAYMARK_VERSION_MAJOR 0
#define WAYMARK_VERSION_MINOR 1
#define WAYMARK_VERSION_PATCH 0
#define WAYMARK_VERSION "0.1.0"

#endif  // WAYMARK_VERSION_H_
