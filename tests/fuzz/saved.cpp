// What the core leaves to the next process: any bytes are refused, or become sessions that
// work, and are written down again as the same. After an even first byte the rest is what was
// left. After an odd one the rest are changes of a good document, four bytes each, so that
// most of what is read is right.
#include <string>
#include <string_view>
#include <vector>

#include "core/router.hpp"
#include "fuzz/fuzz.hpp"
#include "support/every_kind.hpp"
#include "support/handed_over.hpp"

namespace {

using chatd::Duration;
using chatd::Time;
using chatd::core::Outbox;
using chatd::core::Router;
using chatd::core::Settings;
using chatd::core::Slot;
using chatd::fuzz::must;

constexpr Time kNow{Duration{1'000'000}};

std::string good() {
  Router router{Settings{}};
  Time now = kNow;
  chatd::test::add_every_kind(router, now);
  return chatd::test::written_down(router, now);
}

bool adds_up(const Router& router) {
  const auto& counters = router.counters();
  return counters.messages_out == counters.delivered + counters.held + counters.lost;
}

/// Does everything that can happen to the router once, and then ends all sessions.
void live(Router& router) {
  Outbox outbox;
  Time now = kNow;
  std::vector<Slot> slots;
  for (const auto* session : router.sessions()) slots.push_back(session->slot());
  const auto each = [&](auto act) {
    for (const auto slot : slots) {
      if (router.has(slot)) act(slot);
    }
  };
  router.tick(now += Duration{1}, outbox);
  must(router.deadline() > now, "it would spin");
  (void)router.send({true, {}}, "to all", "ann", now, outbox);
  each([&](Slot slot) {
    if (!router.at(slot).ended()) router.receive(slot, "\xff\xf1 a line\r\nand", now, outbox);
  });
  each([&](Slot slot) {
    if (slot % 2 == 0) (void)router.bye(router.at(slot).id(), "ann", now, outbox);
  });
  router.tick(now += Duration{1500}, outbox);
  each([&](Slot slot) {
    if (router.at(slot).state() != chatd::core::Session::State::kAsking && slot % 3 == 0 &&
        !router.at(slot).ended()) {
      router.end_of_input(slot, now, outbox);
    }
  });
  router.tick(now += Duration{100'000'000}, outbox);
  must(router.deadline() > now, "it would spin");
  must(adds_up(router), "the sum is wrong");
  router.stop(now, outbox);
  for (const auto* session : router.sessions()) router.closed(session->slot(), 1, now, outbox);
  must(router.size() == 0, "a session outlived the daemon");
  must(adds_up(router), "the sum is wrong at the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kWhole = good();
  std::string bytes = chatd::fuzz::changed({data, size}, kWhole);
  Router router{Settings{}};
  if (!chatd::test::read_back(bytes, router, kNow)) return 0;

  const std::string written = chatd::test::written_down(router, kNow);
  if (bytes == kWhole) must(written == kWhole, "what is good is written down otherwise");
  Router next{Settings{}};
  must(chatd::test::read_back(written, next, kNow), "what it wrote down is refused");
  must(chatd::test::written_down(next, kNow) == written, "the next one is another");
  live(next);
  return 0;
}
