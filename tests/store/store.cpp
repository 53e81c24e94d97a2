/// The store as the loop's thread sees it: what was handed over is there, numbers are
/// never used twice, and nothing that the disk does is waited for.
#include "store/store.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/most_number.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

Options options_of(const Folder& folder) {
  Options options;
  options.path = folder.file();
  options.retry = Duration{20};
  return options;
}

std::unique_ptr<Store> open(Options options) {
  return Transcript::take(Store::open(std::move(options)));
}

/// The answer of the worker, waited for.
std::vector<std::string> history(Store& store) {
  std::promise<std::vector<std::string>> answer;
  store.ask([&answer](Reader& reader) {
    std::vector<std::string> texts;
    (void)reader.history({}, [&](const Record& record) {
      texts.emplace_back(record.text);
      return true;
    });
    answer.set_value(std::move(texts));
    return [] {};
  });
  return answer.get_future().get();
}

template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return false;
}

/// Runs `work` in a process that is killed when it is done.
template <class Work>
void in_killed_process(Work work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    work();
    ::_exit(1);
  }
  int status = 1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("store: what was recorded is there when it is opened again", "[store]") {
  const Folder folder;
  {
    auto store = open(options_of(folder));
    CHECK(store->opened().last_seq == 0);
    CHECK(store->opened().last_session == 0);
    store->record(other(1, 1, "connected"));
    store->record(message(2, 1, "one"));
    store->submit();
    store->record(message(3, 1, "two"));
    CHECK(history(*store) == std::vector<std::string>{"two", "one"});
    CHECK(store->counts().recorded == 3);
    store->record(message(4, 1, "three"));
  }
  auto store = open(options_of(folder));
  CHECK(history(*store) == std::vector<std::string>{"three", "two", "one"});
  CHECK(store->opened().last_seq == 4);
  CHECK(store->opened().last_session == 1);
}

TEST_CASE("store: its files are its owner's alone", "[store]") {
  const Folder folder;
  auto store = open(options_of(folder));
  (void)history(*store);
  for (const auto& file : std::filesystem::directory_iterator{folder.path()}) {
    struct stat status {};
    INFO(file.path());
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
  }
}

TEST_CASE("store: files of its own that others could use are tightened, and that is told",
          "[store]") {
  const Folder folder;
  (void)history(*open(options_of(folder)));
  std::ofstream{folder.file() + "-wal"} << "";
  std::vector<std::string> files;
  for (const auto* name : {"", "-wal", "-numbers"}) {
    files.push_back(folder.file() + name);
    REQUIRE(::chmod(files.back().c_str(), 0666) == 0);
  }
  auto store = open(options_of(folder));
  CHECK(store->opened().tightened == files);
  for (const auto& file : std::filesystem::directory_iterator{folder.path()}) {
    struct stat status {};
    INFO(file.path());
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
  }
  store.reset();
  CHECK(open(options_of(folder))->opened().tightened.empty());
}

TEST_CASE("store: what somebody else may have put there is not opened, nor is anything made",
          "[store]") {
  for (const std::string name : {"", "-wal", "-shm", "-journal", "-numbers"}) {
    const Folder folder;
    const auto other = folder.path() + "/other";
    std::ofstream{other} << "theirs";
    std::filesystem::create_symlink(other, folder.file() + name);
    auto refused = Store::open(options_of(folder));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message ==
          "transcript " + folder.file() + ": " + folder.file() + name + " is a symbolic link");
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator{folder.path()}) {
      ++count;
    }
    CHECK(count == 2);
    CHECK(std::filesystem::file_size(other) == 6);
  }
  const Folder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  CHECK_FALSE(Store::open(options_of(folder)));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("store: after a crash no number is used again", "[store][numbers]") {
  const Folder folder;
  std::uint64_t last_seq = 0;
  std::uint64_t last_session = 0;
  for (int round = 0; round < 5; ++round) {
    in_killed_process([&] {
      auto options = options_of(folder);
      options.gather = Duration{100'000};  // killed before anything is written
      auto store = Store::open(options);
      if (!store) return;
      const auto& opened = (*store)->opened();
      for (std::uint64_t i = 1; i <= 1500; ++i) {
        (*store)->record(message(opened.last_seq + i, opened.last_session + 1 + i / 100, "x"));
      }
      (*store)->submit();
      ::raise(SIGKILL);
    });
    last_seq += 1500;
    last_session += 16;
    auto store = open(options_of(folder));
    CHECK(store->opened().last_seq >= last_seq);
    CHECK(store->opened().last_seq <= last_seq + kEventStep);
    CHECK(store->opened().last_session >= last_session);
    CHECK(store->opened().last_session <= last_session + kSessionStep);
    last_seq = store->opened().last_seq;
    last_session = store->opened().last_session;
    store.reset();
    // A clean end leaves nothing out.
    CHECK(open(options_of(folder))->opened().last_seq == last_seq);
  }
}

TEST_CASE("store: a file of numbers that nobody can have reached is as good as none",
          "[store][numbers]") {
  const Folder folder;
  open(options_of(folder))->record(message(4, 2, "x"));
  for (const std::uint64_t number : {kMostNumber, kMostNumber + 1, ~std::uint64_t{0}}) {
    std::ofstream{folder.file() + "-numbers"} << "events " << number << " sessions 2\n";
    CHECK(open(options_of(folder))->opened().last_seq == (number <= kMostNumber ? number : 4));
    std::ofstream{folder.file() + "-numbers"} << "events 4 sessions " << number << '\n';
    CHECK(open(options_of(folder))->opened().last_session == (number <= kMostNumber ? number : 2));
  }
}

TEST_CASE("store: numbers go on from the database where their file is gone", "[store][numbers]") {
  const Folder folder;
  {
    auto store = open(options_of(folder));
    store->record(message(70, 7, "x"));
  }
  REQUIRE(std::filesystem::remove(folder.file() + "-numbers"));
  auto store = open(options_of(folder));
  CHECK(store->opened().last_seq == 70);
  CHECK(store->opened().last_session == 7);
}

TEST_CASE("store: a file that another daemon has open is refused", "[store]") {
  const Folder folder;
  auto store = open(options_of(folder));
  auto second = Store::open(options_of(folder));
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "transcript " + folder.file() + ": another daemon has it");
  store.reset();
  CHECK(Store::open(options_of(folder)));
}

