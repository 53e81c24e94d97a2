/// The body of the document that one process leaves to the next: what each part of the daemon
/// has written down, and the descriptors that go along. Knows nothing of what the parts have
/// written. Its envelope is service/handover.hpp's, its file service/document_file.hpp's.
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
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "service/document_file.hpp"

namespace chatd {

struct HandoverDocument {
  std::vector<int> descriptors;  ///< their numbers in the process that leaves them
  bool has_records = false;
  // Parts of the body that it was read from, which has to outlive this.
  std::string_view clients;
  std::string_view operators;
  std::string_view events;

  [[nodiscard]] std::size_t place_of_control() const { return descriptors.size() - 1; }
  [[nodiscard]] std::size_t place_of_watched() const { return descriptors.size() - 2; }
  /// Only if there are any.
  [[nodiscard]] std::size_t place_of_records() const { return descriptors.size() - 3; }

  /// Nothing if `body` is not what a HandoverWriter of that version makes.
  [[nodiscard]] static std::optional<HandoverDocument> read(std::string_view body,
                                                            std::uint32_t version = kSavedVersion);
};

/// Writes a body into its file, in the order in which the parts of the daemon can be written down:
/// clients, operators, events, then the descriptors that the first two have named.
class HandoverWriter {
 public:
  explicit HandoverWriter(service::DocumentFile& file) : file_{file} {}

  /// The next part is what `write` writes down.
  void part(const std::function<void(ByteWriter&)>& write);
  void descriptors(const std::vector<int>& descriptors, bool has_records);

 private:
  service::DocumentFile& file_;
};

}  // namespace chatd
