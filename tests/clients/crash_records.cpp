/// What is written down for the case of a crash, and when: with a router, without connections.
#include "clients/crash_records.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/page_host.hpp"
#include "core/outbox.hpp"
#include "core/session.hpp"
#include "events/journal.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"
#include "support/service_manager.hpp"

namespace chatd::test {
namespace {

constexpr std::size_t kOthers = 32;
constexpr auto kLine = core::DialectSetting::kLine;
constexpr Duration kOld = CrashRecords::kMinAge * 5;

/// A daemon's sessions, all of whose connections are the same socket.
class Sessions : public CrashRecords::Source {
 public:
  explicit Sessions(std::size_t places = 8, Pages* pages = nullptr) : manager{kOthers + places} {
    store = CrashStore::open(manager.store(), {});
    REQUIRE(store);
    records = std::make_unique<CrashRecords>(loop, router, journal, *this, pages, store.get());
  }

  const io::Peer& peer(core::Slot) const override { return peer_; }
  const std::string& listener(core::Slot) const override { return listener_; }
  const Connections::Way& way(core::Slot) const override { return way_; }
  int share_socket(core::Slot) override { return pair_.ours.get(); }
  std::uint64_t refused() const override { return 7; }
  bool outlives_crash(core::Slot) override { return true; }

  /// Adds a session that came that long ago.
  core::SessionId come(core::Slot slot, Duration ago = kOld, core::DialectSetting dialect = kLine) {
    const auto id = router.connect(slot, dialect, loop.now() - ago, outbox);
    outbox.clear();
    return id;
  }
  void say(core::Slot slot, std::string_view text) {
    router.receive(slot, text, loop.now(), outbox);
    outbox.clear();
  }
  void go(core::Slot slot) {
    router.broken(slot, "connection reset", 0, loop.now(), outbox);
    outbox.clear();
  }
  /// Waits until the session at `slot` has a place.
  void wait_for(core::Slot slot) {
    records->add_soon();
    REQUIRE(run_until(loop, [&] { return records->place(slot) != 0; }));
  }
  /// What another process finds; afterwards it is gone.
  [[nodiscard]] CrashStore::Records found() const {
    const auto other = CrashStore::open(manager.store(), UniqueFd{::dup(store->descriptor())});
    return other->take_records();
  }

  io::Loop loop;
  ServiceManager manager;
  std::unique_ptr<CrashStore> store;
  core::Router router{core::Settings{}};
  core::Outbox outbox;
  Journal journal{1024};
  std::unique_ptr<CrashRecords> records;

