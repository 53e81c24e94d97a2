/// Operators who write to clients that read slowly, for which they wait, or not at all, which
/// do not hold them up.
#include <algorithm>
#include <memory>
#include <string>

#include "support/catch.hpp"
#include "support/daemon.hpp"
#include "support/valgrind.hpp"

namespace chatd::test {
namespace {

constexpr int kSmallBuffer = 16 * 1024;
constexpr int kMessages = 1200;  // more than the kernel keeps on the way
const std::string kText(8000, 'x');

std::string numbered(int number) {
  return std::to_string(number) + " " + kText;
}

/// Requests 1 to `count`, each a message to `session`.
std::string messages_to(core::SessionId session, int count) {
  std::string lines;
  for (int id = 1; id <= count; ++id) {
    lines += Operator::request(id, "send", {{"to", session}, {"text", numbered(id)}});
  }
  return lines;
}

TEST_CASE("backpressure: an operator waits for a client that reads slowly, and all arrives",
          "[operators][backpressure]") {
  Bench bench;
  auto client = bench.speaking_client(kSmallBuffer);
  Operator one{bench};
  std::string expected;
  for (int id = 1; id <= kMessages; ++id) expected += numbered(id) + "\n";

  // It begins to read when the operator has to wait, and rests when nothing waits.
  const Config::Limits limits;
  std::size_t most = 0;
  const io::TurnEnd rhythm{bench.loop, [&] {
                             const auto queued = bench.clients.stats().queued_bytes;
                             most = std::max(most, queued);
                             if (queued > limits.output_soft) client->read();
                             if (queued == 0) client->stop();
                           }};
  one.send(messages_to(1, kMessages));
  REQUIRE(run_until(bench.loop, [&] { return one.answers().size() == kMessages; }));
  const io::TurnEnd rest{bench.loop, [&] { client->read(); }};
  REQUIRE(run_until(bench.loop, [&] { return client->received().size() >= expected.size(); }));
  CHECK(client->received() == expected);
  for (int id = 1; id <= kMessages; ++id) {
    REQUIRE(one.answers().at(id)["result"]["delivered"] == json{1});
  }
  CHECK(bench.clients.stats().lost == 0);
  CHECK(bench.clients.stats().delivered == kMessages);
  CHECK(most > limits.output_soft);  // it had to be waited for
  CHECK(most < limits.output_hard);
}

TEST_CASE("backpressure: a client that never reads is closed, and the operator goes on",
          "[operators][backpressure]") {
  Bench bench;
  auto deaf = bench.speaking_client(kSmallBuffer);
  auto other = bench.speaking_client();
  other->read();
  Operator one{bench};
  (void)one.result("subscribe");
  const int sent = 1000;  // more than any kernel keeps
  one.send(messages_to(1, sent));
  REQUIRE(run_until(bench.loop, [&] { return one.answers().count(sent) == 1; }));
  const auto& gone = one.wait_event("disconnected");
  CHECK(gone["session"] == 1);
  CHECK(gone["reason"].get<std::string>().find("does not read") != std::string::npos);
  CHECK(one.answers().at(sent)["error"]["code"] == rpc::kNoSession);

  // Every message that a result called delivered was, or is among the lost.
  int taken = 0;
  int refused = 0;
  for (int id = 1; id <= sent; ++id) {
    const auto& answer = one.answers().at(id);
    if (answer.contains("result")) {
      ++taken;
    } else if (answer["error"]["code"] == rpc::kLimit) {
      ++refused;
    }
  }
  CHECK(refused == 1);  // the one that was too much
  const auto stats = bench.clients.stats();
  CHECK(stats.messages_out == static_cast<std::uint64_t>(taken + refused));
  CHECK(stats.delivered + stats.lost == stats.messages_out);
  CHECK(stats.lost > 0);
  // The one that was too much is told of by an event of its own.
  CHECK(gone["lost"].get<std::uint64_t>() + 1 == stats.lost);

  CHECK(one.result("send", {{"to", 2}, {"text", "still here"}})["delivered"] == json{2});
  CHECK(run_until(bench.loop, [&] { return other->received() == "still here\n"; }));
}

TEST_CASE("backpressure: of several clients, the one that is closed counts as not delivered",
          "[operators][backpressure]") {
  Bench bench;
  auto deaf = bench.speaking_client(kSmallBuffer);
  auto other = bench.speaking_client();
  other->read();
  Operator one{bench};
  json answer;
  for (int sent = 0; sent < 1000 && !answer.contains("refused"); ++sent) {
    answer = one.result("send", {{"to", {1, 2}}, {"text", kText}});
    if (answer["refused"].empty()) answer.erase("refused");
  }
  CHECK(answer["delivered"] == json{2});
  REQUIRE(answer["refused"].size() == 1);
  CHECK(answer["refused"][0]["session"] == 1);
}

TEST_CASE("backpressure: what was queued for a client that left without it is lost",
          "[operators][backpressure]") {
  Bench bench;
  auto deaf = bench.speaking_client(kSmallBuffer);
  std::uint64_t sent = 0;
  while (bench.clients.stats().queued_bytes < kText.size()) {
    REQUIRE(bench.clients.sessions().send({false, {1}}, kText, "ann").receipt.delivered.size() ==
            1);
    ++sent;
    run_pending(bench.loop);
  }
  REQUIRE(bench.clients.sessions().bye(1, "ann") == core::Outcome::kDone);
  run_pending(bench.loop);
  CHECK(bench.clients.stats().sessions == 1);      // it is closing
  CHECK(bench.clients.stats().delivered == sent);  // it may still take it
  deaf->reset();
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 0; }));
  CHECK(bench.clients.stats().queued_bytes == 0);
  const auto stats = bench.clients.stats();
  CHECK(stats.lost > 0);
  CHECK(stats.delivered + stats.lost == sent);
}

