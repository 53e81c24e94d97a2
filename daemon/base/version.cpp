#include "base/version.hpp"

namespace chatd {

// Defined for this file alone: another version compiles one file.
const std::string_view kVersion = CHATD_VERSION;

}  // namespace chatd
