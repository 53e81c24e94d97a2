/// Events as the exact lines that operators get, and as what a JSON parser makes
/// of them.
#include "events/event_json.hpp"
#include "base/json.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chatd::test {
namespace {

using core::EventType;
using nlohmann::json;

constexpr std::int64_t kMs = 1'709'210'096'007;
const std::string kTime = R"("time":"2024-02-29T12:34:56.007Z")";

std::string line_of(const core::Event& event, const core::Outbox& outbox,
                    const EventPlace& place = {}) {
  std::string out;
  append_event(out, event, outbox, WallTime{std::chrono::milliseconds{kMs}}, place);
  return out;
}

std::string line(const std::string& method, const std::string& members) {
  return R"({"jsonrpc":"2.0","method":")" + method + R"(","params":{"seq":12,)" + kTime + members +
         "}}\n";
}

TEST_CASE("event json: without its number and time a line can be made again",
          "[events][event_json]") {
  for (const auto& [method, members] : std::vector<std::pair<std::string, std::string>>{
           {"connected", R"(,"session":3,"address":"a,\"b\":}}")"}, {"later", ""}}) {
    std::string rest;
    append_event_rest(rest, line(method, members));
    CHECK(rest == method + members);
    std::string again;
    append_event_line(again, 12, WallTime{std::chrono::milliseconds{kMs}}, rest);
    CHECK(again == line(method, members));
  }
}

TEST_CASE("event json: each event is this very line", "[events][event_json]") {
  core::Outbox outbox{11};
  const auto text = outbox.keep("hello");
  const auto anna = outbox.keep("anna");
  const auto event = [&](EventType type, core::SessionId session) {
    core::Event made;
    made.seq = 12;
    made.type = type;
    made.session = session;
    made.text = text;
    made.operator_name = anna;
    return made;
  };

  CHECK(line_of(event(EventType::kConnected, 3), outbox, {"192.0.2.1:4711", "0.0.0.0:8080"}) ==
        line("connected", R"(,"session":3,"address":"192.0.2.1:4711","listener":"0.0.0.0:8080")"));
  auto message = event(EventType::kMessage, 3);
  CHECK(line_of(message, outbox) == line("message", R"(,"session":3,"text":"hello")"));
  message.cut = true;
  CHECK(line_of(message, outbox) == line("message", R"(,"session":3,"text":"hello","cut":true)"));
  auto sent = event(EventType::kSent, 3);
  CHECK(line_of(sent, outbox) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"sent")"));
  sent.state = core::SendState::kHeld;
  CHECK(line_of(sent, outbox) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"held")"));
  sent.state = core::SendState::kLost;
  CHECK(line_of(sent, outbox) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"lost")"));
  sent.automatic = true;
  CHECK(line_of(sent, outbox) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"lost",)"
                     R"("automatic":true)"));
  auto claimed = event(EventType::kClaimed, 3);
  CHECK(line_of(claimed, outbox) ==
        line("claimed", R"(,"session":3,"operator":"anna","from":"hello")"));
  claimed.text = {};
  CHECK(line_of(claimed, outbox) == line("claimed", R"(,"session":3,"operator":"anna")"));
  CHECK(line_of(event(EventType::kReleased, 3), outbox) ==
        line("released", R"(,"session":3,"operator":"anna")"));
  auto banned = event(EventType::kBanned, 0);
  CHECK(line_of(banned, outbox) == line("banned", R"(,"address":"hello","operator":"anna")"));
  banned.detail = anna;
  CHECK(line_of(banned, outbox) ==
        line("banned", R"(,"address":"hello","until":"anna","operator":"anna")"));
  auto unbanned = event(EventType::kUnbanned, 0);
  CHECK(line_of(unbanned, outbox) == line("unbanned", R"(,"address":"hello","operator":"anna")"));
  unbanned.operator_name = {};
  CHECK(line_of(unbanned, outbox) == line("unbanned", R"(,"address":"hello")"));
  auto away = event(EventType::kOperator, 0);
  away.detail = text;
  CHECK(line_of(away, outbox) ==
        line("operator", R"(,"name":"anna","state":"hello","text":"hello")"));
  auto delivered = event(EventType::kDelivered, 3);
  delivered.ref = 9;
  CHECK(line_of(delivered, outbox) == line("delivered", R"(,"session":3,"ref":9)"));
  auto gone = event(EventType::kDisconnected, 3);
  CHECK(line_of(gone, outbox) == line("disconnected", R"(,"session":3,"reason":"hello")"));
  gone.lost = 2;
  CHECK(line_of(gone, outbox) == line("disconnected", R"(,"session":3,"reason":"hello","lost":2)"));
  CHECK(line_of(event(EventType::kNamed, 3), outbox) ==
        line("named", R"(,"session":3,"name":"hello","operator":"anna")"));
  CHECK(line_of(event(EventType::kOperator, 0), outbox) ==
        line("operator", R"(,"name":"anna","state":"hello")"));

