/// Operators and what they ask, over a socketpair.
#include "operators/requests.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include <vector>

#include "base/protocol.hpp"
#include "base/version.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"
#include "support/repository.hpp"

namespace chatd::test {
namespace {

/// The methods that doc/protocol.md has a chapter about: "## bye, kick" is one about two of them.
/// Titles of other chapters begin with a capital.
std::vector<std::string> documented_methods() {
  std::vector<std::string> words;
  std::ifstream page{in_repository("doc/protocol.md")};
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("## ") || std::islower(static_cast<unsigned char>(line[3])) == 0)
      continue;
    std::string title = line.substr(3);
    for (auto end = title.find(", "); end != std::string::npos; end = title.find(", ")) {
      words.push_back(title.substr(0, end));
      title.erase(0, end + 2);
    }
    words.push_back(title);
  }
  return words;
}

TEST_CASE("requests: the methods are those that the protocol's page documents, each once",
          "[operators][requests]") {
  auto documented = documented_methods();
  const auto words = Requests::words();
  std::vector<std::string> known{words.begin(), words.end()};
  std::sort(documented.begin(), documented.end());
  std::sort(known.begin(), known.end());
  CHECK(known == documented);
  CHECK(std::adjacent_find(known.begin(), known.end()) == known.end());
}

TEST_CASE("requests: hello says who one is, and the same user is the same under the same name",
          "[operators][requests]") {
  Bench bench;
  Operator anna{bench};
  Operator other{bench};
  auto hello = anna.result("hello", {{"name", "anna"}});
  CHECK(hello["operator"] == "anna");
  CHECK(hello["protocol"] == 1);
  CHECK(hello["version"] == kVersion);
  CHECK(hello["seq"] == 1);  // its own coming
  CHECK_FALSE(hello.contains("away"));
  hello = other.result("hello", {{"name", "anna"}});
  CHECK(hello["operator"] == "anna");
  CHECK(hello["seq"] == 1);
  (void)anna.result("away", {{"text", "lunch"}});
  CHECK(other.result("hello")["away"] == "lunch");

  Operator first{bench};
  Operator second{bench};
  const std::string made = first.result("hello")["operator"];
  CHECK_FALSE(made.empty());
  CHECK(second.result("hello")["operator"] == made);
}

TEST_CASE("requests: an operator who asks again for the same name keeps the one it has",
          "[operators][requests]") {
  Bench bench;
  Operator anna{bench};
  Operator other{bench};
  (void)anna.result("hello", {{"name", "anna"}});
  CHECK(other.result("hello", {{"name", "bob"}})["operator"] == "bob");
  const auto events = bench.journal.last_seq();
  CHECK(other.result("hello", {{"name", "bob"}})["operator"] == "bob");
  CHECK(anna.result("hello", {{"name", "anna"}})["operator"] == "anna");
  CHECK(anna.result("hello")["operator"] == "anna");
  CHECK(bench.journal.last_seq() == events);
}

TEST_CASE("requests: nobody hears of a quiet operator", "[operators][requests]") {
  Bench bench;
  Operator watcher{bench};
  (void)watcher.result("hello", {{"name", "watcher"}});
  (void)watcher.result("subscribe");
  Operator quiet{bench};
  const auto seq = bench.journal.last_seq();
  CHECK(quiet.result("hello", {{"name", "bot"}, {"quiet", true}})["operator"] == "bot");
  CHECK(quiet.result("operators").size() == 1);
  quiet.leave();
  REQUIRE(run_until(bench.loop, [&] { return bench.operators.count() == 1; }));
  CHECK(bench.journal.last_seq() == seq);
  CHECK(watcher.error("hello", {{"quiet", 1}}) == rpc::kInvalidParams);
}

TEST_CASE("requests: notes are told of one session, and the list says how many there are",
          "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  Operator ann{bench};
  (void)ann.result("hello", {{"name", "ann"}});
  CHECK(ann.result("notes", {{"session", 1}}) == json::array());
  CHECK(ann.result("sessions")[0]["notes"] == 0);
  (void)ann.result("note", {{"session", 1}, {"text", "likes \"tea\""}});
  (void)ann.result("note", {{"session", 1}, {"text", "and milk"}});
  CHECK(ann.result("sessions")[0]["notes"] == 2);
  const auto notes = ann.result("notes", {{"session", 1}});
  REQUIRE(notes.size() == 2);
  CHECK(notes[0]["operator"] == "ann");
  CHECK(notes[0]["text"] == "likes \"tea\"");
  CHECK(notes[0]["time"].get<std::string>().ends_with("Z"));
  CHECK(notes[1]["text"] == "and milk");
  CHECK(ann.error("notes", {{"session", 7}}) == rpc::kNoSession);
  CHECK(ann.error("notes") == rpc::kInvalidParams);
}

