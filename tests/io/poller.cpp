#include "io/poller.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "io/loop.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::UniqueFd;
using chatd::io::Events;
using chatd::io::kHangUp;
using chatd::io::kNothing;
using chatd::io::kReadable;
using chatd::io::kWritable;
using chatd::io::Loop;
using chatd::io::Poller;
using chatd::io::Tag;
using chatd::io::Watcher;
using chatd::test::unix_pair;

namespace {

/// Watches one descriptor and notes what it hears.
class Ear : public Watcher {
 public:
  Ear(Poller& poller, int fd, Tag tag = {}) : Watcher{poller}, fd_{fd}, tag_{tag} {}

  int want(Events wanted) { return watch(fd_, tag_, now_, wanted); }
  void forget_it() { forget(now_); }

  std::vector<std::pair<Tag, Events>> heard;
  std::function<void()> when_heard;

 private:
  void on_ready(Tag tag, Events events) override {
    heard.emplace_back(tag, events);
    if (when_heard) when_heard();
  }

  int fd_;
  Tag tag_;
  Events now_ = kNothing;
};

void tell(Poller& poller) {
  poller.wait(0);
  poller.dispatch();
}

}  // namespace

TEST_CASE("poller: a watcher hears what it wants, under its name, until it is dealt with",
          "[io][poller]") {
  Poller poller;
  const auto pair = unix_pair();
  Ear ear{poller, pair.ours.get(), {7, 9}};
  REQUIRE(ear.want(kReadable) == 0);
  CHECK(poller.watched() == 1);
  tell(poller);
  CHECK(ear.heard.empty());
  REQUIRE(::write(pair.theirs.get(), "x", 1) == 1);
  tell(poller);
  tell(poller);
  REQUIRE(ear.heard.size() == 2);
  CHECK(ear.heard[0].first.id == 7);
  CHECK(ear.heard[0].first.generation == 9);
  CHECK(ear.heard[0].second == kReadable);

  REQUIRE(ear.want(kWritable) == 0);
  CHECK(poller.watched() == 1);
  tell(poller);
  CHECK(ear.heard.back().second == kWritable);
  REQUIRE(ear.want(kNothing) == 0);
  CHECK(poller.watched() == 0);
  tell(poller);
  CHECK(ear.heard.size() == 3);
}

TEST_CASE("poller: a hang-up is told whatever is wanted", "[io][poller]") {
  Poller poller;
  auto pair = unix_pair();
  Ear ear{poller, pair.ours.get()};
  REQUIRE(ear.want(kHangUp) == 0);
  tell(poller);
  CHECK(ear.heard.empty());
  pair.theirs.reset();
  tell(poller);
  REQUIRE(ear.heard.size() == 1);
  CHECK((ear.heard[0].second & kHangUp) != 0);
}

TEST_CASE("poller: what cannot be watched is an error", "[io][poller]") {
  Poller poller;
  const UniqueFd file{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  Ear ear{poller, file.get()};
  CHECK(ear.want(kReadable) == EPERM);
  Ear missing{poller, -1};
  CHECK(missing.want(kReadable) == EBADF);
  CHECK(poller.watched() == 0);
}

TEST_CASE("poller: one that has gone is not called, nor is another in its place", "[io][poller]") {
  Poller poller;
  const auto first = unix_pair();
  const auto second = unix_pair();
  auto one = std::make_unique<Ear>(poller, first.ours.get());
  auto two = std::make_unique<Ear>(poller, second.ours.get());
  REQUIRE(one->want(kReadable) == 0);
  REQUIRE(two->want(kReadable) == 0);
  REQUIRE(::write(first.theirs.get(), "x", 1) == 1);
  REQUIRE(::write(second.theirs.get(), "x", 1) == 1);
  // The first watcher that is told removes the other, and one more comes.
  std::unique_ptr<Ear> third;
  int told = 0;
  one->when_heard = [&] {
    ++told;
    two.reset();
    third = std::make_unique<Ear>(poller, first.theirs.get());
  };
  two->when_heard = [&] {
    ++told;
    one.reset();
    third = std::make_unique<Ear>(poller, first.theirs.get());
  };
  tell(poller);
  CHECK(told == 1);
  REQUIRE(third);
  CHECK(third->heard.empty());
  CHECK(poller.watchers() == 2);
  // Its number is free again when all is told.
  const Ear fourth{poller, first.theirs.get()};
  CHECK(poller.watchers() == 3);
}

TEST_CASE("poller: a descriptor that is closed without a duplicate is forgotten by the kernel",
          "[io][poller]") {
  Poller poller;
  auto pair = unix_pair();
  Ear ear{poller, pair.ours.get()};
  REQUIRE(ear.want(kReadable) == 0);
  REQUIRE(::write(pair.theirs.get(), "x", 1) == 1);
  ear.forget_it();
  pair.ours.reset();
  CHECK(poller.watched() == 0);
  tell(poller);
  CHECK(ear.heard.empty());
}

TEST_CASE("poller: more than fit in one turn are all told, in turns", "[io][poller]") {
  constexpr std::size_t kMany = 1500;
  Poller poller;
  std::vector<chatd::test::Pair> pairs;
  std::vector<std::unique_ptr<Ear>> ears;
  for (std::size_t i = 0; i < kMany; ++i) {
    pairs.push_back(unix_pair());
    ears.push_back(std::make_unique<Ear>(poller, pairs.back().ours.get()));
    REQUIRE(ears.back()->want(kWritable) == 0);
  }
  tell(poller);
  tell(poller);
  for (const auto& ear : ears) REQUIRE(!ear->heard.empty());
}

TEST_CASE("loop: one that ends while a descriptor is watched ends the process", "[io][loop]") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    static std::unique_ptr<Ear> forgotten;
    {
      Loop loop;
      forgotten = std::make_unique<Ear>(loop.poller(), 0);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}
