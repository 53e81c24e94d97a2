/// Events on their way to operators: live, again from a number on, and to those who do
/// not read.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

/// Adds `count` events of about a kilobyte.
void add_events(Bench& bench, int count) {
  for (int i = 0; i < count; ++i) bench.operator_changed(std::string(900, 'x'), "attached");
}

/// Checks that the events count up by one from `first`, where `lagged` may leap, and
/// that they end with `last`. Returns how many were lost.
Seq check_whole(const std::vector<json>& events, Seq first, Seq last) {
  Seq next = first;
  Seq lost = 0;
  for (const auto& event : events) {
    const Seq seq = event["params"]["seq"];
    if (event["method"] == "lagged") {
      const Seq leap = event["params"]["lost"];
      REQUIRE(leap > 0);
      REQUIRE(seq == next + leap - 1);
      lost += leap;
    } else {
      REQUIRE(seq == next);
    }
    next = seq + 1;
  }
  CHECK(next == last + 1);
  return lost;
}

TEST_CASE("feed: what happens to a client is told live and in order", "[operators][feed]") {
  Bench bench;
  Operator one{bench};
  CHECK(one.result("subscribe")["seq"] == 0);
  auto client = bench.connect();
  client->read();
  client->send("hello\n");
  CHECK(one.wait_event("connected")["session"] == 1);
  CHECK(one.wait_event("connected")["listener"] == bench.clients.doors().addresses()[0]);
  CHECK(one.wait_event("message")["text"] == "hello");
  CHECK(one.result("send", {{"to", 1}, {"text", "hi"}})["delivered"] == json{1});
  CHECK(one.wait_event("sent")["state"] == "sent");
  (void)one.result("name", {{"session", 1}, {"name", "n"}});
  CHECK(one.wait_event("named")["name"] == "n");
  CHECK(run_until(bench.loop, [&] { return client->received() == "hi\n"; }));
  (void)one.result("kick", {{"session", 1}, {"reason", "enough"}});
  const std::string reason = one.wait_event("disconnected")["reason"];
  CHECK(reason.ends_with(": enough"));
  CHECK(one.events().size() == 5);
  check_whole(one.events(), 1, 5);
}

TEST_CASE("feed: there are no events without subscribe, and only new ones without since",
          "[operators][feed]") {
  Bench bench;
  Operator quiet{bench};
  add_events(bench, 3);
  Operator live{bench};
  CHECK(live.result("subscribe")["seq"] == 3);
  CHECK(live.events().empty());
  add_events(bench, 2);
  (void)live.wait_event("operator", 2);
  check_whole(live.events(), 4, 5);
  (void)quiet.result("stats");
  CHECK(quiet.events().empty());
}

TEST_CASE("feed: since replays every event after it, then goes on live", "[operators][feed]") {
  Bench bench;
  for (int i = 0; i < 10; ++i) {
    add_events(bench, 3);
    run_pending(bench.loop);  // a batch of its own
  }
  for (const Seq since : {0U, 1U, 3U, 4U, 29U, 30U}) {
    INFO("since " << since);
    Operator one{bench};
    const Seq before = bench.journal.last_seq();
    CHECK(one.result("subscribe", {{"since", since}})["seq"] == before);
    add_events(bench, 1);
    (void)one.wait_event("operator", before + 1 - since);
    CHECK(check_whole(one.events(), since + 1, before + 1) == 0);
  }
}

TEST_CASE("feed: a since in the future begins with the next event", "[operators][feed]") {
  Bench bench;
  Operator one{bench};
  (void)one.result("subscribe", {{"since", 18446744073709551615U}});
  add_events(bench, 1);
  (void)one.wait_event("operator");
  CHECK(one.events().size() == 1);
}

TEST_CASE("feed: what is not kept any more is said to be lost", "[operators][feed]") {
  Bench bench{line_config(), 5000};
  const Seq last = 1000;
  for (Seq i = 0; i < last; i += 10) {
    add_events(bench, 10);
    run_pending(bench.loop);
  }
  const auto first = bench.journal.first_seq();
  REQUIRE(first > 10);
  Operator one{bench};
  (void)one.result("subscribe", {{"since", 4}});
  CHECK(one.wait_event("lagged")["lost"] == first - 1 - 4);
  (void)one.wait_event("operator", last - (first - 1));
  CHECK(check_whole(one.events(), 5, last) == first - 1 - 4);
}

TEST_CASE("feed: subscribing twice repeats nothing that is live", "[operators][feed]") {
  Bench bench;
  Operator one{bench};
  (void)one.result("subscribe");
  (void)one.result("subscribe");
  add_events(bench, 2);
  (void)one.wait_event("operator", 2);
  run_pending(bench.loop);
  CHECK(one.events().size() == 2);
}