TEST_CASE("requests: the last words of a session are short in the list, whatever they are",
          "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  Operator ann{bench};
  const auto last_after = [&](const std::string& text) {
    const auto before = bench.clients.stats().messages_in;
    client->send(text + "\n");
    REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().messages_in > before; }));
    return ann.result("sessions")[0]["last_text"].get<std::string>();
  };
  CHECK(last_after(std::string(300, 'x')) == std::string(100, 'x'));
  CHECK(last_after("a\"b") == "a\"b");
  // \u001b takes six bytes for one.
  CHECK(last_after(std::string(300, '\x1b')) == std::string(16, '\x1b'));
  const auto mixed = last_after(std::string(50, 'x') + std::string(300, '\x1b'));
  CHECK(mixed.starts_with(std::string(20, 'x')));
  CHECK(mixed.size() <= 58);
}

TEST_CASE("requests: how a client came is told where there is something to tell",
          "[operators][requests]") {
  Bench bench;
  auto bare = bench.speaking_client();
  const auto one = bench.clients.connections().slots();
  auto other = bench.speaking_client();
  for (const core::Slot slot : bench.clients.connections().slots()) {
    if (slot == one.front()) continue;
    bench.clients.connections().set_way(slot, {"a\x1b\"nn", "10.0.0.1:555", "TLSv1.3 X"});
  }
  Operator ann{bench};
  const json all = ann.result("sessions");
  REQUIRE(all.size() == 2);
  for (const char* member : {"verified", "via", "tls"}) CHECK_FALSE(all[0].contains(member));
  CHECK(all[1]["verified"] == "a\x1b\"nn");
  CHECK(all[1]["via"] == "10.0.0.1:555");
  CHECK(all[1]["tls"] == "TLSv1.3 X");
  CHECK(ann.result("stats")["requests"] == 0);
}

TEST_CASE("requests: operators are listed with what they are doing", "[operators][requests]") {
  Bench bench;
  Operator ann{bench};
  Operator ann_too{bench};
  Operator bob{bench};
  Operator eve{bench};
  (void)ann.result("hello", {{"name", "ann"}});
  (void)ann_too.result("hello", {{"name", "ann"}});
  (void)bob.result("hello", {{"name", "bob"}});
  (void)bob.result("away", {{"text", "lunch"}});
  (void)eve.result("hello", {{"name", "eve"}});
  (void)eve.result("subscribe", {{"watch", true}});
  json all = ann.result("operators");
  for (auto& each : all) {
    CHECK(each["since"].get<std::string>().ends_with("Z"));
    each.erase("since");
  }
  CHECK(all == json{{{"name", "ann"}, {"state", "present"}, {"connections", 2}},
                    {{"name", "bob"}, {"state", "away"}, {"text", "lunch"}, {"connections", 1}},
                    {{"name", "eve"}, {"state", "watching"}, {"connections", 1}}});
}

TEST_CASE("requests: what operators say among themselves no client gets", "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  client->read();
  Operator ann{bench};
  Operator bob{bench};
  (void)ann.result("hello", {{"name", "ann"}});
  (void)bob.result("subscribe");
  CHECK(ann.result("ops", {{"text", "who takes 3?"}}) == json::object());
  const auto heard = bob.wait_event("ops");
  CHECK(heard["operator"] == "ann");
  CHECK(heard["text"] == "who takes 3?");
  CHECK(heard["seq"] == bench.journal.last_seq());
  CHECK(ann.error("ops") == rpc::kInvalidParams);
  CHECK(ann.error("ops", {{"text", " \n"}}) == rpc::kInvalidParams);
  CHECK(ann.error("ops", {{"text", std::string(8193, 'x')}}) == rpc::kInvalidParams);
  CHECK(ann.result("ops", {{"text", std::string(8192, 'x')}}) == json::object());
  (void)ann.result("send", {{"to", 1}, {"text", "seen"}});
  REQUIRE(run_until(bench.loop, [&] { return client->received() == "seen\n"; }));
}