TEST_CASE("store: what is not a transcript is refused with a reason", "[store]") {
  const Folder folder;
  {
    const std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(folder.file().c_str(), "w"),
                                                     std::fclose};
    for (int i = 0; i < 1000; ++i) std::fputs("this is a text\n", file.get());
  }
  auto refused = Store::open(options_of(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "transcript " + folder.file() + ": file is not a database");
  Options nowhere;
  nowhere.path = folder.path() + "/missing/transcript.db";
  auto missing = Store::open(nowhere);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("No such file") != std::string::npos);
}

TEST_CASE("store: operators have heard all up to a number, or all while they are there",
          "[store][inbox]") {
  const Folder folder;
  const auto attended = [](std::uint64_t seq) {
    Record record;
    record.kind = Kind::kAttended;
    record.ref = seq;
    return record;
  };
  {
    auto store = open(options_of(folder));
    CHECK(store->opened().attended == 0);
    store->record(message(1, 1, "a"));
    store->record(attended(1));
    store->record(message(2, 1, "b"));
    store->record(message(3, 1, "c"));
    CHECK(comes_true([&] {
      store->submit();
      return store->counts().recorded == 3;
    }));
  }
  {
    auto store = open(options_of(folder));
    CHECK(store->opened().attended == 1);
    CHECK(store->opened().unread == 2);
    store->record(attended(kAttending));
    store->record(message(4, 1, "d"));
  }
  auto store = open(options_of(folder));
  CHECK(store->opened().attended == 4);
  CHECK(store->opened().unread == 0);
}