 private:
  io::Peer peer_;
  std::string listener_ = "127.0.0.1:4711";
  Connections::Way way_{"ann", "10.0.0.1", "TLSv1.3"};
  Pair pair_ = unix_pair();
};

TEST_CASE("crash records: a session that has been there for a while gets a place, another waits",
          "[clients][crash]") {
  Sessions sessions;
  const auto old = sessions.come(0);
  sessions.come(1, -CrashRecords::kMinAge * 60);  // as if it came in a minute
  sessions.wait_for(0);
  CHECK(sessions.records->place(1) == 0);
  CHECK(sessions.manager.has("chatd-session-" + std::to_string(old)));
  const auto found = sessions.found();
  REQUIRE(found.sessions.size() == 1);
  auto saved = CrashRecords::read(found.sessions[0].record, sessions.loop.now());
  REQUIRE(saved);
  CHECK(saved->session->id() == old);
  CHECK(saved->listener == "127.0.0.1:4711");
  CHECK(saved->way.verified == "ann");
  CHECK(saved->way.via == "10.0.0.1");
  CHECK(saved->way.tls == "TLSv1.3");
  CHECK(saved->peer.to_string() == "unix:");
}

TEST_CASE("crash records: the oldest are put there first, as many as there is room for",
          "[clients][crash]") {
  Sessions sessions{2};
  for (core::Slot slot = 0; slot < 3; ++slot) sessions.come(slot);
  sessions.wait_for(1);
  CHECK(sessions.records->place(0) != 0);
  CHECK(sessions.records->place(2) == 0);
  // Somebody goes, and there is room.
  sessions.go(0);
  sessions.records->keep();
  CHECK(sessions.records->place(0) == 0);
  CHECK(run_until(sessions.loop, [&] { return sessions.records->place(2) != 0; }));
}

TEST_CASE("crash records: what happened in a turn is written down at its end", "[clients][crash]") {
  Sessions sessions;
  sessions.come(0);
  sessions.wait_for(0);
  sessions.say(0, "hi\nthere\n");
  sessions.records->keep();
  const auto found = sessions.found();
  REQUIRE(found.sessions.size() == 1);
  const auto saved = CrashRecords::read(found.sessions[0].record, sessions.loop.now());
  REQUIRE(saved);
  CHECK(saved->session->unread() == 2);
}

TEST_CASE("crash records: who has said much, and of whom much is known, fits into a record",
          "[clients][crash]") {
  Sessions sessions;
  const auto id = sessions.come(0);
  const std::string longest(64, 'n');  // of all names
  const std::string note(128, 'x');
  auto& router = sessions.router;
  const auto now = sessions.loop.now();
  for (std::size_t i = 0; i < core::Talk::kMostNotes; ++i) {
    REQUIRE(router.add_note(id, note, longest, now, sessions.outbox) == core::Outcome::kDone);
  }
  REQUIRE(router.name(id, longest, longest, now, sessions.outbox) == core::Outcome::kDone);
  REQUIRE(router.claim(id, {longest, true}, false, {}, sessions.outbox) == core::Outcome::kDone);
  sessions.say(0, "hi\n");
  (void)router.send({false, {id}}, std::string(1000, 'y'), longest, now, sessions.outbox);
  // More than its rate allows, and the beginning of another.
  std::string much;
  for (int i = 0; i < 1000; ++i) much += std::string(150, 'z') + '\n';
  sessions.say(0, much + std::string(4000, 'z'));
  sessions.wait_for(0);
  sessions.records->keep();
  const auto found = sessions.found();
  REQUIRE(found.sessions.size() == 1);
  const auto saved = CrashRecords::read(found.sessions[0].record, sessions.loop.now());
  REQUIRE(saved);
  CHECK(saved->session->talk()->notes().size() == core::Talk::kMostNotes);
  CHECK(saved->session->talk()->last_text().size() == core::Talk::kMostText);
  CHECK(saved->session->claim()->holder == longest);
  CHECK(saved->session->waits_to_be_read());
}

TEST_CASE("crash records: a session that has ended leaves its place, its connection or not",
          "[clients][crash]") {
  Sessions sessions;
  const auto first = sessions.come(0);
  const auto second = sessions.come(1);
  sessions.wait_for(1);
  sessions.go(0);
  sessions.records->closed(0);
  CHECK(sessions.records->place(0) == 0);
  CHECK_FALSE(sessions.manager.has("chatd-session-" + std::to_string(first)));
  sessions.go(1);
  sessions.records->keep();
  CHECK_FALSE(sessions.manager.has("chatd-session-" + std::to_string(second)));
  sessions.records->closed(1);
  CHECK(sessions.found().sessions.empty());
}

TEST_CASE("crash records: the head says where events and counts had been", "[clients][crash]") {
  Sessions sessions;
  sessions.come(0);
  sessions.come(1);
  sessions.journal.go_on_after(41);
  sessions.records->keep();
  const auto found = sessions.found();
  CHECK(CrashRecords::last_seq(found.head) == 41);
  core::Router next{core::Settings{}};
  CrashRecords::Totals totals;
  REQUIRE(CrashRecords::read_head(found.head, next, totals));
  CHECK(totals.sessions == 2);
  CHECK(totals.refused == 7);
  CHECK(next.counters().accepted == 2);
  for (std::size_t size = 0; size < found.head.size(); ++size) {
    core::Router none{core::Settings{}};
    REQUIRE_FALSE(
        CrashRecords::read_head(std::string_view{found.head}.substr(0, size), none, totals));
  }
}

TEST_CASE("crash records: the next process goes on with a session at its place",
          "[clients][crash]") {
  Sessions sessions;
  const auto id = sessions.come(0);
  sessions.wait_for(0);
  sessions.records->keep();
  // The same store: a process goes on with the file of the one before.
  const auto place = sessions.records->place(0);
  auto next =
      CrashStore::open(sessions.manager.store(), UniqueFd{::dup(sessions.store->descriptor())});
  const auto found = next->take_records();
  auto saved = CrashRecords::read(found.sessions.at(0).record, sessions.loop.now());
  REQUIRE(saved);
  core::Router router{core::Settings{}, id};
  CrashRecords records{sessions.loop, router, sessions.journal, sessions, nullptr, next.get()};
  REQUIRE(router.adopt(3, std::move(saved->session)));
  records.adopt(3, place);
  CHECK(records.place(3) == place);
  records.write_all();
  const auto again = sessions.found();
  REQUIRE(again.sessions.size() == 1);
  CHECK(again.sessions[0].place == place);
}

TEST_CASE("crash records: a record of another time or with a byte too few is refused",
          "[clients][crash]") {
  Sessions sessions;
  sessions.come(0);
  sessions.wait_for(0);
  const auto record = sessions.found().sessions.at(0).record;
  const auto now = sessions.loop.now();
  REQUIRE(CrashRecords::read(record, now));
  CHECK_FALSE(CrashRecords::read(record, now - Duration{3'600'000}));
  CHECK_FALSE(CrashRecords::read(record + 'x', now));
  for (std::size_t size = 0; size < record.size(); ++size) {
    REQUIRE_FALSE(CrashRecords::read(std::string_view{record}.substr(0, size), now));
  }
}

/// One page, whose session has the slot 100.
class OnePage : public PageTest {
 public:
  OnePage() : sessions{8, pages.get()} {
    hello(1);
    id = sessions.come(kFirstSession, kOld, core::DialectSetting::kWeb);
    sessions.wait_for(kFirstSession);
  }
  /// What another process finds of the page; nothing: it cannot go on.
  [[nodiscard]] std::optional<Page> found() {
    sessions.records->keep();
    const auto all = sessions.found().sessions;
    REQUIRE(all.size() == 1);
    auto saved = CrashRecords::read(all[0].record, sessions.loop.now());
    REQUIRE(saved);
    CHECK(saved->session->id() == id);
    CHECK(saved->session->dialect() == core::Dialect::kWeb);
    return all[0].log ? Page::from_log(*all[0].log) : std::nullopt;
  }
  [[nodiscard]] std::size_t log_size() const { return sessions.records->log_size(kFirstSession); }