TEST_CASE("requests: the others who listen are told who is writing, and nobody later",
          "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  Operator ann{bench};
  Operator ann_too{bench};
  Operator bob{bench};
  Operator deaf{bench};
  Operator tail{bench};
  (void)tail.result("hello", {{"name", "tail"}});
  (void)tail.result("subscribe", {{"watch", true}});
  for (Operator* each : {&ann, &ann_too}) {
    (void)each->result("hello", {{"name", "ann"}});
    (void)each->result("subscribe");
  }
  (void)bob.result("hello", {{"name", "bob"}});
  (void)bob.result("subscribe");
  (void)deaf.result("hello", {{"name", "deaf"}});
  const auto seq = bench.journal.last_seq();
  CHECK(ann.result("writing", {{"session", 1}}) == json::object());
  CHECK(ann.error("writing", {{"session", 7}}) == rpc::kNoSession);
  const auto heard = bob.wait_event("writing");
  CHECK(heard["session"] == 1);
  CHECK(heard["operator"] == "ann");
  CHECK_FALSE(heard.contains("seq"));
  CHECK(bench.journal.last_seq() == seq);
  (void)deaf.result("subscribe", {{"since", 0}});
  (void)ann.result("ops", {{"text", "that is all"}});
  for (Operator* each : {&ann, &ann_too, &bob, &deaf, &tail}) {
    (void)each->wait_event("ops");
    std::size_t told = 0;
    for (const auto& event : each->events()) told += event["method"] == "writing" ? 1 : 0;
    CHECK(told == (each == &bob ? 1 : 0));
  }
}

TEST_CASE("requests: another name is announced as a leaving and a coming",
          "[operators][requests]") {
  Bench bench;
  Operator watcher{bench};
  (void)watcher.result("subscribe");
  Operator one{bench};
  (void)one.result("hello", {{"name", "a"}});
  (void)one.result("hello", {{"name", "b"}});
  one.peer().end();
  REQUIRE(one.wait_end());
  (void)watcher.wait_event("operator", 4);
  std::string heard;
  for (const auto& event : watcher.events()) {
    heard += event["params"]["name"].get<std::string>() + " " +
             event["params"]["state"].get<std::string>() + "; ";
  }
  CHECK(heard == "a attached; a detached; b attached; b detached; ");
}

TEST_CASE("requests: a ban is for a possible time, or for good", "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  const auto ban = [](const json& seconds) {
    return json{{"address", "192.0.2.7"}, {"seconds", seconds}};
  };
  constexpr std::uint64_t kCentury = 100ULL * 365 * 24 * 3600;
  for (const json& seconds : {json(0), json(-1), json(kCentury + 1), json("60"), json(1.5)}) {
    INFO(seconds);
    CHECK(one.error("ban", ban(seconds)) == rpc::kInvalidParams);
  }
  CHECK(one.result("bans").empty());
  CHECK(one.result("ban", ban(1))["until"].is_string());
  CHECK(one.result("ban", ban(kCentury))["until"].is_string());
  CHECK(one.result("ban", {{"address", "192.0.2.7"}})["until"].is_null());
  CHECK(one.result("bans").size() == 1);
}

TEST_CASE("requests: what is to be kicked is one session, a list of them or a network",
          "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  const std::string too_long(1025, 'x');
  for (const json& wrong : std::vector<json>{{{"reason", "x"}},
                                             {{"session", 0}},
                                             {{"session", "1"}},
                                             {{"session", {1, 0}}},
                                             {{"session", {1, "2"}}},
                                             {{"address", "nowhere"}},
                                             {{"address", 7}},
                                             {{"address", "::1"}, {"session", 1}},
                                             {{"address", "::1"}, {"reason", too_long}},
                                             {{"session", {1, 2}}, {"reason", too_long}}}) {
    INFO(wrong);
    CHECK(one.error("kick", wrong) == rpc::kInvalidParams);
  }
  CHECK(one.error("kick", {{"session", 1}, {"reason", too_long}}) == rpc::kNoSession);
  CHECK(one.result("kick", {{"address", "192.0.2.0/24"}}) ==
        json{{"kicked", json::array()}, {"refused", json::array()}});
  CHECK(one.error("ban", {{"address", "::1"}, {"now", "yes"}}) == rpc::kInvalidParams);
  const auto banned = one.result("ban", {{"address", "192.0.2.7"}, {"now", true}});
  CHECK(banned["kicked"].empty());
  CHECK(banned["sessions"].empty());
  CHECK_FALSE(one.result("ban", {{"address", "192.0.2.7"}}).contains("kicked"));
}

