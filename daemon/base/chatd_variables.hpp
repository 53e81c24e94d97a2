/// Variables of the environment that begin with CHATD_: which of them nobody knows. Knows no key
/// of the configuration.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {

/// How variables of configuration keys begin, behind CHATD_: the sections, as a test holds them
/// against the table of keys.
inline constexpr std::array<std::string_view, 8> kVariableSections{
    "SESSION_", "LIMITS_", "WEB_", "CONTROL_", "CONSOLE_", "TRANSCRIPT_", "LOG_", "SERVICE_"};

/// Whether a container platform makes a variable of that name, and that value, for a service that
/// is called chatd, or chatd-something: Kubernetes (CHATD_SERVICE_HOST, CHATD_SERVICE_PORT_CHAT,
/// CHATD_PORT, CHATD_PORT_8080_TCP_ADDR) and the links of Docker (CHATD_NAME, CHATD_ENV_PATH).
[[nodiscard]] bool is_made_by_platform(std::string_view name, std::string_view value);

/// The variables of this process that begin with CHATD_, in the order of their names, without
/// those that a platform makes.
[[nodiscard]] std::vector<std::string> chatd_variables();

/// What to say of a variable that is none of `known`: a sentence, escaped, with the one that was
/// most likely meant.
[[nodiscard]] std::string unknown_variable(std::string_view name,
                                           std::span<const std::string> known);

}  // namespace chatd
