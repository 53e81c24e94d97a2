/// The places that outlive a crash, with a service manager that keeps what it is given.
#include "clients/crash_store.hpp"

#include <unistd.h>

#include <memory>
#include <string>

#include "support/catch.hpp"
#include "support/io.hpp"
#include "support/service_manager.hpp"

namespace chatd::test {
namespace {

/// The room of the store that is kept for other things.
constexpr std::size_t kOthers = 32;

UniqueFd copy(int fd) {
  return UniqueFd{::dup(fd)};
}

TEST_CASE("crash store: there is none without room in the service manager's store",
          "[clients][crash]") {
  ServiceManager none{0};
  CHECK(CrashStore::open(none.store(), {}) == nullptr);
  ServiceManager little{kOthers};
  CHECK(CrashStore::open(little.store(), {}) == nullptr);
  ServiceManager enough{kOthers + 1};
  CHECK(CrashStore::open(enough.store(), {}) != nullptr);
  CHECK(enough.has("chatd-records"));
}

TEST_CASE("crash store: a session has a place, a record and a descriptor, or none of them",
          "[clients][crash]") {
  ServiceManager manager{kOthers + 2};
  const auto store = CrashStore::open(manager.store(), {});
  REQUIRE(store);
  CHECK_FALSE(store->goes_on());
  const auto pair = unix_pair();
  const auto first = store->add(41, pair.ours.get(), "forty-one");
  CHECK(first != 0);
  CHECK(store->has(41));
  CHECK(manager.has("chatd-session-41"));
  CHECK(store->add(42, pair.ours.get(), std::string(10'000, 'x')) == 0);
  CHECK_FALSE(store->has(42));
  CHECK_FALSE(manager.has("chatd-session-42"));
  CHECK(store->add(42, pair.ours.get(), "forty-two") != 0);
  CHECK_FALSE(store->has_room());
  CHECK(store->add(43, pair.ours.get(), "forty-three") == 0);

  store->remove(first);
  CHECK_FALSE(store->has(41));
  CHECK_FALSE(manager.has("chatd-session-41"));
  CHECK(store->add(43, pair.ours.get(), "forty-three") == first);
}

TEST_CASE("crash store: the next process reads the records once, and goes on with the places",
          "[clients][crash]") {
  ServiceManager manager{kOthers + 2};
  const auto pair = unix_pair();
  auto before = CrashStore::open(manager.store(), {});
  REQUIRE(before);
  before->write_head("head");
  const auto place = before->add(41, pair.ours.get(), "forty-one");
  before->write(place, "forty-one again");
  const auto file = copy(before->descriptor());
  before.reset();  // without a farewell

  const auto after = CrashStore::open(manager.store(), copy(file.get()));
  REQUIRE(after);
  CHECK(after->goes_on());
  const auto records = after->take_records();
  CHECK(records.head == "head");
  REQUIRE(records.sessions.size() == 1);
  CHECK(records.sessions[0].place == place);
  CHECK(records.sessions[0].record == "forty-one again");
  CHECK(after->take_records().sessions.empty());
  CHECK(after->adopt(place, 41));
  CHECK(after->has(41));
  CHECK(manager.has("chatd-session-41"));
  // Another one at the same place cannot be right.
  CHECK_FALSE(after->adopt(place, 42));
  CHECK(after->has(41));
}

TEST_CASE("crash store: a file that is not one is replaced, and its sessions are thrown away",
          "[clients][crash]") {
  ServiceManager manager{kOthers + 2};
  const auto pair = unix_pair();
  REQUIRE(manager.store().keep_session(41, pair.ours.get()));
  const auto store = CrashStore::open(manager.store(), copy(pair.ours.get()));
  REQUIRE(store);
  CHECK_FALSE(store->goes_on());
  CHECK(manager.has("chatd-session-41"));
  CHECK_FALSE(store->adopt(1, 41));
  CHECK_FALSE(manager.has("chatd-session-41"));
}

TEST_CASE("crash store: what the service manager does not take out is tried again",
          "[clients][crash]") {
  ServiceManager manager{kOthers + 2};
  const auto store = CrashStore::open(manager.store(), {});
  REQUIRE(store);
  const auto pair = unix_pair();
  const auto place = store->add(41, pair.ours.get(), "forty-one");
  REQUIRE(place != 0);
  manager.leave();
  store->remove(place);
  CHECK_FALSE(store->is_clean());
  CHECK(store->add(42, pair.ours.get(), "forty-two") == 0);
  store->remove_rest();
  CHECK_FALSE(store->is_clean());
}

TEST_CASE("crash store: a process that ends as it should leaves nothing", "[clients][crash]") {
  ServiceManager manager{kOthers + 2};
  const auto store = CrashStore::open(manager.store(), {});
  REQUIRE(store);
  const auto pair = unix_pair();
  REQUIRE(store->add(41, pair.ours.get(), "forty-one") != 0);
  CHECK(manager.kept().size() == 2);
  store->clear();
  CHECK(manager.kept().empty());
}

}  // namespace
}  // namespace chatd::test
