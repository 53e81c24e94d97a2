/// The store as the loop's thread sees it: what was handed over is there, numbers are
/// never used twice, and nothing that the disk does is waited for.
#include "store/store.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/most_number.hpp"
#include "store/transcript_file.hpp"
#include "support/catch.hpp"
#include "support/valgrind.hpp"

namespace chatd::store::test {
namespace {

Options options_of(const Folder& folder) {
  Options options;
  options.path = folder.file();
  options.retry = Duration{20};
  options.patience = std::chrono::minutes{1};  // under valgrind all that is read takes long
  return options;
}

std::unique_ptr<Store> open(Options options) {
  return Transcript::take(Store::open(std::move(options)));
}

/// The answer of the worker, waited for.
std::vector<std::string> history(Store& store) {
  std::optional<std::vector<std::string>> answer;
  Ask ask;
  ask.read = [&answer](Reader& reader) {
    std::vector<std::string> texts;
    (void)reader.history({}, [&](const Record& record) {
      texts.emplace_back(record.text);
      return true;
    });
    return [&answer, texts] { answer = texts; };
  };
  ask.late = [&answer] { answer = {"late"}; };
  store.ask(std::move(ask));
  while (!answer) {
    store.poll();
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
  return *answer;
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
    CHECK(store->unread().messages == 2);
    CHECK(store->unread().is_known());
    store->record(attended(kAttending));
    store->record(message(4, 1, "d"));
  }
  auto store = open(options_of(folder));
  CHECK(store->opened().attended == 4);
  CHECK(store->unread().messages == 0);
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

TEST_CASE("store: that it writes again is told even if the last that waited was dropped",
          "[store][trouble]") {
  const Folder folder;
  auto options = options_of(folder);
  options.max_waiting_bytes = 16'000'000;
  auto store = open(options);
  auto other_connection = Transcript::take(Database::open(folder.file()));
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  // Each is a batch of its own, and several go at once: the last ones.
  const std::string text(300'000, 'x');
  for (std::uint64_t seq = 1; store->counts().lost == 0; ++seq) {
    store->record(message(seq, 1, text));
    store->submit();
  }
  REQUIRE(store->counts().lost > 2);
  REQUIRE(other_connection.run("COMMIT"));
  std::vector<std::string> notices;
  REQUIRE(comes_true([&] {
    for (auto& notice : store->take_notices()) notices.push_back(std::move(notice));
    return notices.size() == 2;
  }));
  CHECK(notices.back().starts_with("transcripts are written again; "));
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
  options.clocks.wall = [&] { return now.load(); };
  auto store = open(options);
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    store->record(message(seq, 1, std::to_string(seq)));
  }
  CHECK(history(*store).size() == 20);  // for ever
  store->set_bounds({.keep = Duration{10'000}});
  CHECK(comes_true([&] { return history(*store).size() == 11; }));
  now = 25'000;
  store->set_bounds({.keep = Duration{10'001}});
  CHECK(comes_true([&] { return history(*store).size() == 6; }));
  store->set_bounds({.keep = Duration{0}});
  now = 1'000'000;
  store->record(message(21, 1, "x"));
  CHECK(history(*store).size() == 7);
}

/// A question that never ends by itself.
Ask endless(std::uint64_t asker) {
  Ask ask;
  ask.asker = asker;
  ask.read = [](Reader& reader) {
    while (reader.history({}, [](const Record&) { return true; })) {
    }
    return [] {};
  };
  ask.late = [] {};
  return ask;
}

/// With something to read.
std::unique_ptr<Store> open_filled(Options options, std::uint64_t events) {
  auto store = open(std::move(options));
  for (std::uint64_t seq = 1; seq <= events; ++seq) store->record(message(seq, 1, "words"));
  REQUIRE(history(*store).size() == events);
  return store;
}

TEST_CASE("store: a question has a time to be answered in, and recording goes on meanwhile",
          "[store][questions]") {
  const Folder folder;
  auto options = options_of(folder);
  // For a question that ends it must be enough, however slow the machine is.
  options.patience = std::chrono::milliseconds{chatd::test::under_valgrind() ? 10'000 : 300};
  auto store = open_filled(options, 2000);
  bool late = false;
  bool answered = false;
  Ask ask = endless(1);
  ask.late = [&] { late = true; };
  ask.read = [&answered, read = ask.read](Reader& reader) {
    (void)read(reader);
    return [&answered] { answered = true; };
  };
  const auto began = std::chrono::steady_clock::now();
  store->ask(std::move(ask));
  std::uint64_t seq = 2000;
  int rounds = 0;
  while (!late && !answered) {
    store->record(message(++seq, 1, "meanwhile"));
    store->submit();
    REQUIRE(comes_true([&] { return store->counts().recorded == seq; }));
    store->poll();
    ++rounds;
  }
  CHECK(late);
  CHECK_FALSE(answered);
  CHECK(rounds > 3);
  CHECK(std::chrono::steady_clock::now() - began >= options.patience);
  CHECK(history(*store).size() == seq);
}

TEST_CASE("store: what one asks does not keep another from an answer", "[store][questions]") {
  const Folder folder;
  auto options = options_of(folder);
  options.patience = std::chrono::seconds{2};
  auto store = open_filled(options, 2000);
  int late = 0;
  for (int i = 0; i < 16; ++i) {
    Ask ask = endless(1);
    ask.late = [&] { ++late; };
    store->ask(std::move(ask));
  }
  for (int i = 0; i < 5; ++i) {
    std::size_t found = 0;
    Ask ask;
    ask.asker = 2;
    ask.read = [&found](Reader& reader) {
      std::size_t count = 0;
      (void)reader.history({}, [&](const Record&) { return ++count < 10; });
      return [&found, count] { found = count; };
    };
    ask.late = [&found] { found = 1; };
    store->ask(std::move(ask));
    REQUIRE(comes_true([&] {
      store->poll();
      return found > 0;
    }));
    CHECK(found == 10);
    if (i == 0) CHECK(late == 0);
  }
}

TEST_CASE("store: as long as records wait the index does not follow", "[store][index]") {
  const Folder folder;
  auto options = options_of(folder);
  options.index_after = std::chrono::milliseconds{0};
  auto store = open(options);
  auto other_connection = Transcript::take(Database::open(folder.file()));
  const std::uint64_t events = chatd::test::under_valgrind() ? 10'000 : 100'000;
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  for (std::uint64_t seq = 1; seq <= events; ++seq) {
    store->record(message(seq, 1, "words"));
    if (seq % 100 == 0) store->submit();
  }
  REQUIRE(other_connection.run("COMMIT"));
  auto look = Transcript::take(
      other_connection.prepare("SELECT value, (SELECT max(seq) FROM events) FROM meta"
                               " WHERE name = 'indexed'"));
  bool was_recorded_first = true;
  REQUIRE(comes_true([&] {
    const Statement::Use use{look};
    REQUIRE(look.step() == Statement::Step::kRow);
    const bool all = look.number(1) == static_cast<std::int64_t>(events);
    was_recorded_first = was_recorded_first && (look.number(0) == 0 || all);
    return look.number(0) == static_cast<std::int64_t>(events);
  }));
  CHECK(was_recorded_first);
  CHECK(store->counts().recorded == events);
}

TEST_CASE("store: a search finds all that was recorded before, whether the index has it or not",
          "[store][index]") {
  const Folder folder;
  auto options = options_of(folder);
  options.index_after = std::chrono::hours{1};
  auto store = open(options);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    store->record(message(round, 1, "needle"));
    std::size_t found = 0;
    bool late = false;
    Ask ask;
    ask.read = [&found](Reader& reader) {
      std::size_t count = 0;
      (void)reader.search("needle", {}, [&](const Record&) { return ++count > 0; });
      return [&found, count] { found = count; };
    };
    ask.late = [&late] { late = true; };
    store->ask(std::move(ask));
    REQUIRE(comes_true([&] {
      store->poll();
      return found > 0 || late;
    }));
    CHECK(found == round);
  }
}

TEST_CASE("store: who records most loses events, and nobody else", "[store][origins]") {
  const Folder folder;
  auto options = options_of(folder);
  options.max_waiting_bytes = 200'000;
  std::map<std::uint32_t, std::size_t> dropped;
  options.dropped = [&](const Dropped& each) { dropped[each.origin] += each.events; };
  auto store = open(options);
  auto other_connection = Transcript::take(Database::open(folder.file()));
  REQUIRE(other_connection.run("BEGIN IMMEDIATE"));
  std::uint64_t seq = 0;
  const std::string text(1000, 'x');
  std::size_t quiet = 0;
  for (int i = 0; i < 1000; ++i) {
    Record noisy = message(++seq, 1, text);
    noisy.origin = 1;
    store->record(noisy);
    if (i % 20 == 0) {
      Record other = message(++seq, 2, "quiet");
      other.origin = 2;
      store->record(other);
      ++quiet;
    }
    store->submit();
  }
  CHECK(store->waiting().bytes <= 200'000);
  CHECK(dropped.size() == 1);
  CHECK(dropped[1] > 500);
  CHECK(store->counts().lost == dropped[1]);
  REQUIRE(other_connection.run("COMMIT"));
  REQUIRE(comes_true([&] { return store->counts().recorded + store->counts().lost == seq; }));
  const auto left = history(*store);
  CHECK(static_cast<std::size_t>(std::count(left.begin(), left.end(), "quiet")) == quiet);
  CHECK(store->waiting().events == 0);
}

std::uint64_t used_bytes(const Folder& folder) {
  auto database = Transcript::take(Database::open(folder.file()));
  return static_cast<std::uint64_t>(*database.number("PRAGMA page_count") *
                                    *database.number("PRAGMA page_size"));
}

/// Records messages of 500 bytes up to number `last`, a thousand at a time.
void fill(Store& store, std::uint64_t& seq, std::uint64_t last) {
  const std::string padding(490, 'x');
  while (seq < last) {
    for (int i = 0; i < 1000; ++i) {
      const auto text = std::to_string(++seq) + ' ' + padding;
      store.record(message(seq, 1, text));
    }
    store.submit();
    REQUIRE(comes_true([&] { return store.counts().recorded == seq; }));
  }
}

TEST_CASE("store: the oldest go where the file has its size, and that is said once",
          "[store][retention]") {
  const Folder folder;
  auto options = options_of(folder);
  constexpr std::uint64_t kMost = 2UL * 1024 * 1024;
  options.bounds.max_bytes = kMost;
  options.index_after = std::chrono::milliseconds{10};
  auto store = open(options);
  std::uint64_t seq = 0;
  fill(*store, seq, 20'000);
  CHECK(comes_true([&] { return used_bytes(folder) <= kMost + kMost / 4; }));
  const auto notices = store->take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices.front().find("transcript.max_size") != std::string::npos);
  store->set_bounds({});
  fill(*store, seq, 20'001);  // with this the worker knows of the bounds
  const auto left = history(*store);
  CHECK(left.size() > 500);
  CHECK(left.size() < 6000);
  CHECK(left.front().starts_with(std::to_string(seq) + ' '));
  // The oldest went, and no other.
  CHECK(left.back().starts_with(std::to_string(seq - left.size() + 1) + ' '));
  fill(*store, seq, 26'001);
  CHECK(history(*store).size() > 6500);
}

TEST_CASE("store: the file does not grow where too little is free", "[store][retention]") {
  const Folder folder;
  auto options = options_of(folder);
  options.bounds.keep_free = 5;
  options.index_after = std::chrono::milliseconds{10};
  std::atomic<std::uint64_t> free = 6;
  std::atomic<int> looked = 0;
  options.clocks.space = [&] {
    ++looked;
    return Space{free, 100};
  };
  auto store = open(options);
  std::uint64_t seq = 0;
  fill(*store, seq, 4000);
  CHECK(comes_true([&] { return indexed(folder) == 4000; }));
  CHECK(history(*store).size() == 4000);
  free = 4;
  const int then = looked;
  fill(*store, seq, 5000);
  REQUIRE(comes_true([&] { return looked > then && indexed(folder) == 5000; }));
  const auto before = used_bytes(folder);
  fill(*store, seq, 12'000);
  CHECK(comes_true([&] { return used_bytes(folder) < before + before / 2; }));
  const auto left = history(*store);
  CHECK(left.size() < 9000);
  CHECK(left.front().starts_with("12000 "));
  const auto notices = store->take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices.front().find("transcript.keep_free") != std::string::npos);
}

TEST_CASE("store: an event from the future keeps no old one", "[store][retention]") {
  const Folder folder;
  auto options = options_of(folder);
  options.clocks.wall = [] { return std::int64_t{100'000}; };
  options.index_after = std::chrono::milliseconds{1};
  auto store = open(options);
  for (std::uint64_t seq = 1; seq <= 40; ++seq) {
    const std::string text = std::to_string(seq);
    Record record = message(seq, 1, text);
    if (seq == 1 || seq == 11) record.time_ms = 4'000'000'000'000;
    store->record(record);
  }
  CHECK(history(*store).size() == 40);
  CHECK(comes_true([&] { return indexed(folder) == 40; }));
  store->set_bounds({.keep = Duration{70'000}});
  CHECK(comes_true([&] { return history(*store).size() == 13; }));
  CHECK(history(*store)[11] == "11");
  CHECK(history(*store)[12] == "1");
}

TEST_CASE("store: a clock that jumps forward makes nothing old for a day, restarted or not",
          "[store][retention][clock]") {
  constexpr std::int64_t kHour = 3'600'000;
  const Folder folder;
  auto options = options_of(folder);
  options.index_after = std::chrono::milliseconds{1};
  std::atomic<std::int64_t> now = 1'700'000'000'000;
  std::atomic<std::int64_t> elapsed = 0;
  std::atomic<int> looked = 0;
  options.clocks.wall = [&] { return now.load(); };
  options.clocks.elapsed = [&] {
    ++looked;
    return elapsed.load();
  };
  options.bounds.keep = Duration{1000 * kHour};
  auto store = open(options);
  for (std::uint64_t seq = 1; seq <= 10; ++seq) {
    Record record = message(seq, 1, "x");
    record.time_ms = now;
    store->record(record);
  }
  CHECK(history(*store).size() == 10);
  CHECK(comes_true([&] { return indexed(folder) == 10 && looked > 0; }));
  now += 10'000 * kHour;
  auto keep = options.bounds.keep;
  const auto pass_an_hour = [&] {
    now += kHour;
    elapsed += kHour;
    const int before = looked;
    keep += Duration{1};
    store->set_bounds({.keep = keep});
    REQUIRE(comes_true([&] { return looked > before; }));
  };
  for (int hour = 0; hour < 12; ++hour) pass_an_hour();
  CHECK(history(*store).size() == 10);
  store.reset();
  now += kHour;
  elapsed = 0;
  store = open(options);
  for (int hour = 0; hour < 11; ++hour) pass_an_hour();
  CHECK(history(*store).size() == 10);
  for (int hour = 0; hour < 3; ++hour) pass_an_hour();
  CHECK(comes_true([&] { return history(*store).empty(); }));
}

TEST_CASE("store: a start does not wait until all that is unread is counted", "[store][inbox]") {
  const Folder folder;
  constexpr std::uint64_t kEvents = 20'000;
  open_filled(options_of(folder), kEvents).reset();
  auto store = open(options_of(folder));
  CHECK(store->opened().unread.seen == Archive::kCountedAtOnce);
  CHECK_FALSE(store->opened().unread.is_known());
  CHECK(comes_true([&] { return store->unread().is_known(); }));
  CHECK(store->unread().messages == kEvents);
}

TEST_CASE("store: bans change one by one", "[store][bans]") {
  const Folder folder;
  const auto address = [](int i) { return "192.0.2." + std::to_string(i); };
  {
    auto store = open(options_of(folder));
    for (int i = 0; i < 3000; ++i) store->add_ban({address(i), i, 1, "anna"});
    for (int i = 0; i < 3000; ++i) {
      if (i % 3 != 0) store->remove_ban(address(i));
      if (i % 3 == 2) store->add_ban({address(i), -1, 2, "bert"});
    }
  }
  {
    auto store = open(options_of(folder));
    const auto& bans = store->opened().bans;
    CHECK(bans.size() == 2000);
    CHECK(std::count_if(bans.begin(), bans.end(), [](const Ban& ban) {
            return ban.until_ms == -1 && ban.operator_name == "bert";
          }) == 1000);
    store->remove_ban(address(0));
    store->set_bans({{"2001:db8::/64", 99, 6, "bert"}});
    store->add_ban({address(7), 7, 7, "anna"});
  }
  const auto store = open(options_of(folder));
  CHECK(store->opened().bans.size() == 2);
}

TEST_CASE("store: an answer comes back through poll, in the order of the questions", "[store]") {
  const Folder folder;
  std::atomic<int> woken = 0;
  auto options = options_of(folder);
  options.wake = [&] { ++woken; };
  auto store = open(options);
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    Ask ask;
    ask.read = [&order, i](Reader&) { return [&order, i] { order.push_back(i); }; };
    store->ask(std::move(ask));
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
