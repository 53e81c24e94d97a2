// What is remembered of a conversation: who waits and since when, the last words, and notes.
#include <string>
#include <vector>

#include "core/talk.hpp"
#include "support/catch.hpp"
#include "support/chat.hpp"

using chatd::Duration;
using chatd::kNever;
using chatd::Time;
using chatd::core::Talk;
using chatd::test::Chat;

namespace {

std::string last(const Chat& chat, chatd::core::SessionId id = 1) {
  const Talk* talk = chat.session(id).talk();
  if (talk == nullptr || talk->last() == Talk::Last::kNobody) return "nothing";
  std::string all{talk->last() == Talk::Last::kClient ? "client" : talk->answered_by()};
  all += ": ";
  return all += talk->last_text();
}

/// For how many milliseconds it has waited; -1: it does not.
std::int64_t waits(const Chat& chat, chatd::core::SessionId id = 1) {
  const Time since = chat.session(id).waiting_since();
  return since == kNever ? -1 : (chat.now() - since).count();
}

std::vector<std::string> notes(const Chat& chat, chatd::core::SessionId id = 1) {
  std::vector<std::string> all;
  const Talk* talk = chat.session(id).talk();
  if (talk == nullptr) return all;
  for (const auto& note : talk->notes()) {
    all.push_back(std::to_string((chat.now() - note.time).count()) + " " + note.operator_name +
                  ": " + note.text);
  }
  return all;
}

}  // namespace

TEST_CASE("talk: a client waits from its oldest message that nobody has answered", "[core][talk]") {
  Chat chat;
  chat.connect();
  CHECK(waits(chat) == -1);
  CHECK(chat.session().talk() == nullptr);
  chat.in("one\n");
  chat.wait(1000);
  chat.in("two\n");
  chat.wait(500);
  CHECK(waits(chat) == 1500);
  chat.send("answer");
  CHECK(waits(chat) == -1);
  chat.wait(200);
  chat.in("three\n");
  CHECK(waits(chat) == 0);
}

TEST_CASE("talk: only what is said to it by itself answers a client", "[core][talk]") {
  Chat chat;
  chat.connect();
  chat.connect();
  chat.in("one\n");
  CHECK(last(chat) == "client: one");
  chat.send_all("lunch");
  CHECK(waits(chat) == 0);
  CHECK(last(chat) == "client: one");
  CHECK(chat.session(2).talk() == nullptr);
  chat.away("we are away");
  CHECK(chat.says("two\n").find("we are away") != std::string::npos);
  CHECK(waits(chat) == 100);
  CHECK(last(chat) == "client: two");
  CHECK(chat.session().talk()->answered_by().empty());
  chat.back();
  chat.as("bob");
  chat.send("both of you", {1, 2});
  CHECK(waits(chat) == -1);
  CHECK(last(chat) == "bob: both of you");
  CHECK(last(chat, 2) == "bob: both of you");
  chat.in("thanks\n");
  CHECK(last(chat) == "client: thanks");
  CHECK(chat.session().talk()->answered_by() == "bob");
}

TEST_CASE("talk: what is held is said, what is lost or refused is not", "[core][talk]") {
  Chat chat;
  chat.connect();
  CHECK(chat.send("held") == "held");
  CHECK(last(chat) == "ann: held");
  chat.connect();
  chat.in("hi\n", 2);
  chat.claim(2);
  chat.as("bob");
  chat.send("may I?", 2);
  CHECK(last(chat, 2) == "client: hi");
}

TEST_CASE("talk: of the last words as many whole characters are kept as fit", "[core][talk]") {
  Chat chat;
  chat.connect();
  chat.in(std::string(99, 'x') + "\xe2\x82\xac\n");
  CHECK(last(chat) == "client: " + std::string(99, 'x'));
  chat.send("\n" + std::string(300, 'y'));
  CHECK(last(chat) == "ann: \n" + std::string(99, 'y'));
  chat.in("\n");
  CHECK(last(chat) == "client: ");
}

TEST_CASE("talk: whatever sizes its words have, the last ones are kept, and what belongs to them",
          "[core][talk]") {
  const Time when{Duration{1'000'000}};
  Talk talk;
  CHECK(talk.is_empty());
  CHECK(talk.kept_bytes() == 0);
  talk.waits_since(when);
  CHECK(talk.last() == Talk::Last::kNobody);
  CHECK(talk.last_text().empty());
  talk.add({when, "bob", "a regular"});
  for (const std::size_t size : {0U, 1U, 16U, 17U, 100U, 40U, 41U, 0U, 100U}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    talk.said(text);
    CHECK(talk.last_text() == text);
    talk.answered(text + "!", "ann");
    CHECK(talk.last_text() == (text + "!").substr(0, Talk::kMostText));
    CHECK(talk.last() == Talk::Last::kOperator);
  }
  CHECK(talk.answered_by() == "ann");
  CHECK(talk.waiting_since() == when);
  REQUIRE(talk.notes().size() == 1);
  CHECK(talk.notes().front().text == "a regular");
}

