/// Where the control socket is when nobody said otherwise: one rule for the
/// daemon, which binds it, and for chatctl, which looks for it. Reads the
/// environment and touches no file.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatd {

namespace detail {

/// A variable's value; empty if it is unset.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

/// systemd joins several runtime folders by a colon; the first one is ours.
inline std::string first_runtime_directory() {
  const std::string all = environment("RUNTIME_DIRECTORY");
  return all.substr(0, all.find(':'));
}

inline std::string temporary_control_path() {
  return "/tmp/chatd-" + std::to_string(::geteuid()) + "/control.sock";
}

inline constexpr std::string_view kSystemControlPath = "/run/chatd/control.sock";

}  // namespace detail

/// The daemon's default for `control.path`: $RUNTIME_DIRECTORY/control.sock under
/// systemd, /run/chatd/control.sock for root, else
/// $XDG_RUNTIME_DIR/chatd/control.sock, else /tmp/chatd-UID/control.sock.
[[nodiscard]] inline std::string default_control_path() {
  if (const std::string folder = detail::first_runtime_directory(); !folder.empty()) {
    return folder + "/control.sock";
  }
  if (::geteuid() == 0) return std::string{detail::kSystemControlPath};
  if (const std::string folder = detail::environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    return folder + "/chatd/control.sock";
  }
  return detail::temporary_control_path();
}

/// Where chatctl looks, best first: $CHATD_SOCKET, then every place that the
/// daemon may have taken by default_control_path(). Never empty.
[[nodiscard]] inline std::vector<std::string> control_path_candidates() {
  std::vector<std::string> paths;
  if (std::string path = detail::environment("CHATD_SOCKET"); !path.empty()) {
    paths.push_back(std::move(path));
  }
  if (const std::string folder = detail::first_runtime_directory(); !folder.empty()) {
    paths.push_back(folder + "/control.sock");
  }
  // Not for root alone: a member of control.group may talk to the system's daemon.
  paths.emplace_back(detail::kSystemControlPath);
  if (const std::string folder = detail::environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    paths.push_back(folder + "/chatd/control.sock");
  }
  paths.push_back(detail::temporary_control_path());
  return paths;
}

}  // namespace chatd
