/// Events as operators get them: one JSON-RPC notification a line. Written by hand,
/// without a tree and without an allocation of its own, because every message of
/// every client passes here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/wall_time.hpp"
#include "core/outbox.hpp"

namespace chatd {

/// What an event says that the core does not know; empty where it has no use.
struct EventPlace {
  std::string_view address;
  std::string_view listener;
};

/// Appends `event` of `outbox` to `out`, with the LF that ends it.
void append_event(std::string& out, const core::Event& event, const core::Outbox& outbox,
                  WallTime time, const EventPlace& place);

/// Appends what a line of append_event() says besides its number and its time: the
/// event's name and its other members. append_event_line() makes the line of it again.
void append_event_rest(std::string& out, std::string_view line);
void append_event_line(std::string& out, core::Seq seq, WallTime time, std::string_view rest);

/// Appends the event that tells one operator that `lost` events up to number `seq`
/// are not to be had any more.
void append_lagged(std::string& out, core::Seq seq, core::Seq lost, WallTime time);

}  // namespace chatd
