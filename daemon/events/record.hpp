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

/// The name that an event gave to a session, as a string of JSON with its quotes, in what the
/// transcript keeps of that event (store::Names). Empty if it took the name away, or is none.
[[nodiscard]] std::string_view given_name(std::string_view recorded);

/// Appends the line of a recorded event, as it was when the event happened.
void append_event(std::string& out, const store::Record& record);

}  // namespace chatd