TEST_CASE("store: a question comes after all that was recorded before, however much that is",
          "[store]") {
  const Folder folder;
  const auto store = open(options_of(folder));
  const std::string text(10'000, 'x');
  constexpr std::uint64_t kCount = 600;  // several transactions
  for (std::uint64_t seq = 1; seq <= kCount; ++seq) {
    store->record(message(seq, 1, text));
    store->submit();
  }
  CHECK(history(*store).size() == kCount);
}

TEST_CASE("store: bans are kept", "[store][bans]") {
  const Folder folder;
  const std::vector<Ban> bans{{"192.0.2.0/24", -1, 5, "anna"}, {"2001:db8::/64", 99, 6, "bert"}};
  {
    auto store = open(options_of(folder));
    store->set_bans({{"198.51.100.1/32", 1, 1, "x"}});
    store->set_bans(bans);
  }
  {
    auto store = open(options_of(folder));
    CHECK(store->opened().bans == bans);
    store->set_bans({});
  }
  CHECK(open(options_of(folder))->opened().bans.empty());
}

TEST_CASE("store: bans that cannot be written are, when the file can be", "[store][bans]") {
  const Folder folder;
  const std::vector<Ban> bans{{"192.0.2.0/24", -1, 5, "anna"}};
  {
    auto options = options_of(folder);
    std::atomic<int> woken = 0;
    options.wake = [&] { ++woken; };
    auto store = open(options);
    auto other_connection = Transcript::take(Database::open(folder.file()));
    REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
    store->set_bans(bans);
    REQUIRE(comes_true([&] { return woken > 0; }));
    REQUIRE(other_connection.run("COMMIT"));
    // It had tried, and now it has written.
    std::size_t notices = 0;
    REQUIRE(comes_true([&] { return (notices += store->take_notices().size()) == 2; }));
  }
  CHECK(open(options_of(folder))->opened().bans == bans);
}

TEST_CASE("store: while the file cannot be written, what is said waits, up to a bound",
          "[store][trouble]") {
  const Folder folder;
  auto options = options_of(folder);
  options.max_waiting_bytes = 100'000;
  std::atomic<int> woken = 0;
  options.wake = [&] { ++woken; };
  auto store = open(options);
  // Another connection holds the lock: for the worker that is a disk that stalls, and
  // then one that refuses.
  auto other_connection = Transcript::take(Database::open(folder.file()));
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  const std::string text(1000, 'x');
  std::uint64_t seq = 0;
  const auto say = [&](int count) {
    for (int i = 0; i < count; ++i) {
      store->record(message(++seq, 1, text));
      store->submit();
    }
  };
  say(50);
  REQUIRE(comes_true([&] { return woken > 0; }));
  auto notices = store->take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices.front().find("database is locked") != std::string::npos);
  CHECK(store->counts().lost == 0);
  say(1000);
  const auto lost = store->counts().lost;
  CHECK(lost > 700);
  CHECK(store->take_notices().empty());  // once an episode
  REQUIRE(other_connection.run("COMMIT"));
  REQUIRE(comes_true([&] { return store->counts().recorded + store->counts().lost == seq; }));
  CHECK(store->counts().lost == lost);
  REQUIRE(comes_true([&] {
    notices = store->take_notices();
    return !notices.empty();
  }));
  CHECK(notices.front() ==
        "transcripts are written again; " + std::to_string(lost) + " events were not recorded");
  say(1);
  CHECK(history(*store).size() == seq - lost);
}

TEST_CASE("store: questions are answered while the file cannot be written", "[store][trouble]") {
  const Folder folder;
  auto store = open(options_of(folder));
  store->record(message(1, 1, "before"));
  CHECK(history(*store).size() == 1);
  auto other_connection = Transcript::take(Database::open(folder.file()));
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  store->record(message(2, 1, "meanwhile"));
  CHECK(history(*store) == std::vector<std::string>{"before"});
  REQUIRE(other_connection.run("COMMIT"));
  CHECK(comes_true([&] { return store->counts().recorded == 2; }));
}

std::int64_t indexed(const Folder& folder) {
  auto database = Transcript::take(Database::open(folder.file()));
  return *database.number("SELECT value FROM meta WHERE name = 'indexed'");
}

TEST_CASE("store: the index follows when nobody asks", "[store][index]") {
  const Folder folder;
  auto store = open(options_of(folder));
  store->record(message(1, 1, "one"));
  store->submit();
  CHECK(comes_true([&] { return indexed(folder) == 1; }));
}

TEST_CASE("store: the index follows a steady stream, but not event by event", "[store][index]") {
  const Folder folder;
  auto options = options_of(folder);
  options.index_after = std::chrono::hours{1};
  auto store = open(options);
  std::uint64_t seq = 0;
  while (seq < Index::kBehind - 1) store->record(message(++seq, 1, "words"));
  CHECK(history(*store).size() == seq);
  CHECK(indexed(folder) == 0);
  store->record(message(++seq, 1, "words"));
  store->submit();
  CHECK(comes_true([&] { return indexed(folder) == static_cast<std::int64_t>(seq); }));
}

TEST_CASE("store: old events are forgotten by a clock, and by a new rule at once",
          "[store][retention]") {
  const Folder folder;
  auto options = options_of(folder);
  std::atomic<std::int64_t> now{20'000};
  options.clock = [&] { return now.load(); };
  auto store = open(options);
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    store->record(message(seq, 1, std::to_string(seq)));
  }
  CHECK(history(*store).size() == 20);  // for ever
  store->set_keep(Duration{10'000});
  CHECK(comes_true([&] { return history(*store).size() == 11; }));
  now = 25'000;
  store->set_keep(Duration{10'001});
  CHECK(comes_true([&] { return history(*store).size() == 6; }));
  store->set_keep(Duration{0});
  now = 1'000'000;
  store->record(message(21, 1, "x"));
  CHECK(history(*store).size() == 7);
}

TEST_CASE("store: an answer comes back through poll, in the order of the questions", "[store]") {
  const Folder folder;
  std::atomic<int> woken = 0;
  auto options = options_of(folder);
  options.wake = [&] { ++woken; };
  auto store = open(options);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    store->ask([&order, i](Reader&) { return [&order, i] { order.push_back(i); }; });
  }
  REQUIRE(comes_true([&] {
    store->poll();
    return order.size() == 10;
  }));
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(woken > 0);
}

}  // namespace
}  // namespace chatd::store::test