  std::string lagged;
  append_lagged(lagged, 12, 5, WallTime{std::chrono::milliseconds{kMs}});
  CHECK(lagged == line("lagged", R"(,"lost":5)"));
}

TEST_CASE("event json: what was sent to several names all of them", "[events][event_json]") {
  core::Outbox outbox{11};
  for (const core::SessionId id : {7U, 9U, 10U, 11U}) outbox.ids().push_back(id);
  core::Event event;
  event.seq = 12;
  event.type = EventType::kSent;
  event.text = outbox.keep("x");
  event.operator_name = outbox.keep("anna");
  event.sessions = {1, 2};
  CHECK(line_of(event, outbox) ==
        line("sent", R"(,"session":[9,10],"operator":"anna","text":"x","state":"sent")"));
  event.sessions = {0, 1};
  CHECK(line_of(event, outbox) ==
        line("sent", R"(,"session":[7],"operator":"anna","text":"x","state":"sent")"));
}

TEST_CASE("event json: arrays of ids", "[events][event_json]") {
  const auto array = [](const std::vector<core::SessionId>& ids) {
    std::string out;
    append_json_ids(out, ids);
    return out;
  };
  CHECK(array({}) == "[]");
  CHECK(array({1}) == "[1]");
  CHECK(array({1, 2, std::numeric_limits<std::uint64_t>::max()}) == "[1,2,18446744073709551615]");
  // As many as fill what they are written to in between, at every place in it.
  std::vector<core::SessionId> ids;
  std::string expected;
  for (std::size_t count = 1; count <= 400; ++count) {
    ids.push_back(count % 7 == 0 ? std::numeric_limits<std::uint64_t>::max() - count : count);
    expected += (count == 1 ? "[" : ",") + std::to_string(ids.back());
    CHECK(array(ids) == expected + "]");
  }
}

TEST_CASE("event json: numbers pass whole", "[events][event_json]") {
  core::Outbox outbox;
  core::Event event;
  event.seq = std::numeric_limits<std::uint64_t>::max();
  event.session = std::numeric_limits<std::uint64_t>::max() - 1;
  event.type = EventType::kDelivered;
  event.ref = std::numeric_limits<std::uint64_t>::max() - 2;
  const auto params = json::parse(line_of(event, outbox))["params"];
  CHECK(params["seq"].get<std::uint64_t>() == event.seq);
  CHECK(params["session"].get<std::uint64_t>() == event.session);
  CHECK(params["ref"].get<std::uint64_t>() == event.ref);
}

TEST_CASE("event json: every text comes back from a parser as it was, on one line of its own",
          "[events][event_json]") {
  std::vector<std::string> texts{"",
                                 "\"",
                                 "\\",
                                 "\\u0041",
                                 "a\nb",
                                 "\r\n",
                                 "\t",
                                 "/",
                                 "{\"seq\":1}",
                                 "\",\"seq\":99,\"x\":\"",
                                 std::string(1, '\0'),
                                 std::string{"a\0b", 3},
                                 "héllo",
                                 "日本語",
                                 "\U0001F600",
                                 "\u202e\u2066\u200b\u2028\u2029\ufeff",
                                 "\U000E0041",
                                 "\x1b[31m",
                                 "\x7f",
                                 "\u0085\u009b"};
  for (char c = 1; c < 0x20; ++c) texts.emplace_back(1, c);
  for (const auto& text : texts) {
    core::Outbox outbox;
    core::Event event;
    event.seq = 1;
    event.session = 1;
    event.type = EventType::kSent;
    event.text = outbox.keep(text);
    event.operator_name = outbox.keep(text);
    const auto out = line_of(event, outbox);
    INFO(out);
    CHECK(out.find('\n') == out.size() - 1);
    const auto document = json::parse(out);
    CHECK(document["params"]["text"] == text);
    CHECK(document["params"]["operator"] == text);
    CHECK(document["params"].size() == 6);
  }
}

TEST_CASE("event json: nothing that could deceive a reader is written as it is",
          "[events][event_json]") {
  // Bidirectional controls that do not end are what this is about.
  // NOLINTBEGIN(misc-misleading-bidirectional)
  const std::vector<std::string> hazards{"\x1b",   "\x7f",   "\u0085",    "\u009b",
                                         "\u202e", "\u2066", "\u200b",    "\u2028",
                                         "\ufeff", "\b",     "\U000E0041"};
  // NOLINTEND(misc-misleading-bidirectional)
  for (const auto& hazard : hazards) {
    std::string out;
    append_json_string(out, "a" + hazard + "b");
    INFO(out);
    CHECK(out.find(hazard) == std::string::npos);
  }
}

TEST_CASE("event json: bytes that are no UTF-8 become U+FFFD", "[events][event_json]") {
  for (const std::string bytes : {"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"}) {
    std::string out;
    append_json_string(out, "a" + bytes + "b");
    const auto text = json::parse(out).get<std::string>();
    CHECK(text.starts_with("a\ufffd"));
    CHECK(text.ends_with("\ufffdb"));
  }
}

}  // namespace
}  // namespace chatd::test
