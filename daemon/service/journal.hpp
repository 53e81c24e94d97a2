/// The journal's own protocol, a datagram for each line, because libsystemd's call waits
/// for ever when journald does not read. Knows no log and no chat.
///
/// Invariant: a line is taken as a whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

class Journal {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";

  explicit Journal(std::string path = kSocket) : path_{std::move(path)} {}

  /// Whether there is one at all.
  [[nodiscard]] bool exists();
  /// Gives it an entry that was made with append_field(). Waits at most `patience`. False
  /// if it was not taken.
  bool send(std::string_view entry, Duration patience);

  static void append_field(std::string& entry, std::string_view name, std::string_view value);
  /// Whether standard error goes there: $JOURNAL_STREAM names it.
  static bool has_standard_error();

 private:
  bool connect();

  std::string path_;
  UniqueFd socket_;
};

}  // namespace chatd::service
