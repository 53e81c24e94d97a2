/// The lines that operators typed, kept between runs: one file of this user's for all consoles.
/// One line of the file is one line that was typed; an LF inside is \n there, and a backslash \\.
/// Invariant: consoles that end at the same time lose none of each other's lines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace chatd::console {

/// `$XDG_STATE_HOME/chatd/lines`, or `~/.local/state/chatd/lines`; empty if neither is known.
[[nodiscard]] std::string kept_lines_path();

/// The last `most` lines, the oldest first; none if the file is not there, or is nobody's to trust
/// (base/private_file.hpp).
[[nodiscard]] std::vector<std::string> read_kept_lines(const std::string& path, std::size_t most);

/// How often it is tried to be the only one who writes, with 10 ms between two attempts.
inline constexpr int kLockAttempts = 50;

/// Puts `lines` after those that the file has by then, and leaves the last `most` of all. A file
/// that cannot be read stays as it is. Waits for others who write, for `attempts`.
[[nodiscard]] Result<> keep_lines(const std::string& path, const std::vector<std::string>& lines,
                                  std::size_t most, int attempts = kLockAttempts);

}  // namespace chatd::console