TEST_CASE("feed: an operator who takes nothing is detached when 1 MiB waits for it",
          "[operators][feed]") {
  Bench bench;
  Operator watcher{bench};
  (void)watcher.result("subscribe");
  Operator deaf{bench};
  (void)deaf.result("hello", {{"name", "deaf"}});
  (void)deaf.result("subscribe");
  deaf.peer().stop();
  for (int i = 0; i < 20; ++i) {
    add_events(bench, 100);
    run_pending(bench.loop);
  }
  REQUIRE(run_until(bench.loop, [&] {
    return std::any_of(watcher.events().begin(), watcher.events().end(), [](const json& event) {
      return event["params"]["name"] == "deaf" && event["params"]["state"] == "detached";
    });
  }));
  CHECK(check_whole(watcher.events(), 1, bench.journal.last_seq()) == 0);
  // It comes back and goes on where it was.
  deaf.peer().read();
  REQUIRE(deaf.wait_end());
  const Seq cursor = deaf.events().back()["params"]["seq"];
  Operator again{bench};
  (void)again.result("subscribe", {{"since", cursor}});
  (void)again.wait_event("operator", bench.journal.last_seq() - cursor);
  CHECK(check_whole(again.events(), cursor + 1, bench.journal.last_seq()) == 0);
}

TEST_CASE("feed: an operator who reads slowly stays, and what it misses is said",
          "[operators][feed]") {
  Bench bench{line_config(), 512 * 1024};
  Operator slow{bench};
  (void)slow.result("hello", {{"name", "slow"}});
  (void)slow.result("subscribe");
  const auto first = bench.journal.last_seq() + 1;
  slow.peer().stop();
  const auto begin = bench.loop.now();
  // A piece at a time, for longer than anybody may take nothing.
  std::unique_ptr<io::Timer> glance;
  glance = std::make_unique<io::Timer>(bench.loop, [&] {
    slow.take(16 * 1024);
    glance->start(Duration{20});
  });
  glance->start(Duration{0});
  for (int i = 0; i < 30; ++i) {
    add_events(bench, 100);
    run_pending(bench.loop);
  }
  REQUIRE(run_until(bench.loop, [&] { return bench.loop.now() >= begin + Duration{2500}; }));
  glance->stop();
  slow.peer().read();
  const auto last = bench.journal.last_seq();
  REQUIRE(run_until(bench.loop, [&] {
    return !slow.events().empty() && slow.events().back()["params"]["seq"] == last;
  }));
  CHECK_FALSE(slow.peer().ended());
  CHECK(check_whole(slow.events(), first, last) > 0);
}

TEST_CASE("feed: an operator who has read most of it may rest", "[operators][feed]") {
  Bench bench;
  Operator slow{bench};
  (void)slow.result("subscribe");
  const auto first = bench.journal.last_seq() + 1;
  slow.peer().stop();
  for (int i = 0; i < 17; ++i) {
    add_events(bench, 100);
    run_pending(bench.loop);
  }
  // By now it is suspected of not reading. It reads, and then not for longer than anybody
  // for whom 1 MiB waits may take nothing.
  for (int i = 0; i < 100; ++i) {
    slow.take(12 * 1024);
    run_pending(bench.loop);
  }
  bool rested = false;
  io::Timer rest{bench.loop, [&] { rested = true; }};
  rest.start(Duration{2500});
  REQUIRE(run_until(bench.loop, [&] { return rested; }));
  slow.peer().read();
  const auto last = bench.journal.last_seq();
  REQUIRE(run_until(bench.loop, [&] {
    return slow.peer().ended() ||
           (!slow.events().empty() && slow.events().back()["params"]["seq"] == last);
  }));
  CHECK_FALSE(slow.peer().ended());
  CHECK(check_whole(slow.events(), first, last) == 0);
}

TEST_CASE("feed: an operator who asks without reading is not read from, and loses nothing",
          "[operators][feed]") {
  Bench bench;
  Operator one{bench, false};
  // Each answer repeats its id, so that few requests make many bytes.
  const std::string id(60'000, 'i');
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    lines +=
        R"({"jsonrpc":"2.0","id":")" + id + std::to_string(i) + R"(","method":"stats"})" + "\n";
  }
  std::string_view rest = lines;
  for (int i = 0; i < 100; ++i) {
    rest.remove_prefix(one.peer().send(rest));
    run_pending(bench.loop);
  }
  CHECK(rest.size() > lines.size() / 2);
  one.peer().read();
  one.send(rest);
  REQUIRE(run_until(bench.loop, [&] { return one.complaints().size() == 40; }));
  for (int i = 0; i < 40; ++i) {
    CHECK(one.complaints()[static_cast<std::size_t>(i)]["id"] == id + std::to_string(i));
  }
}

}  // namespace
}  // namespace chatd::test
