// Marks what libwaymark.so exports; everything else is hidden.
#ifndef WAYMARK_EXPORT_H_
#define WAYMARK_EXPORT_H_

#if defined(__GNUC__)
#define WAYMARK_API __attribute__((visibility("default")))
#else
#define WAYMARK_API
#endif

#endif  // WAYMARK_EXPORT_H_
