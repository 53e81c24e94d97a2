/// Events as operators get them: one JSON-RPC notification a line, with the members that
/// kEventWords says. Written by hand, without a tree and without an allocation of its own,
/// because every message of every client passes here.
///
/// A line is a head, the event's body, and an end: {"jsonrpc":"2.0","method":"WORD",
/// "params":{"seq":NUMBER,"time":"TIME" BODY }}. The body, ,"session":3,"text":"hello" for
/// one, is what a transcript keeps of an event besides its number and time.
#pragma once

#include <string>
#include <string_view>

#include "base/wall_time.hpp"
#include "events/event.hpp"

namespace chatd {

/// Appends the line of `event`, with the LF that ends it; `seq` 0: it has no number. Returns the
/// body in it, valid until `out` is changed.
std::string_view append_event(std::string& out, Seq seq, WallTime time, const Event& event);

/// Appends the line of an event of which only the word and the body are left.
void append_recorded(std::string& out, Seq seq, WallTime time, std::string_view word,
                     std::string_view body);

/// Appends the event that tells one operator that `lost` events up to number `seq`
/// are no longer available.
void append_lagged(std::string& out, Seq seq, Seq lost, WallTime time);

}  // namespace chatd