TEST_CASE("requests: a client's name stands for no other session", "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  Operator one{bench};
  for (const std::string name : {"7", "007", "99999999999999999999", "all"}) {
    CHECK(one.error("name", {{"session", 1}, {"name", name}}) == rpc::kInvalidParams);
  }
  for (const std::string name : {"7up", "-1", "All", "1.5", ""}) {
    CHECK(one.result("name", {{"session", 1}, {"name", name}}) == json::object());
  }
}

TEST_CASE("requests: the line ends of an away text are LF", "[operators][requests]") {
  Bench bench;
  Operator watcher{bench};
  (void)watcher.result("subscribe");
  Operator one{bench};
  (void)one.result("hello", {{"name", "ann"}});
  (void)one.result("subscribe");
  (void)one.result("away", {{"text", "at\r\nlunch\rnow"}});
  CHECK(watcher.wait_event("operator", 2)["text"] == "at\nlunch\rnow");
}

TEST_CASE("requests: a name that could deceive is not taken", "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  const std::vector<std::string> bad{" ",    "\x1b[2J",      "a\nb",
                                     "a\tb", "\u202e\u202c", std::string(65, 'a')};
  for (const auto& name : bad) {
    CHECK(one.error("hello", {{"name", name}}) == rpc::kInvalidParams);
  }
  CHECK(one.result("hello", {{"name", std::string(64, 'a')}})["operator"] == std::string(64, 'a'));
}

TEST_CASE("requests: what is wrong with a request is told, and the connection stays",
          "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  CHECK(one.error("no-such-method") == rpc::kMethodNotFound);
  CHECK(one.error("bye", {{"session", 1}}) == rpc::kNoSession);
  CHECK(one.error("kick", {{"session", 1}}) == rpc::kNoSession);
  CHECK(one.error("name", {{"session", 1}, {"name", "n"}}) == rpc::kNoSession);
  CHECK(one.error("send", {{"to", 1}, {"text", "x"}}) == rpc::kNoSession);
  CHECK(one.error("send", {{"to", 1}}) == rpc::kInvalidParams);
  CHECK(one.error("send", {{"text", "x"}}) == rpc::kInvalidParams);
  CHECK(one.error("send", {{"to", "1"}, {"text", "x"}}) == rpc::kInvalidParams);
  CHECK(one.error("send", {{"to", {1, "2"}}, {"text", "x"}}) == rpc::kInvalidParams);
  CHECK(one.error("send", {{"to", -1}, {"text", "x"}}) == rpc::kInvalidParams);
  CHECK(one.error("stats", {{"x", 1}}) == rpc::kInvalidParams);
  CHECK(one.error("subscribe", {{"since", -1}}) == rpc::kInvalidParams);
  CHECK(one.error("subscribe", {{"since", "0"}}) == rpc::kInvalidParams);
  one.send("not json\n[]\n");
  REQUIRE(run_until(bench.loop, [&] { return one.complaints().size() == 2; }));
  CHECK(one.complaints()[0]["error"]["code"] == rpc::kParseError);
  CHECK(one.complaints()[1]["error"]["code"] == rpc::kInvalidRequest);
  CHECK(one.result("send", {{"to", {1, 2}}, {"text", "x"}})["refused"].size() == 2);
  CHECK(one.result("sessions") == json::array());
}

TEST_CASE("requests: requests may come in one write, or byte by byte", "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  std::string lines;
  for (int id = 1; id <= 500; ++id) lines += Operator::request(id, "stats", json::object());
  one.send(lines);
  REQUIRE(run_until(bench.loop, [&] { return one.answers().size() == 500; }));
  // In order, too.
  std::size_t at = 0;
  for (int id = 1; id <= 500; ++id) {
    at = one.peer().received().find("\"id\":" + std::to_string(id) + ",", at);
    REQUIRE(at != std::string::npos);
  }
  for (const char byte : Operator::request(501, "stats", json::object())) {
    one.send(std::string(1, byte));
    run_pending(bench.loop);
  }
  REQUIRE(run_until(bench.loop, [&] { return one.answers().count(501) == 1; }));
}

