/// What operators are called and which connections are one of them, without a connection.
#include "operators/attendance.hpp"

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

using Presence = Attendance::Presence;

struct People : Bench {
  Attendance attendance{loop, clients.sessions(), journal, nullptr, 3};

  /// A connection that says hello, and its name then.
  std::string come(OperatorId id, const std::string& user, const std::string& wish = {},
                   bool quiet = false) {
    attendance.add(id, user, false);
    attendance.has_acted(id);
    return attendance.greet(id, wish, quiet);
  }
  void go(OperatorId id) { attendance.remove(id, ""); }

  /// What operators hear of it.
  std::string heard() {
    std::uint32_t count = 0;
    const Payload lines = journal.seal(count);
    std::string all;
    std::string_view rest = lines.view();
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      const auto event = json::parse(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      const auto& params = event["params"];
      all += all.empty() ? "" : "; ";
      all += event["method"] == "operator"
                 ? std::string{params["name"]} + " " + std::string{params["state"]}
                 : std::string{event["method"]};
    }
    return all;
  }
};

TEST_CASE("attendance: all connections of a user under one name are one operator",
          "[operators][attendance]") {
  People people;
  for (OperatorId id = 0; id < 3; ++id) CHECK(people.come(id, "ann") == "ann");
  CHECK(people.heard() == "ann attached");
  CHECK(people.attendance.is_same(0, 2));
  people.go(0);
  people.go(2);
  CHECK(people.heard().empty());
  people.go(1);
  CHECK(people.heard() == "ann detached");
}

TEST_CASE("attendance: a connection that says no hello is of the operator with its user's name",
          "[operators][attendance]") {
  People people;
  people.attendance.add(0, "ann", true);
  people.attendance.add(1, "ann", false);
  CHECK(people.attendance.name_of(1) == "ann");
  CHECK(people.attendance.is_same(0, 1));
  CHECK(people.come(2, "ann", "bot") == "bot");
  CHECK_FALSE(people.attendance.is_same(0, 2));
  CHECK(people.heard() == "bot attached");
  CHECK(people.attendance.greet(2, "ann") == "ann");
  CHECK(people.attendance.is_same(0, 2));
  CHECK(people.heard() == "bot detached; ann attached");
}

TEST_CASE("attendance: another user does not become the operator whose name it wishes",
          "[operators][attendance]") {
  People people;
  CHECK(people.come(0, "ann") == "ann");
  CHECK(people.come(1, "bob", "ann") == "ann-2");
  CHECK(people.come(2, "bob", "ann") == "ann-2");
  CHECK(people.attendance.is_same(1, 2));
  CHECK(people.come(3, "eve", "ann") == "ann-3");
  CHECK(people.come(4, "ann", "ann") == "ann");
  CHECK(people.attendance.is_same(0, 4));
  CHECK(people.attendance.greet(1, "ann") == "ann-2");
  people.go(0);
  CHECK(people.attendance.greet(1, "ann") == "ann-2");  // she is still there
  people.go(4);
  CHECK(people.attendance.greet(1, "ann") == "ann");  // nobody is called so any more
  CHECK(people.come(0, "ann") == "ann-4");
}

TEST_CASE("attendance: names that look the same are one", "[operators][attendance]") {
  People people;
  CHECK(people.come(0, "ann", "Zo\u00eb") == "Zo\u00eb");
  CHECK(people.come(1, "ann", "Zoe\u0308") == "Zo\u00eb");
  CHECK(people.come(2, "bob", "Zoe\u0308") == "Zoe\u0308-2");
}

TEST_CASE("attendance: who has done nothing gives its name to another user who asks for it",
          "[operators][attendance]") {
  People people;
  people.attendance.add(0, "ann", false);
  people.attendance.add(1, "bob", false);
  CHECK(people.attendance.greet(1, "ann") == "ann");
  CHECK(people.attendance.name_of(0) == "ann-2");
  people.attendance.has_acted(1);
  CHECK(people.attendance.greet(0, "ann") == "ann-2");
}

