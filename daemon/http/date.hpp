/// Dates as HTTP writes them.
#pragma once

#include <string>

#include "base/wall_time.hpp"

namespace chatd::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT": IMF-fixdate of RFC 9110, section 5.6.7. `time` lies in the
/// years 0 to 9999.
[[nodiscard]] std::string http_date(WallTime time);

}  // namespace chatd::http
