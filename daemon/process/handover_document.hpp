/// The body of the document that one process leaves to the next: what each part of the daemon
/// has written down, and the descriptors that go along. Knows nothing of what the parts have
/// written. Its envelope is service/handover.hpp's.
///
/// The descriptors stand in this order; the parts know theirs by their places:
///
/// | place            | descriptor                                                   |
/// | ---------------- | ------------------------------------------------------------ |
/// | 0, 1, ...        | listeners and connections, in the order of the clients' side |
/// | third from last  | the crash records, if `has_records`                          |
/// | second from last | the epoll set of the process                                 |
/// | last             | the control socket                                           |
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatd {

struct HandoverDocument {
  std::vector<int> descriptors;  ///< their numbers in the process that leaves them
  bool has_records = false;
  std::string events;
  std::string operators;
  std::string clients;

  [[nodiscard]] std::size_t place_of_control() const { return descriptors.size() - 1; }
  [[nodiscard]] std::size_t place_of_watched() const { return descriptors.size() - 2; }
  /// Only if there are any.
  [[nodiscard]] std::size_t place_of_records() const { return descriptors.size() - 3; }

  [[nodiscard]] std::string write() const;
  /// Nothing if `body` is not what write() makes.
  [[nodiscard]] static std::optional<HandoverDocument> read(std::string_view body);
};

}  // namespace chatd
