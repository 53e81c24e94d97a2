/// A text that was sent to one client, and which event is its answer. Pure.
///
/// What the client says counts from the moment on when it got the text: an original client, which
/// listens only after it has spoken, is sent it later, as `delivered` tells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "console/event.hpp"

namespace chatd::console {

class Question {
 public:
  enum class State : std::uint8_t {
    kSending,   ///< nothing is known of it
    kHeld,      ///< it was taken, and the client has not got it
    kAsked,     ///< the client has it
    kAnswered,  ///< by the event that was applied last
    kLeft,      ///< the client has gone without an answer
  };

  /// `asker` is the operator's name in the events of what it sends.
  Question(SessionId session, std::string_view text, std::string_view asker)
      : session_{session}, text_{text}, asker_{asker} {}

  /// An event that came after the subscription with which the question began. None may be
  /// missing. Nothing changes after kAnswered or kLeft.
  void apply(const Event& event);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_open() const { return state_ < State::kAnswered; }
  [[nodiscard]] SessionId session() const { return session_; }

 private:
  void apply_sent(const Event& event);

  SessionId session_;
  std::string text_;
  std::string asker_;
  std::uint64_t sent_ = 0;  ///< the number of its `sent`; 0: not known yet
  State state_ = State::kSending;
};

}  // namespace chatd::console
