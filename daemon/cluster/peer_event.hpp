/// An event of another node, read from its line, which is the one that operators there get
/// (doc/protocol.md). A peer is checked like a stranger: what is not exactly an event is none.
///
/// A peer may be newer: an event of a kind that is not known here is kept as its word and its
/// members, and members that are not known here are left out.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "cluster/mirror.hpp"
#include "events/event.hpp"

namespace chatd::cluster {

class PeerEvent {
 public:
  /// The longest text that is no message.
  static constexpr std::size_t kMostText = 1024;
  /// The longest line, with its escapes. What a node writes down is shorter.
  static constexpr std::size_t kMostLine = 8UL * 1024 * 1024;

  /// Reads a line without its LF. The error says what is wrong with it, for the log of this node.
  [[nodiscard]] static Result<PeerEvent> read(std::string_view line);

  PeerEvent(PeerEvent&&) = default;
  PeerEvent& operator=(PeerEvent&&) = default;
  ~PeerEvent() = default;

  /// At its own node.
  [[nodiscard]] Number number() const { return number_; }
  [[nodiscard]] WallTime time() const { return time_; }
  /// Whether its kind is known here. If it is not, there are word() and body() alone.
  [[nodiscard]] bool is_known() const { return is_known_; }
  /// Sessions, and the number of a message, are those of its node. Its texts are this one's.
  [[nodiscard]] const Event& event() const { return event_; }
  [[nodiscard]] std::string_view word() const { return word_; }
  /// Its members besides its number and time, as event_json.hpp has them.
  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  class Reader;

  PeerEvent() = default;

  nlohmann::json params_;
  std::vector<core::SessionId> sessions_;
  std::string word_;
  std::string body_;
  Event event_;
  Number number_ = 0;
  WallTime time_{};
  bool is_known_ = false;
};

}  // namespace chatd::cluster
