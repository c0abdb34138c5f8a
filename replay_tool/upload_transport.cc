#include "replay_tool/upload_transport.h"

#include "waymark/curl_transport.h"

namespace waymark::replay {

std::unique_ptr<Transport> MakeUploadTransport() { return MakeCurlTransport(); }

}  // namespace waymark::replay
