/// What was recorded is found again: history, search and replay, and what became of
/// each message.
#include "store/reader.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "store/id_list.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

using Found = std::vector<std::string>;

TEST_CASE("id list: any numbers come back, and the usual ones are short", "[store][ids]") {
  const std::vector<std::vector<std::uint64_t>> rows{
      {}, {1}, {1, 2, 3}, {3, 2, 1}, {0, std::numeric_limits<std::uint64_t>::max(), 0, 1UL << 63U}};
  for (const auto& ids : rows) {
    std::string bytes;
    append_ids(bytes, ids);
    std::vector<std::uint64_t> back;
    each_id(bytes, [&](std::uint64_t id) {
      back.push_back(id);
      return true;
    });
    CHECK(back == ids);
    for (const auto id : ids) CHECK(has_id(bytes, id));
    CHECK_FALSE(has_id(bytes, 77));
  }
  std::vector<std::uint64_t> many(10'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = 5000 + i;
  std::string bytes;
  append_ids(bytes, many);
  CHECK(bytes.size() < many.size() + 4);
}

TEST_CASE("id list: bytes that are not a list are read to their end", "[store][ids]") {
  CHECK_FALSE(has_id(std::string(100, '\xFF'), 1));
}

TEST_CASE("reader: history is newest first, of all or of one session", "[store][reader]") {
  Transcript transcript;
  transcript.write({other(1, 1, "connected"), message(2, 1, "hi"), message(3, 2, "ho"),
                    sent(4, 1, "hello"), message(5, 1, "bye")});
  CHECK(transcript.history() == Found{"5/1 in bye", "4/1 sent hello", "3/2 in ho", "2/1 in hi"});
  CHECK(transcript.history({1, 0}) == Found{"5/1 in bye", "4/1 sent hello", "2/1 in hi"});
  CHECK(transcript.history({1, 5}) == Found{"4/1 sent hello", "2/1 in hi"});
  CHECK(transcript.history({0, 3}) == Found{"2/1 in hi"});
  CHECK(transcript.history({3, 0}).empty());
  CHECK(transcript.history({}, 2) == Found{"5/1 in bye", "4/1 sent hello"});
}

TEST_CASE("reader: what went to several is in the history of each, in its place",
          "[store][reader]") {
  Transcript transcript;
  const std::vector<std::uint64_t> both{1, 3};
  transcript.write({sent_to(1, {1, 3}, "before they came"), message(2, 1, "a"), message(3, 3, "b"),
                    sent_to(4, both, "to both"), message(5, 2, "c"), message(6, 1, "d"),
                    sent_to(7, {2, 3}, "not to 1"), sent_to(8, both, "again")});
  CHECK(transcript.history({1, 0}) ==
        Found{"8/1 sent again", "6/1 in d", "4/1 sent to both", "2/1 in a"});
  CHECK(transcript.history({1, 6}) == Found{"4/1 sent to both", "2/1 in a"});
  CHECK(transcript.history({2, 0}) == Found{"7/2 sent not to 1", "5/2 in c"});
  CHECK(transcript.history({1, 0}, 1) == Found{"8/1 sent again"});
  CHECK(transcript.history().front() == "8/0 sent again");
}

TEST_CASE("reader: a held message is held until it is delivered or lost", "[store][reader]") {
  Transcript transcript;
  transcript.write({sent(1, 1, "one", State::kHeld), sent(2, 1, "two", State::kHeld)});
  CHECK(transcript.history() == Found{"2/1 held two", "1/1 held one"});
  transcript.write({delivered(3, 1, 1)});
  CHECK(transcript.history() == Found{"2/1 held two", "1/1 delivered one"});
  transcript.write({disconnected(4, 1, 1)});
  CHECK(transcript.history() == Found{"2/1 lost two", "1/1 delivered one"});
}

TEST_CASE("reader: the last messages that were sent are lost if they never left",
          "[store][reader]") {
  Transcript transcript;
  transcript.write({sent(1, 1, "one"), sent(2, 1, "two"), sent(3, 2, "other"), sent(4, 1, "three"),
                    disconnected(5, 1, 2)});
  CHECK(transcript.history() ==
        Found{"4/1 lost three", "3/2 sent other", "2/1 lost two", "1/1 sent one"});
}

TEST_CASE("reader: of a message to several each session has a state of its own",
          "[store][reader]") {
  Transcript transcript;
  transcript.write({other(1, 1, "connected"), other(2, 2, "connected"),
                    sent_to(3, {1, 2}, "x", State::kHeld), delivered(4, 1, 3)});
  CHECK(transcript.history({1, 0}) == Found{"3/1 delivered x"});
  CHECK(transcript.history({2, 0}) == Found{"3/2 held x"});
  CHECK(transcript.history() == Found{"3/0 held x"});
  transcript.write({disconnected(5, 2, 1)});
  CHECK(transcript.history({2, 0}) == Found{"3/2 lost x"});
  CHECK(transcript.history() == Found{"3/0 lost x"});
}

TEST_CASE("reader: what was held by a daemon that is gone is lost", "[store][reader]") {
  Transcript transcript;
  transcript.write({sent(1, 1, "x", State::kHeld), other(2, 2, "connected"),
                    other(3, 3, "connected"), sent_to(4, {2, 3}, "y", State::kHeld),
                    delivered(5, 2, 4)});
  REQUIRE(transcript.recorder().lose_held());
  CHECK(transcript.history() == Found{"4/0 lost y", "1/1 lost x"});
  CHECK(transcript.history({2, 0}) == Found{"4/2 delivered y"});
}

TEST_CASE("reader: search finds messages that have all words, newest first", "[store][search]") {
  Transcript transcript;
  transcript.write({message(1, 1, "the invoice is wrong"), sent(2, 1, "which invoice?"),
                    message(3, 2, "Wrong number"), message(4, 2, "Écoute, l'été")});
  const std::vector<std::pair<std::string, Found>> rows{
      {"invoice", {"2/1 sent which invoice?", "1/1 in the invoice is wrong"}},
      {"INVOICE wrong", {"1/1 in the invoice is wrong"}},
      {"wrong", {"3/2 in Wrong number", "1/1 in the invoice is wrong"}},
      {"inv", {}},
      {"inv*", {"2/1 sent which invoice?", "1/1 in the invoice is wrong"}},
      {"ete", {"4/2 in Écoute, l'été"}},
      {"invoice?", {"2/1 sent which invoice?", "1/1 in the invoice is wrong"}},
      {"nothing", {}},
      {"", {}},
      {"   ", {}},
  };
  for (const auto& [text, found] : rows) {
    INFO(text);
    CHECK(transcript.search(text) == found);
  }
  CHECK(transcript.search("invoice", {2, 0}).empty());
  CHECK(transcript.search("wrong", {2, 0}) == Found{"3/2 in Wrong number"});
  CHECK(transcript.search("wrong", {0, 3}) == Found{"1/1 in the invoice is wrong"});
}

TEST_CASE("reader: nothing in a search has a meaning of its own", "[store][search]") {
  Transcript transcript;
  transcript.write({message(1, 1, "NOT a bird OR a NEAR plane"), message(2, 1, "col text:x a"),
                    message(3, 1, "quote \" here")});
  const std::vector<std::pair<std::string, Found>> rows{
      {"NOT", {"1/1 in NOT a bird OR a NEAR plane"}},
      {"a OR zebra", {}},
      {"NEAR(a", {}},  // two words that are nowhere side by side
      {"NEAR(plane", {"1/1 in NOT a bird OR a NEAR plane"}},
      {"text:x", {"2/1 in col text:x a"}},
      {"\" quote", {"3/1 in quote \" here"}},
      {"\"\"\" here", {"3/1 in quote \" here"}},
      {"here\"", {"3/1 in quote \" here"}},
      {"- here ^", {"3/1 in quote \" here"}},
      {"(", {}},
      {"*", {}},
      {"\"", {}},
      {"+", {}},
      {"{text}", {"2/1 in col text:x a"}},
      {"text* AND", {}},
      {std::string("he\0re", 5), {}},
      {"';DROP TABLE events;--", {}},
  };
  for (const auto& [text, found] : rows) {
    INFO(text);
    CHECK(transcript.search(text) == found);
  }
  std::string many;
  for (int i = 0; i < 64; ++i) many += "a ";
  CHECK(transcript.search(many).size() == 2);
}

TEST_CASE("reader: a search in a session finds what went to several", "[store][search]") {
  Transcript transcript;
  transcript.write({message(1, 1, "x"), message(2, 2, "x"), sent_to(3, {2, 5}, "for you, x"),
                    disconnected(4, 2), sent_to(5, {1, 3}, "x for others")});
  CHECK(transcript.search("x", {2, 0}) == Found{"3/2 sent for you, x", "2/2 in x"});
  CHECK(transcript.search("x", {1, 0}) == Found{"5/1 sent x for others", "1/1 in x"});
}

TEST_CASE("reader: a replay has every event as it was", "[store][replay]") {
  Transcript transcript;
  Record cut = message(2, 1, std::string_view("a\0b", 3));
  cut.cut = true;
  Record automatic = sent(6, 1, "away", State::kHeld);
  automatic.ref = 1;
  transcript.write({other(1, 1, R"(connected,"session":1)"), cut, sent(3, 1, "later", State::kHeld),
                    delivered(4, 1, 3), sent_to(5, {7, 6, 9}, "all", State::kLost), automatic,
                    delivered(7, 1, 6), disconnected(8, 1, 0)});
  std::vector<Record> all;
  std::vector<std::string> texts;
  std::vector<std::uint64_t> several;
  REQUIRE(transcript.reader().replay(0, 6, [&](const Record& record) {
    all.push_back(record);
    texts.emplace_back(record.text);
    if (!record.sessions.empty()) several.assign(record.sessions.begin(), record.sessions.end());
    return true;
  }));
  REQUIRE(all.size() == 6);
  CHECK(texts ==
        Found{R"(connected,"session":1)", std::string("a\0b", 3), "later", "", "all", "away"});
  CHECK(all[0].kind == Kind::kOther);
  CHECK(all[1].cut);
  CHECK(all[1].time_ms == 2000);
  CHECK(all[2].ref == 0);
  CHECK(all[5].ref == 1);
  CHECK(all[5].state == State::kHeld);
  CHECK(all[2].state == State::kHeld);  // although it was delivered since
  CHECK(all[3].kind == Kind::kDelivered);
  CHECK(all[3].ref == 3);
  CHECK(all[4].state == State::kLost);
  CHECK(several == std::vector<std::uint64_t>{7, 6, 9});
  std::size_t count = 0;
  REQUIRE(transcript.reader().replay(2, 100, [&](const Record&) { return ++count < 2; }));
  CHECK(count == 2);
}

TEST_CASE("reader: unread counts the messages of clients after a number", "[store][reader]") {
  Transcript transcript;
  transcript.write({message(1, 1, "a"), sent(2, 1, "b"), message(3, 1, "c"), message(4, 1, "d")});
  const auto last = *transcript.reader().last_seq();
  const auto unread_after = [&](std::uint64_t seq) {
    Unread unread{0, seq, last};
    while (*transcript.reader().count_unread(unread, 2)) {
    }
    CHECK(unread.is_known());
    return unread.messages;
  };
  CHECK(unread_after(0) == 3);
  CHECK(unread_after(1) == 2);
  CHECK(unread_after(4) == 0);
  CHECK(*transcript.reader().last_seq() == 4);
  CHECK(*transcript.reader().last_session() == 1);
}

TEST_CASE("recorder: a number that is there already keeps its meaning", "[store][recorder]") {
  Transcript transcript;
  transcript.write({message(1, 1, "first")});
  transcript.write({message(1, 2, "second"), message(2, 2, "third")});
  CHECK(transcript.history() == Found{"2/2 in third", "1/1 in first"});
  CHECK(transcript.search("second").empty());
}

}  // namespace
}  // namespace chatd::store::test