TEST_CASE("backpressure: a client that takes nothing is waited for once, not for each message",
          "[operators][backpressure]") {
  Bench bench;
  auto deaf = bench.speaking_client(kSmallBuffer);
  Operator one{bench};
  const Config::Limits limits;
  const int sent = 1000;
  // How its queue grew from the one limit to the other: by all that is read of the
  // operator at once, or message by message.
  std::size_t before = 0;
  int steps = 0;
  const io::TurnEnd count{bench.loop, [&] {
                            const auto queued = bench.clients.stats().queued_bytes;
                            if (queued > limits.output_soft && queued > before) ++steps;
                            before = queued;
                          }};
  one.send(messages_to(1, sent));
  REQUIRE(run_until(bench.loop, [&] { return one.answers().count(sent) == 1; }));
  CHECK(one.answers().at(sent)["error"]["code"] == rpc::kNoSession);
  CHECK(steps >= 1);
  // Message by message it would be 24. A machine that is slow ends a turn after fewer of them.
  CHECK(steps <= (under_valgrind() ? 16 : 8));
}

TEST_CASE("backpressure: others are heard while an operator waits", "[operators][backpressure]") {
  Bench bench;
  auto slow = bench.speaking_client(kSmallBuffer);
  auto other = bench.speaking_client();
  other->read();
  Operator busy{bench};
  Operator calm{bench};
  const int count = 400;
  const auto lines = messages_to(1, count);
  std::string_view rest = lines;
  rest.remove_prefix(busy.peer().send(rest));
  run_pending(bench.loop);
  CHECK(calm.result("send", {{"to", 2}, {"text", "hello"}})["delivered"] == json{2});
  CHECK(run_until(bench.loop, [&] { return other->received() == "hello\n"; }));
  // The client that was waited for leaves: the operator is no longer held up.
  slow->reset();
  busy.send(rest);
  REQUIRE(run_until(bench.loop, [&] { return busy.answers().size() == count; }));
  CHECK(busy.answers().at(count)["error"]["code"] == rpc::kNoSession);
}

TEST_CASE("backpressure: an operator who ends while it waits has all that it asked for done",
          "[operators][backpressure]") {
  Bench bench;
  auto client = bench.speaking_client(kSmallBuffer);
  Operator one{bench};
  const int count = 20;  // fits on the way to the daemon, but not on that to the client
  const auto lines = messages_to(1, count);
  std::string expected;
  for (int id = 1; id <= count; ++id) expected += numbered(id) + "\n";
  one.send(lines);
  one.peer().end();
  run_pending(bench.loop);
  client->read();
  REQUIRE(one.wait_end());
  CHECK(one.answers().size() == count);
  CHECK(run_until(bench.loop, [&] { return client->received().size() >= expected.size(); }));
  CHECK(client->received() == expected);
}

TEST_CASE("backpressure: what waits when another process takes over is refused, and not done",
          "[operators][backpressure]") {
  Bench bench;
  auto slow = bench.speaking_client(kSmallBuffer);
  Operator one{bench};
  const int count = 40;  // more than one turn reads
  std::string_view rest;
  const auto lines = messages_to(1, count);
  rest = lines;
  rest.remove_prefix(one.peer().send(rest));
  // It waits for some milliseconds: no turn follows in which they may be over.
  REQUIRE(run_until(bench.loop, [&] {
    return bench.clients.stats().queued_bytes > Config::Limits{}.output_soft;
  }));
  bench.operators.finish_requests();
  run_pending(bench.loop);
  std::string expected;
  int refused = 0;
  for (const auto& [id, answer] : one.answers()) {
    if (answer.contains("result")) {
      CHECK(refused == 0);  // in the order of the requests
      expected += numbered(static_cast<int>(id)) + "\n";
    } else {
      CHECK(answer["error"]["code"] == rpc::kReplaced);
      ++refused;
    }
  }
  CHECK(refused > 0);
  const auto whole = std::count(lines.begin(), lines.end() - static_cast<long>(rest.size()), '\n');
  CHECK(one.answers().size() == static_cast<std::size_t>(whole));
  slow->read();
  REQUIRE(run_until(bench.loop, [&] { return slow->received().size() >= expected.size(); }));
  run_pending(bench.loop);
  CHECK(slow->received() == expected);
}

}  // namespace
}  // namespace chatd::test