TEST_CASE("attendance: nobody hears of a quiet connection", "[operators][attendance]") {
  People people;
  CHECK(people.come(0, "ann", {}, true) == "ann");
  CHECK(people.attendance.list().empty());
  CHECK(people.attendance.presence("ann") == Presence::kNotHere);
  CHECK(people.come(1, "ann") == "ann");
  CHECK(people.heard() == "ann attached");
  REQUIRE(people.attendance.list().size() == 1);
  CHECK(people.attendance.list().front().connections == 1);
  people.go(1);
  CHECK(people.heard() == "ann detached");
  CHECK(people.attendance.greet(0, {}) == "ann");
  CHECK(people.heard() == "ann attached");
  CHECK(people.attendance.greet(0, {}, true) == "ann");
  CHECK(people.heard() == "ann detached");
  people.go(0);
  CHECK(people.heard().empty());
}

TEST_CASE("attendance: who has listened quietly hears for everybody from its hello on",
          "[operators][attendance]") {
  People people;
  const auto& unattended = people.attendance.unattended();
  people.come(0, "ann", {}, true);
  people.attendance.listens(0, false);
  people.journal.warn("that nobody was shown");
  CHECK(unattended.attended() < people.journal.last_seq());
  people.attendance.greet(0, {});
  CHECK(unattended.attended() == people.journal.last_seq());
  people.go(0);
  people.journal.warn("after the last one has gone");
  CHECK(unattended.attended() < people.journal.last_seq());
}

TEST_CASE("attendance: who is present, away, or only looks on", "[operators][attendance]") {
  People people;
  CHECK(people.attendance.presence("ann") == Presence::kNotHere);
  people.come(0, "ann");
  CHECK(people.attendance.presence("ann") == Presence::kPresent);
  people.attendance.go_away(0, "lunch");
  CHECK(people.attendance.presence("ann") == Presence::kAway);
  CHECK(people.attendance.list().front().away == "lunch");
  people.come(1, "ann");
  CHECK(people.attendance.presence("ann") == Presence::kAway);  // all her connections together
  CHECK(people.attendance.away_of(1) == "lunch");
  people.attendance.come_back(1);
  CHECK(people.attendance.presence("ann") == Presence::kPresent);
  CHECK(people.heard() == "ann attached; ann away; ann back");
  people.attendance.listens(1, true);
  people.go(0);
  CHECK(people.attendance.presence("ann") == Presence::kWatching);
  people.go(1);
  CHECK(people.attendance.presence("ann") == Presence::kNotHere);
}

TEST_CASE("attendance: a connection that neither says hello nor listens is nobody at the desk",
          "[operators][attendance]") {
  People people;
  people.attendance.add(0, "ann", false);
  CHECK(people.attendance.presence("ann") == Presence::kNotHere);
  CHECK(people.attendance.list().empty());
  people.attendance.listens(0, false);
  CHECK(people.attendance.presence("ann") == Presence::kPresent);
  people.go(0);
}

TEST_CASE("attendance: nobody stays away who has left the desk, whatever still looks on",
          "[operators][attendance]") {
  People people;
  people.come(0, "ann");
  people.come(1, "ann");
  people.attendance.listens(1, true);
  people.attendance.go_away(0, "lunch");
  people.go(0);
  CHECK(people.heard() == "ann attached; ann away; ann back");
  people.come(0, "ann");
  CHECK(people.attendance.presence("ann") == Presence::kPresent);
  people.attendance.go_away(0, "lunch");
  people.go(1);
  CHECK(people.attendance.presence("ann") == Presence::kAway);
  people.go(0);
  people.come(0, "ann");
  CHECK(people.attendance.presence("ann") == Presence::kPresent);
}

TEST_CASE(
    "attendance: an operator who takes another name stays away, one who joins another does not",
    "[operators][attendance]") {
  People people;
  people.come(0, "ann");
  people.attendance.go_away(0, "lunch");
  CHECK(people.attendance.greet(0, "anna") == "anna");
  CHECK(people.attendance.presence("anna") == Presence::kAway);
  CHECK(people.heard() == "ann attached; ann away; ann detached; anna attached; anna away");
  people.come(1, "ann", "bot");
  CHECK(people.attendance.greet(0, "bot") == "bot");
  CHECK(people.attendance.presence("bot") == Presence::kPresent);
}