  Sessions sessions;
  core::SessionId id = 0;
};

TEST_CASE("crash records: the session of a page has a log, and no descriptor",
          "[clients][crash][pages]") {
  OnePage test;
  CHECK(test.sessions.manager.kept().size() == 1);  // the records
  test.say(1, "a", "mine");
  (void)test.write(100, "ann", "hi");
  test.seen(1, 1);
  auto page = test.found();
  REQUIRE(page);
  CHECK(page->tokens().good() == test.pages->page(100)->tokens().good());
  CHECK(page->unseen() == 1);
  std::string answer;
  CHECK(page->asked("a", answer) != Page::Saying::kNew);
  CHECK(page->asked("b", answer) == Page::Saying::kNew);
}

TEST_CASE("crash records: what changes of a page alone is written down as well",
          "[clients][crash][pages]") {
  OnePage test;
  (void)test.write(100, "ann", "hi");
  test.sessions.records->keep();
  test.seen(1, 1);  // the core hears nothing of it
  test.hello(2, "T1", 1);
  const auto page = test.found();
  REQUIRE(page);
  CHECK(page->unseen() == 0);
  CHECK(page->tokens().good().size() == 2);
  CHECK(page->tokens() == test.pages->page(100)->tokens());
}

TEST_CASE("crash records: a log does not grow with what is over", "[clients][crash][pages]") {
  OnePage test;
  std::size_t most = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    (void)test.write(100, "ann", std::string(100, 'x'));
    test.seen(1, i + 1);
    test.sessions.records->keep();
    most = std::max(most, test.log_size());
  }
  // 500 texts are kept, of 104 bytes and what is around them.
  CHECK(most < 4 * Page::kMostTexts * 150);
  (void)test.write(100, "ann", "the last");
  const auto page = test.found();
  REQUIRE(page);
  CHECK(page->unseen() == 1);
}

TEST_CASE("crash records: the next process goes on with a page's log", "[clients][crash][pages]") {
  OnePage test;
  (void)test.write(100, "ann", "hi");
  test.sessions.records->write_all();
  const auto size = test.log_size();
  CHECK(size > 0);
  CHECK(test.found());
  // A session that ends leaves its log, too, and a place for another.
  test.sessions.go(100);
  test.pages->closed(100, {});
  test.sessions.records->keep();
  CHECK(test.log_size() == 0);
  CHECK(test.sessions.found().sessions.empty());
}

TEST_CASE("crash records: a process that ends as it should leaves nothing, whatever happens after",
          "[clients][crash]") {
  Sessions sessions;
  sessions.come(0);
  sessions.wait_for(0);
  CHECK(sessions.manager.kept().size() == 2);
  sessions.say(0, "hi\n");
  sessions.records->end();
  CHECK(sessions.manager.kept().empty());
  sessions.records->keep();
  sessions.records->closed(0);
  sessions.records->add_soon();
  CHECK(sessions.found().sessions.empty());
  CHECK(sessions.manager.kept().empty());
}

TEST_CASE("crash records: without a store nothing is kept", "[clients][crash]") {
  Sessions sessions;
  sessions.come(0);
  CrashRecords none{sessions.loop, sessions.router, sessions.journal, sessions, nullptr, nullptr};
  none.add_soon();
  none.keep();
  none.closed(0);
  none.adopt(0, 1);
  none.discard_old();
  none.write_all();
  CHECK(none.place(0) == 0);
  CHECK(sessions.manager.kept().size() == 1);  // the file of the other
}

}  // namespace
}  // namespace chatd::test