TEST_CASE("requests: a notification is done and not answered", "[operators][requests]") {
  Bench bench;
  auto client = bench.speaking_client();
  Operator one{bench};
  one.send(R"({"jsonrpc":"2.0","method":"name","params":{"session":1,"name":"n"}})"
           "\n"
           R"({"jsonrpc":"2.0","method":"nonsense"})"
           "\n");
  CHECK(one.result("sessions")[0]["name"] == "n");
  CHECK(one.answers().size() == 1);
  CHECK(one.complaints().empty());
}

TEST_CASE(
    "requests: a connection that closes its sending side gets every answer, then an end of file",
    "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  std::string lines;
  for (int id = 1; id <= 100; ++id) lines += Operator::request(id, "sessions", json::object());
  one.send(lines);
  one.peer().end();
  REQUIRE(one.wait_end());
  CHECK(one.answers().size() == 100);
}

TEST_CASE("requests: a line of 1 MiB is answered", "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  std::string line = Operator::request(1, "stats", json::object());
  line.insert(line.size() - 1, kMaxControlLine + 1 - line.size(), ' ');
  REQUIRE(line.size() == kMaxControlLine + 1);  // with its LF
  one.send(line);
  REQUIRE(run_until(bench.loop, [&] { return one.answers().count(1) == 1; }));
  CHECK(one.answers().at(1).contains("result"));
}

TEST_CASE("requests: a longer line is an error and the end, whether its LF is there or not",
          "[operators][requests]") {
  const std::string ending = GENERATE("", "\n");
  Bench bench;
  Operator one{bench};
  std::string line = Operator::request(1, "stats", json::object());
  line.pop_back();
  line.append(kMaxControlLine + 1 - line.size(), ' ');
  // The answer to what was asked before it comes first.
  one.send(Operator::request(2, "stats", json::object()) + line + ending);
  REQUIRE(one.wait_end());
  CHECK(one.answers().count(2) == 1);
  CHECK(one.answers().count(1) == 0);
  REQUIRE(one.complaints().size() == 1);
  CHECK(one.complaints()[0]["error"]["code"] == rpc::kInvalidRequest);
}

TEST_CASE("requests: the daemon is told to stop and to reload", "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  bench.reload = [] {
    return Result<ConfigChange>{ConfigChange{{"session.settle"}, {"log.target", "log.file"}}};
  };
  CHECK(one.result("reload") ==
        json{{"changed", {"session.settle"}}, {"needs_restart", {"log.target", "log.file"}}});
  bench.reload = [] { return Result<ConfigChange>{Error{"a.toml:1:1: x: bad\na.toml:2:1: y"}}; };
  const auto answer = one.call("reload");
  CHECK(answer["error"]["code"] == rpc::kNotAllowed);
  CHECK(answer["error"]["message"] == "a.toml:1:1: x: bad\na.toml:2:1: y");
  CHECK(bench.stops == 0);
  (void)one.result("stop");
  CHECK(bench.stops == 1);
}

TEST_CASE("requests: a desk is told what the configuration in force says of it",
          "[operators][requests]") {
  Bench bench;
  Operator one{bench};
  CHECK(one.result("desk") == json{{"bell", "first"},
                                   {"highlight", json::array()},
                                   {"replies", json::object()},
                                   {"claim_on_answer", false}});
  bench.in_force.console.bell = Bell::kNone;
  bench.in_force.console.highlight = {"urgent", "a\"b"};
  bench.in_force.console.claim_on_answer = true;
  bench.in_force.replies = {{"hello", "Hello {name}\nI am {operator}"}, {"wait", "one moment"}};
  CHECK(one.result("desk") ==
        json{{"bell", "none"},
             {"highlight", {"urgent", "a\"b"}},
             {"replies", {{"hello", "Hello {name}\nI am {operator}"}, {"wait", "one moment"}}},
             {"claim_on_answer", true}});
  bench.in_force.console.bell = Bell::kAll;
  CHECK(one.result("desk")["bell"] == "all");
}

TEST_CASE("requests: when it stops, operators get what they have not read, then an end of file",
          "[operators][requests]") {
  Bench bench;
  Operator watcher{bench};
  Operator idle{bench};
  (void)watcher.result("subscribe");
  bench.operator_changed("somebody", "attached");
  bool done = false;
  bench.operators.stop([&] { done = true; });
  REQUIRE(watcher.wait_end());
  REQUIRE(idle.wait_end());
  CHECK(watcher.events().size() == 1);
  watcher.leave();
  idle.leave();
  CHECK(run_until(bench.loop, [&] { return done; }));
}

}  // namespace
}  // namespace chatd::test
