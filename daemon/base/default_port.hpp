/// The port of chatd where nobody said otherwise: one number for the daemon, which listens
/// there, and for chatctl, which looks for it there.
#pragma once

#include <cstdint>

namespace chatd {

inline constexpr std::uint16_t kDefaultPort = 8080;

}  // namespace chatd
