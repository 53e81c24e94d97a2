/// Events as the exact lines that operators get, and as what a JSON parser makes
/// of them.
#include "events/event_json.hpp"
#include "base/json.hpp"
#include "support/catch.hpp"
#include "support/repository.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

using nlohmann::json;

constexpr std::int64_t kMs = 1'709'210'096'007;
const std::string kTime = R"("time":"2024-02-29T12:34:56.007Z")";

std::string line_of(const Event& event, Seq seq = 12) {
  std::string out;
  append_event(out, seq, WallTime{std::chrono::milliseconds{kMs}}, event);
  return out;
}

std::string line(const std::string& method, const std::string& members) {
  return R"({"jsonrpc":"2.0","method":")" + method + R"(","params":{"seq":12,)" + kTime + members +
         "}}\n";
}

Event event(EventKind kind, core::SessionId session = 0) {
  Event made;
  made.kind = kind;
  made.session = session;
  return made;
}

TEST_CASE("event json: the line of an event is made again of its word and its body",
          "[events][event_json]") {
  for (const auto& [word, body] : std::vector<std::pair<std::string, std::string>>{
           {"connected", R"(,"session":3,"address":"a,\"b\":}}")"}, {"later", ""}}) {
    std::string again;
    append_recorded(again, 12, WallTime{std::chrono::milliseconds{kMs}}, word, body);
    CHECK(again == line(word, body));
  }
  auto named = event(EventKind::kNamed, 3);
  named.name = "\"}}\n";
  named.operator_name = "anna";
  std::string whole;
  const std::string body{append_event(whole, 12, WallTime{std::chrono::milliseconds{kMs}}, named)};
  std::string again;
  append_recorded(again, 12, WallTime{std::chrono::milliseconds{kMs}}, "named", body);
  CHECK(again == whole);
}

TEST_CASE("event json: each event is this very line", "[events][event_json]") {
  auto connected = event(EventKind::kConnected, 3);
  connected.address = "192.0.2.1:4711";
  connected.listener = "0.0.0.0:8080";
  CHECK(line_of(connected) ==
        line("connected", R"(,"session":3,"address":"192.0.2.1:4711","listener":"0.0.0.0:8080")"));
  connected.tls = "TLSv1.3 TLS_AES_128_GCM_SHA256";
  CHECK(line_of(connected) == line("connected", R"(,"session":3,"address":"192.0.2.1:4711",)"
                                                R"("listener":"0.0.0.0:8080",)"
                                                R"("tls":"TLSv1.3 TLS_AES_128_GCM_SHA256")"));
  connected.tls = {};
  connected.verified = "anna";
  connected.via = "10.0.0.1:555";
  CHECK(line_of(connected) == line("connected", R"(,"session":3,"address":"192.0.2.1:4711",)"
                                                R"("listener":"0.0.0.0:8080",)"
                                                R"("verified":"anna","via":"10.0.0.1:555")"));
  auto message = event(EventKind::kMessage, 3);
  message.text = "hello";
  CHECK(line_of(message) == line("message", R"(,"session":3,"text":"hello")"));
  message.cut = true;
  CHECK(line_of(message) == line("message", R"(,"session":3,"text":"hello","cut":true)"));
  auto sent = event(EventKind::kSent, 3);
  sent.text = "hello";
  sent.operator_name = "anna";
  CHECK(line_of(sent) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"sent")"));
  sent.sent_state = core::SendState::kHeld;
  CHECK(line_of(sent) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"held")"));
  sent.sent_state = core::SendState::kLost;
  CHECK(line_of(sent) ==
        line("sent", R"(,"session":3,"operator":"anna","text":"hello","state":"lost")"));
  sent.automatic = true;
  CHECK(line_of(sent) == line("sent",
                              R"(,"session":3,"operator":"anna","text":"hello","state":"lost",)"
                              R"("automatic":true)"));
  auto claimed = event(EventKind::kClaimed, 3);
  claimed.operator_name = "anna";
  CHECK(line_of(claimed) == line("claimed", R"(,"session":3,"operator":"anna")"));
  claimed.from = "hello";
  CHECK(line_of(claimed) == line("claimed", R"(,"session":3,"operator":"anna","from":"hello")"));
  auto released = event(EventKind::kReleased, 3);
  released.operator_name = "anna";
  CHECK(line_of(released) == line("released", R"(,"session":3,"operator":"anna")"));
  auto noted = event(EventKind::kNoted, 3);
  noted.text = "hello";
  noted.operator_name = "anna";
  CHECK(line_of(noted) == line("noted", R"(,"session":3,"text":"hello","operator":"anna")"));
  auto banned = event(EventKind::kBanned);
  banned.address = "hello";
  banned.operator_name = "anna";
  CHECK(line_of(banned) == line("banned", R"(,"address":"hello","operator":"anna")"));
  banned.until = "then";
  CHECK(line_of(banned) ==
        line("banned", R"(,"address":"hello","until":"then","operator":"anna")"));
  auto unbanned = event(EventKind::kUnbanned);
  unbanned.address = "hello";
  CHECK(line_of(unbanned) == line("unbanned", R"(,"address":"hello")"));
  unbanned.operator_name = "anna";
  CHECK(line_of(unbanned) == line("unbanned", R"(,"address":"hello","operator":"anna")"));
  auto away = event(EventKind::kOperator);
  away.name = "anna";
  away.state = "away";
  CHECK(line_of(away) == line("operator", R"(,"name":"anna","state":"away")"));
  away.text = "hello";
  CHECK(line_of(away) == line("operator", R"(,"name":"anna","state":"away","text":"hello")"));
  auto delivered = event(EventKind::kDelivered, 3);
  delivered.ref = 9;
  CHECK(line_of(delivered) == line("delivered", R"(,"session":3,"ref":9)"));
  auto gone = event(EventKind::kDisconnected, 3);
  gone.reason = "hello";
  gone.address = "192.0.2.1:4711";  // for the log alone
  CHECK(line_of(gone) == line("disconnected", R"(,"session":3,"reason":"hello")"));
  gone.lost = 2;
  CHECK(line_of(gone) == line("disconnected", R"(,"session":3,"reason":"hello","lost":2)"));
  auto named = event(EventKind::kNamed, 3);
  named.name = "hello";
  named.operator_name = "anna";
  CHECK(line_of(named) == line("named", R"(,"session":3,"name":"hello","operator":"anna")"));
  named.name = {};  // its name is taken away
  CHECK(line_of(named) == line("named", R"(,"session":3,"name":"","operator":"anna")"));
  named.name = "hello";
  named.operator_name = {};  // it has named itself
  CHECK(line_of(named) == line("named", R"(,"session":3,"name":"hello")"));
  named.automatic = true;  // as the configuration wants it
  CHECK(line_of(named) == line("named", R"(,"session":3,"name":"hello","automatic":true)"));
  CHECK(line_of(event(EventKind::kAsking, 3)) == line("asking", R"(,"session":3)"));
  auto warning = event(EventKind::kWarning);
  warning.text = "hello";
  CHECK(line_of(warning) == line("warning", R"(,"text":"hello")"));

  std::string lagged;
  append_lagged(lagged, 12, 5, WallTime{std::chrono::milliseconds{kMs}});
  CHECK(lagged == line("lagged", R"(,"lost":5)"));
}

TEST_CASE("event json: what was sent to several names all of them", "[events][event_json]") {
  const std::vector<core::SessionId> ids{7, 9, 10, 11};
  auto sent = event(EventKind::kSent);
  sent.text = "x";
  sent.operator_name = "anna";
  sent.sessions = std::span{ids}.subspan(1, 2);
  CHECK(line_of(sent) ==
        line("sent", R"(,"session":[9,10],"operator":"anna","text":"x","state":"sent")"));
  sent.sessions = std::span{ids}.subspan(0, 1);
  CHECK(line_of(sent) ==
        line("sent", R"(,"session":[7],"operator":"anna","text":"x","state":"sent")"));
}

/// An event of `kind`, and whatever is optional if `whole`.
Event example(EventKind kind, bool whole) {
  auto all = event(kind, 3);
  all.operator_name = all.name = all.state = all.text = all.address = all.listener = "x";
  all.reason = "x";
  all.ref = all.lost = 1;
  if (whole) {
    all.from = all.by = all.until = all.verified = all.via = all.tls = "x";
    all.cut = all.automatic = true;
    return all;
  }
  if (kind == EventKind::kDisconnected) all.lost = 0;
  if (kind == EventKind::kOperator) all.text = {};
  if (kind == EventKind::kUnbanned || kind == EventKind::kNamed) all.operator_name = {};
  return all;
}

TEST_CASE("event json: each kind has the members that the table says, in their order",
          "[events][event_json]") {
  for (const EventWord& row : kEventWords) {
    for (const bool whole : {true, false}) {
      INFO(row.word << (whole ? " with all" : " with what it must have"));
      const bool numbered = row.audience != Audience::kOthers;
      std::vector<std::string> expected{"time"};
      if (numbered) expected.insert(expected.begin(), "seq");
      std::istringstream members{std::string{row.members}};
      for (std::string name; members >> name;) {
        const bool optional = name.ends_with('?');
        if (optional && !whole) continue;
        if (optional) name.pop_back();
        expected.push_back(name);
      }
      const auto parsed =
          nlohmann::ordered_json::parse(line_of(example(row.kind, whole), numbered ? 12 : 0));
      CHECK(parsed["method"] == row.word);
      std::vector<std::string> found;
      for (const auto& [name, value] : parsed["params"].items()) found.push_back(name);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("event json: the page of the protocol has each event", "[events][event_json]") {
  std::ifstream file{in_repository("doc/protocol.md")};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  for (const EventWord& row : kEventWords) {
    INFO(row.word);
    const std::string word{row.word};
    const bool named = page.find('`' + word + '`') != std::string::npos;
    const bool shown = page.find("\"method\":\"" + word + '"') != std::string::npos;
    CHECK((named || shown));
  }
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
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  auto delivered = event(EventKind::kDelivered, kMost - 1);
  delivered.ref = kMost - 2;
  const auto params = json::parse(line_of(delivered, kMost))["params"];
  CHECK(params["seq"].get<std::uint64_t>() == kMost);
  CHECK(params["session"].get<std::uint64_t>() == kMost - 1);
  CHECK(params["ref"].get<std::uint64_t>() == kMost - 2);
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
    auto sent = event(EventKind::kSent, 1);
    sent.text = text;
    sent.operator_name = text;
    const auto out = line_of(sent);
    INFO(out);
    CHECK(out.find('\n') == out.size() - 1);
    const auto document = json::parse(out);
    CHECK(document["params"]["text"] == text);
    CHECK(document["params"]["operator"] == text);
    CHECK(document["params"].size() == 6);
  }
}

TEST_CASE("event json: how a client came is written as safely as what it says",
          "[events][event_json]") {
  auto connected = event(EventKind::kConnected, 3);
  connected.verified = "\",\"session\":4,\"x\":\"";
  connected.via = connected.tls = "\x1b\n";
  const auto out = line_of(connected);
  CHECK(out.find('\n') == out.size() - 1);
  CHECK(out.find('\x1b') == std::string::npos);
  const auto params = json::parse(out)["params"];
  CHECK(params["session"] == 3);
  CHECK(params["verified"] == connected.verified);
  CHECK(params["via"] == connected.via);
  CHECK(params["tls"] == connected.tls);
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

TEST_CASE("event json: bytes that are not UTF-8 become U+FFFD", "[events][event_json]") {
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
