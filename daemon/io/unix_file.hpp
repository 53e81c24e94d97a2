/// The file of a listening unix socket: made by binding, removed at the end. A file
/// that a dead process left behind is taken over, a live one never.
/// Invariant: nothing is ever removed but a socket that nobody listens on, or ours.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace chatd::io {

class UnixFile {
 public:
  /// Binds `socket` to `path` and gives the file `mode`; it never has wider rights,
  /// not for a moment. Errors: the path is too long, is not a socket, is in use by
  /// another process, or what the file system refuses.
  static Result<UnixFile> bind(int socket, std::string path, unsigned mode);
  /// Removes the file if it is still ours.
  ~UnixFile();
  UnixFile(UnixFile&& other) noexcept;
  UnixFile& operator=(UnixFile&&) = delete;
  UnixFile(const UnixFile&) = delete;
  UnixFile& operator=(const UnixFile&) = delete;

  /// What tells this file from every other one that was ever at its path.
  using Identity = std::array<std::uint64_t, 4>;
  [[nodiscard]] Identity identity() const;
  /// The file of another process that has handed its socket over; nothing if the path
  /// does not lead to that file any more.
  static std::optional<UnixFile> take_over(std::string path, const Identity& identity);

  /// Whether the path still leads to our socket. To be asked after listen(): until
  /// then another process cannot tell our socket from one left behind.
  [[nodiscard]] bool is_ours() const;

 private:
  UnixFile(std::string path, const struct stat& made);

  std::string path_;  // empty when there is nothing to remove
  struct stat made_;
};

}  // namespace chatd::io