TEST_CASE("talk: of a client that has said little, little is kept", "[core][talk]") {
  Talk talk;
  talk.said("hello, you");
  CHECK(talk.kept_bytes() <= 48);
  talk.said(std::string(1000, 'x'));
  CHECK(talk.kept_bytes() <= 48 + Talk::kMostText);
  const auto before = talk.kept_bytes();
  for (int i = 0; i < 20; ++i) talk.add({Time{Duration{1}}, "ann", std::string(1024, 'x')});
  CHECK(talk.kept_bytes() - before >= Talk::kMostNotes * 1024);
  CHECK(talk.kept_bytes() - before <= Talk::kMostNotes * 1200);
}

TEST_CASE("talk: the last eight notes stay with a session", "[core][talk]") {
  Chat chat;
  chat.connect();
  CHECK(chat.note("first") == "noted 'first'");
  chat.wait(1000);
  chat.as("bob");
  for (int i = 2; i < 9; ++i) chat.note("note " + std::to_string(i));
  CHECK(notes(chat).size() == 8);
  CHECK(notes(chat).front() == "1000 ann: first");
  chat.note("note 9");
  CHECK(notes(chat).size() == 8);
  CHECK(notes(chat).front() == "0 bob: note 2");
  CHECK(notes(chat).back() == "0 bob: note 9");
  CHECK(last(chat) == "nothing");
  CHECK(chat.note("nobody", 7) == "no such session");
}

TEST_CASE("talk: all of it goes on in the next process", "[core][talk][saved]") {
  Chat chat;
  chat.connect();
  chat.in("one\n");
  chat.send("answer");
  chat.wait(2000);
  chat.in("two\n");
  chat.note("a regular");
  chat.wait(500);
  chat.hand_over();
  CHECK(waits(chat) == 500);
  CHECK(last(chat) == "client: two");
  CHECK(chat.session().talk()->answered_by() == "ann");
  CHECK(notes(chat) == std::vector<std::string>{"500 ann: a regular"});
}

TEST_CASE("talk: a short record leaves out the oldest notes, and those that are long",
          "[core][talk][saved]") {
  const Time now{Duration{1'000'000}};
  Talk talk;
  for (const std::size_t size : {10U, 40U, 20U, 30U})
    talk.add({now, "ann", std::string(size, 'x')});
  const auto kept = [&](std::size_t most) {
    chatd::ByteWriter out;
    talk.save(out, now, most);
    chatd::ByteReader in{out.bytes()};
    const Talk again = Talk::read(in, now);
    REQUIRE(in.finished());
    std::vector<std::size_t> sizes;
    for (const auto& note : again.notes()) sizes.push_back(note.text.size());
    return sizes;
  };
  CHECK(kept(SIZE_MAX) == std::vector<std::size_t>{10, 40, 20, 30});
  CHECK(kept(56) == std::vector<std::size_t>{20, 30});
  CHECK(kept(55) == std::vector<std::size_t>{30});
  CHECK(kept(0).empty());
}

TEST_CASE("talk: a process before there were talks leaves who waits, and about since when",
          "[core][talk][saved]") {
  Chat chat;
  chat.connect();
  chat.in("one\n");
  chat.wait(700);
  auto bytes = chatd::test::written_down(chat.router(), chat.now());
  chatd::ByteWriter talk;
  chat.session().talk()->save(talk, chat.now(), SIZE_MAX);
  // What version 9 has added.
  bytes.resize(bytes.size() - talk.bytes().size() - 2);
  chatd::ByteWriter head;
  chat.router().save(head);
  chatd::ByteWriter lineage;
  lineage.number(chat.router().lineage());
  bytes.erase(head.bytes().size() - lineage.bytes().size(), lineage.bytes().size());
  chatd::core::Router next{chat.router().settings()};
  REQUIRE(chatd::test::read_back(bytes, next, chat.now(), 8));
  CHECK(next.find(1)->unread() == 1);
  CHECK(chat.now() - next.find(1)->waiting_since() == Duration{700});
  CHECK(next.find(1)->talk()->last() == Talk::Last::kNobody);
}
