/// Where the control socket is when nobody said otherwise: one rule for the
/// daemon, which binds it, and for chatctl, which looks for it. Reads the
/// environment and touches no file.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/environment.hpp"

namespace chatd {

namespace detail {

inline std::string temporary_control_path(uid_t uid = ::geteuid()) {
  return "/tmp/chatd-" + std::to_string(uid) + "/control.sock";
}

inline constexpr std::string_view kSystemControlPath = "/run/chatd/control.sock";

}  // namespace detail

/// The daemon's default for `control.path`: $RUNTIME_DIRECTORY/control.sock under
/// systemd, /run/chatd/control.sock for root, else
/// $XDG_RUNTIME_DIR/chatd/control.sock, else /tmp/chatd-UID/control.sock.
[[nodiscard]] inline std::string default_control_path() {
  if (const std::string folder = first_folder_of("RUNTIME_DIRECTORY"); !folder.empty()) {
    return folder + "/control.sock";
  }
  if (::geteuid() == 0) return std::string{detail::kSystemControlPath};
  if (const std::string folder = environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    return folder + "/chatd/control.sock";
  }
  return detail::temporary_control_path();
}

/// Where chatctl looks, best first: $CHATD_SOCKET, then every place that the
/// daemon may have taken by default_control_path(). Never empty.
[[nodiscard]] inline std::vector<std::string> control_path_candidates() {
  std::vector<std::string> paths;
  if (std::string path = environment("CHATD_SOCKET"); !path.empty()) {
    paths.push_back(std::move(path));
  }
  if (const std::string folder = first_folder_of("RUNTIME_DIRECTORY"); !folder.empty()) {
    paths.push_back(folder + "/control.sock");
  }
  // Not for root alone: a member of control.group may talk to the system's daemon.
  paths.emplace_back(detail::kSystemControlPath);
  if (const std::string folder = environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    paths.push_back(folder + "/chatd/control.sock");
  }
  paths.push_back(detail::temporary_control_path());
  return paths;
}

}  // namespace chatd
