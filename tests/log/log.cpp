/// The log on a standard error that nobody reads. Each case is a child process with a
/// pipe of the test's as its standard error; what it logs must be written or counted,
/// and it must end by itself.
#include "log/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

constexpr unsigned kGuardSeconds = 60;

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2] = {-1, -1};
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

/// Fills a pipe to the last byte; returns the number of bytes.
std::size_t fill(const UniqueFd& pipe) {
  fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  std::size_t filled = 0;
  const std::string page(4096, '.');
  while (write(pipe.get(), page.data(), page.size()) > 0) filled += page.size();
  fcntl(pipe.get(), F_SETFL, 0);
  return filled;
}

/// Reads `size` bytes, or less if they end before.
std::string take(const UniqueFd& pipe, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto count = read(pipe.get(), text.data() + done, size - done);
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  return text;
}

/// A child that logs to a pipe, step by step: it waits between one and the next until
/// it is told to go on.
class Child {
 public:
  explicit Child(std::function<void(Child&)> act) : act_{std::move(act)} {
    std::tie(output_, error_) = make_pipe();
    std::tie(told_, tell_) = make_pipe();
    std::tie(heard_, say_) = make_pipe();
  }
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] const UniqueFd& output() const { return output_; }
  [[nodiscard]] const UniqueFd& error() const { return error_; }
  void close_output() { output_.reset(); }

  void start() {
    pid_ = fork();
    if (pid_ == 0) {
      alarm(kGuardSeconds);
      std::signal(SIGPIPE, SIG_IGN);
      dup2(error_.get(), STDERR_FILENO);
      error_.reset();
      output_.reset();
      Config::Log config;
      config.target = LogTarget::kStderr;
      {
        auto log = Log::open(config, nullptr);
        if (!log) _exit(2);
        act_(*this);
      }
      _exit(0);
    }
    REQUIRE(pid_ > 0);
    error_.reset();
  }
  /// In the child: says that all lines were written or given up, and waits.
  void pause() {
    spdlog::default_logger()->flush();
    if (write(say_.get(), "x", 1) != 1 || take(told_, 1).empty()) _exit(3);
  }
  void wait_for_pause() { REQUIRE(take(heard_, 1) == "x"); }
  void go_on() { REQUIRE(write(tell_.get(), "x", 1) == 1); }
  /// True if it ended by itself.
  bool ended() {
    int status = -1;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  std::function<void(Child&)> act_;
  pid_t pid_ = -1;
  UniqueFd output_, error_;
  UniqueFd told_, tell_;
  UniqueFd heard_, say_;
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The sum of what the notices say.
std::size_t lost_in(const std::string& text) {
  std::size_t lost = 0;
  for (auto at = text.find(" here\n"); at != std::string::npos; at = text.find(" here\n", at + 1)) {
    const auto begin = text.rfind('\n', at) + 1;
    lost += std::stoul(text.substr(begin));
  }
  return lost;
}

TEST_CASE("log: lines go to standard error, in order and with time and level", "[log][log]") {
  Child child{[](Child&) {
    spdlog::debug("not at this level");
    spdlog::info("one");
    spdlog::warn("two");
  }};
  child.start();
  const auto text = take(child.output(), 1 << 20U);
  CHECK(child.ended());
  CHECK(count_of(text, "\n") == 2);
  CHECK(text.find("Z info: one\n") == std::string("2026-11-23T06:50:00.123").size());
  CHECK(text.find("Z warning: two\n") != std::string::npos);
}

TEST_CASE("log: a pipe that nobody reads does not keep the program from ending", "[log][log]") {
  Child child{[](Child&) {
    for (int i = 0; i < 5000; ++i) spdlog::info("line {}", i);
  }};
  const auto before = fill(child.error());
  child.start();
  CHECK(child.ended());
  // Not a byte found room, so not a line was cut.
  CHECK(take(child.output(), before + 100).size() == before);
}

TEST_CASE("log: a pipe whose reader has gone does not keep the program from ending", "[log][log]") {
  Child child{[](Child&) {
    for (int i = 0; i < 5000; ++i) spdlog::info("line {}", i);
  }};
  child.close_output();
  child.start();
  CHECK(child.ended());
}

TEST_CASE("log: lines that were lost are counted when the pipe is read again", "[log][log]") {
  Child child{[](Child& self) {
    for (int i = 0; i < 100; ++i) spdlog::info("early {}.", i);
    self.pause();
    spdlog::info("late");
  }};
  const auto before = fill(child.error());
  child.start();
  child.wait_for_pause();
  (void)take(child.output(), before);
  child.go_on();
  const auto text = take(child.output(), 1 << 20U);
  CHECK(child.ended());
  INFO(text);
  CHECK(text.ends_with(" late\n"));
  const auto lost = lost_in(text);
  CHECK(lost >= 99);  // the hundredth may have seen the reader come
  CHECK(count_of(text, "early") + lost == 100);
}

TEST_CASE("log: a line that was written in part is counted, and the next one begins a new line",
          "[log][log]") {
  Child child{[](Child& self) {
    spdlog::info("long {}", std::string(20'000, 'x'));
    spdlog::info("lost");
    self.pause();
    spdlog::info("late");
  }};
  const auto before = fill(child.error());
  REQUIRE(take(child.output(), 4096).size() == 4096);  // room for the beginning
  child.start();
  child.wait_for_pause();
  (void)take(child.output(), before - 4096);
  const auto begun = take(child.output(), 4096);
  child.go_on();
  const auto text = take(child.output(), 1 << 20U);
  CHECK(child.ended());
  CHECK(begun.ends_with("xxx"));
  INFO(text);
  CHECK(text.starts_with("\n"));
  CHECK(text.ends_with(" late\n"));
  CHECK(lost_in(text) + count_of(text, " lost\n") == 2);
}

TEST_CASE("log: what cannot be opened is an error that says what was attempted", "[log][log]") {
  Config::Log config;
  config.target = LogTarget::kFile;
  config.file = "/dev/null/chatd.log";
  auto log = Log::open(config, nullptr);
  REQUIRE_FALSE(log);
  CHECK(log.error().message.starts_with("open the log: "));
  CHECK(log.error().message.find("/dev/null/chatd.log") != std::string::npos);
}

}  // namespace
}  // namespace chatd::test
