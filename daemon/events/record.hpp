/// Events as a transcript keeps them, and back: what is searched for and shown as history
/// (messages, and what became of them) in columns, any other event as its word and body.
#pragma once

#include <string>
#include <string_view>

#include "base/wall_time.hpp"
#include "events/event.hpp"
#include "store/record.hpp"

namespace chatd {

/// The record of event number `seq`, whose line has this `body` (see event_json.hpp). It
/// points to what `event` does, or into `text`, which is empty.
[[nodiscard]] store::Record record_of(Seq seq, WallTime time, const Event& event,
                                      std::string_view body, std::string& text);

/// When the event of `record` happened.
[[nodiscard]] WallTime time_of(const store::Record& record);

/// Appends the line of a recorded event, as it was when the event happened.
void append_event(std::string& out, const store::Record& record);

}  // namespace chatd