TEST_CASE("attendance: a claim ends with the last connection of its holder, quiet ones as well",
          "[operators][attendance]") {
  People people;
  const auto client = people.speaking_client();
  const auto holder = [&] { return people.clients.sessions().claimed_by(1); };
  people.come(0, "ann");
  people.come(1, "ann", {}, true);
  REQUIRE(people.clients.sessions().claim(1, {"ann", false}, false) == core::Outcome::kDone);
  people.go(0);
  CHECK(holder() == "ann");
  people.come(0, "ann");
  people.go(1);
  CHECK(holder() == "ann");
  people.go(0);
  CHECK(holder().empty());
}

TEST_CASE("attendance: claims wait for operators who had to leave, each under its name",
          "[operators][attendance]") {
  People people;
  const auto client = people.speaking_client();
  people.come(0, "ann");
  people.come(1, "bob", "ann");
  REQUIRE(people.clients.sessions().claim(1, {"ann", false}, false) == core::Outcome::kDone);
  people.attendance.await_return();
  people.go(0);
  people.go(1);
  CHECK(people.clients.sessions().claimed_by(1) == "ann");

  CHECK(people.come(0, "bob", "ann-2") == "ann-2");
  CHECK(people.come(1, "ann", {}, true) == "ann");
  people.go(1);
  CHECK(people.clients.sessions().claimed_by(1) == "ann");
  CHECK(people.come(1, "ann") == "ann");
  CHECK(people.clients.sessions().claimed_by(1) == "ann");
}

TEST_CASE("attendance: a name that is waited for is no other user's", "[operators][attendance]") {
  People people;
  const auto client = people.speaking_client();
  people.come(0, "ann");
  people.come(1, "ann", "desk");
  REQUIRE(people.clients.sessions().claim(1, {"ann", false}, false) == core::Outcome::kDone);
  people.attendance.await_return();
  people.go(0);
  people.go(1);
  CHECK(people.come(0, "bob", "ann") == "ann-2");
  people.attendance.add(1, "desk", false);
  CHECK(people.attendance.name_of(1) == "desk-2");
  people.attendance.add(2, "eve", false);
  CHECK(people.attendance.greet(2, "desk") == "desk-3");
  CHECK(people.clients.sessions().claimed_by(1) == "ann");
  CHECK(people.come(3, "ann", "desk") == "desk");
  CHECK(people.come(4, "ann") == "ann");
  CHECK(people.clients.sessions().claimed_by(1) == "ann");
}

TEST_CASE("attendance: the next process knows whose name each was", "[operators][attendance]") {
  ByteWriter out;
  {
    People people;
    people.come(0, "ann");
    people.come(1, "bob", "ann");
    people.attendance.save(out);
  }
  People people;
  ByteReader in{out.bytes()};
  people.attendance.restore(in);
  CHECK(in.finished());
  people.attendance.await_return();
  CHECK(people.come(0, "eve", "ann") == "ann-3");
  CHECK(people.come(1, "bob", "ann") == "ann-2");
  // And so does the next, though ann has not come back to this one.
  ByteWriter again;
  people.attendance.save(again);
  CHECK(people.come(2, "ann") == "ann");
  People third;
  ByteReader more{again.bytes()};
  third.attendance.restore(more);
  CHECK(more.finished());
  third.attendance.await_return();
  CHECK(third.come(0, "bob", "ann") == "ann-2");
  CHECK(third.come(1, "ann") == "ann");

  People other;
  ByteWriter wrong;
  wrong.number<std::uint64_t>(1);
  wrong.text("");
  wrong.text("ann");
  ByteReader refused{wrong.bytes()};
  other.attendance.restore(refused);
  CHECK_FALSE(refused.ok());
}

TEST_CASE("attendance: places are for those who said hello or listen, and are not quiet",
          "[operators][attendance]") {
  People people;
  people.come(0, "ann");
  people.come(1, "ann");
  people.come(2, "ann", {}, true);
  people.attendance.add(3, "bob", false);
  CHECK(people.attendance.has_place(3));
  people.attendance.listens(2, true);
  CHECK(people.attendance.has_place(3));
  people.attendance.listens(2, false);
  CHECK_FALSE(people.attendance.has_place(3));
  CHECK(people.attendance.has_place(2));  // it has one
  people.attendance.add(4, "bob", true);
  CHECK(people.attendance.has_place(4));  // this process itself
  people.go(1);
  CHECK(people.attendance.has_place(3));
  people.attendance.set_max_operators(2);
  CHECK_FALSE(people.attendance.has_place(3));
}

}  // namespace
}  // namespace chatd::test
