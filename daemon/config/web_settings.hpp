/// What the visitor's page is told of the configuration, as the JSON of /settings.json.
#pragma once

#include <string>

#include "config/config.hpp"

namespace chatd {

/// One object on one line. `title`, `accent`, `language` and `texts` are left out where nothing is
/// configured: the page has its own. Nothing that is not for everybody's eyes is in it.
[[nodiscard]] std::string web_settings(const Config::Web& web);

}  // namespace chatd
