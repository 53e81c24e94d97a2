/// One operator as Control knows it, for the files that Control is written in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "operators/control.hpp"

namespace chatd {

/// Up to here an operator's queue is filled with events; the rest stays in the log.
inline constexpr std::size_t kHighBytes = 256UL * 1024;

struct Control::Operator {
  std::uint64_t number;  ///< its own, unlike that of its stream
  std::string name;
  std::string pending;   ///< bytes that are not processed yet
  std::string answers;   ///< to the lines that are being worked on; one write for all
  bool greeted = false;  ///< it said hello, so that others heard of it
  bool unheard = true;   ///< it has done nothing yet: its name can still be another
  bool subscribed = false;
  bool watching = false;         ///< it only looks on, and is no reason to wait for an answer
  std::string away;              ///< what is said for it while it is away; empty: it is not
  std::uint64_t away_since = 0;  ///< counts up
  bool live = false;             ///< has every event up to the last sealed one in its queue
  bool leaving = false;
  bool ended = false;         ///< it will send no more
  bool processing = false;    ///< a line of it is being worked on
  core::Seq cursor = 0;       ///< the last event that was queued for it, unless live
  std::uint64_t fetch = 0;    ///< the number of the page that it waits for, if any
  bool fetching = false;      ///< a page is under way, perhaps one that it waits for no more
  std::size_t questions = 0;  ///< that the transcript has not answered yet
  std::size_t behind = 0;     ///< bytes that the log has gone on since it was not live
  bool suspected = false;     ///< of not reading: too much waits for it
  std::uint64_t taken = 0;    ///< bytes that it had taken when it was looked at last
};

}  // namespace chatd
