/// A router with a session of every kind in every state that a handover must carry, for
/// tests of what is written down.
#pragma once

#include <string>

#include "core/outbox.hpp"
#include "core/router.hpp"
#include "http/client_frames.hpp"

namespace chatd::test {

/// Fills a new router; `now` goes on. Slots are 0 to 10.
inline void add_every_kind(core::Router& router, Time& now) {
  using core::DialectSetting;
  core::Outbox outbox;
  const auto says = [&](core::Slot slot, std::string_view bytes) {
    router.receive(slot, bytes, now, outbox);
  };
  const auto tell = [&](core::SessionId id, std::string_view text) {
    (void)router.send({false, {id}}, text, "ann", now, outbox);
  };
  for (core::Slot slot = 0; slot < 9; ++slot) {
    router.connect(slot, slot == 7 ? DialectSetting::kTelnet : DialectSetting::kAuto, now, outbox);
  }
  router.connect(9, DialectSetting::kWebSocket, now, outbox);
  router.connect(10, DialectSetting::kWeb, now, outbox);
  tell(1, "held for who has said nothing");
  says(1, "one\ntwo");  // the beginning of a line, and a name
  (void)router.name(2, "zw\xc3\xb6lf", "ann", now, outbox);
  says(2, "hi\r\n\xff\xfd");  // telnet, within a command
  says(3, "hi");              // original, with something held and a bye behind it
  says(8, "hi");              // original, read up to a part of what was sent
  now += Duration{60};
  router.tick(now, outbox);
  tell(4, std::string(1000, 'x'));
  tell(4, std::string(1000, 'y'));
  (void)router.bye(4, "ann", now, outbox);
  tell(9, "answer");
  tell(9, "and more");
  says(8, "go on");
  says(4, "question\n");  // waits for its one answer
  router.end_of_input(4, now, outbox);
  for (int i = 0; i < 300; ++i) says(5, "too fast\n");               // past its rate
  says(6, "caf\xc3");                                                // within a character
  says(7, "\xff\xfa\x18 x");                                         // within a subnegotiation
  says(9, client_frame(kText, "caf\xc3"));                           // within a message
  says(9, client_frame(kFin | kContinuation, "\xa9").substr(0, 5));  // and within a frame
  router.say(10, "a text", now, outbox);
  (void)router.send({true, {}}, "to all", "ann", now, outbox);
  (void)router.add_note(2, "a regular", "ann", now, outbox);
}

}  // namespace chatd::test
