// The transport that --upload uses.
#ifndef WAYMARK_REPLAY_TOOL_UPLOAD_TRANSPORT_H_
#define WAYMARK_REPLAY_TOOL_UPLOAD_TRANSPORT_H_

#include <memory>

#include "waymark/ports.h"

namespace waymark::replay {

std::unique_ptr<Transport> MakeUploadTransport();

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_UPLOAD_TRANSPORT_H_
