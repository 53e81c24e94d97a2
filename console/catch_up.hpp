/// A console that has just attached is shown what came while no operator was there. Counts
/// the messages among that, for one sentence at the end. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "console/event.hpp"

namespace chatd::console {

class CatchUp {
 public:
  /// `upto` is the number of the last event of that time.
  void begin(std::uint64_t upto);
  /// Counts a message of that time, if there was one.
  void note(const Event& event);
  /// All of it has been shown. Returns "5 unread from 2 clients since ..."; empty if there was
  /// nothing.
  [[nodiscard]] std::string end();

 private:
  std::uint64_t upto_ = 0;
  std::uint64_t messages_ = 0;
  std::set<SessionId> clients_;
  std::string since_;
};

}  // namespace chatd::console
