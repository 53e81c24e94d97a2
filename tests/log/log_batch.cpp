#include "log/log_batch.hpp"
#include "support/catch.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace chatd::test {
namespace {

/// A sink that keeps what it gets; while it is shut, the writer waits.
class Kept final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    std::unique_lock lock{mutex};
    if (full) throw std::runtime_error{"full"};
    lines.emplace_back(message.payload.data(), message.payload.size());
    arrived.notify_all();
    opened.wait(lock, [&] { return !shut; });
  }
  void flush() override {
    const std::lock_guard lock{mutex};
    ++flushes;
  }
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  void wait_for_first() {
    std::unique_lock lock{mutex};
    arrived.wait(lock, [&] { return !lines.empty(); });
  }
  void open() {
    const std::lock_guard lock{mutex};
    shut = false;
    opened.notify_all();
  }

  std::mutex mutex;
  std::condition_variable arrived, opened;
  std::vector<std::string> lines;
  int flushes = 0;
  bool shut = false;
  bool full = false;
};

void say(LogBatch& batch, const std::string& text) {
  batch.log({"chatd", spdlog::level::info, text});
}

TEST_CASE("log batch: lines that come while others are written go together, in order",
          "[log][log]") {
  const auto sink = std::make_shared<Kept>();
  sink->shut = true;
  LogBatch batch{sink};
  say(batch, "0");
  sink->wait_for_first();
  for (int i = 1; i <= 1000; ++i) say(batch, std::to_string(i));
  sink->open();
  batch.flush();
  REQUIRE(sink->lines.size() == 1001);
  for (std::size_t i = 0; i <= 1000; ++i) REQUIRE(sink->lines[i] == std::to_string(i));
  CHECK(sink->flushes == 2);
  batch.flush();  // with nothing that waits
  CHECK(sink->flushes == 2);
}

TEST_CASE("log batch: what is too much at once is dropped, and a line says how much",
          "[log][log]") {
  const auto sink = std::make_shared<Kept>();
  sink->shut = true;
  LogBatch batch{sink};
  say(batch, "first");
  sink->wait_for_first();
  for (int i = 0; i < 5000; ++i) say(batch, "x");
  sink->open();
  batch.flush();
  const auto kept = sink->lines.size() - 2;
  CHECK(kept == 2048);
  CHECK(sink->lines.back() == std::to_string(5000 - kept) + " log lines were lost before this one");
}

TEST_CASE("log batch: a sink that cannot write ends nothing, and its lines are counted",
          "[log][log]") {
  const auto sink = std::make_shared<Kept>();
  LogBatch batch{sink};
  sink->full = true;
  say(batch, "one");
  say(batch, "two");
  batch.flush();
  CHECK(sink->lines.empty());
  {
    const std::lock_guard lock{sink->mutex};
    sink->full = false;
  }
  say(batch, "three");
  batch.flush();
  CHECK(sink->lines == std::vector<std::string>{"three", "2 log lines were lost before this one"});
}

TEST_CASE("log batch: what waits is written before the batch is destroyed", "[log][log]") {
  const auto sink = std::make_shared<Kept>();
  {
    LogBatch batch{sink};
    for (int i = 0; i < 100; ++i) say(batch, "x");
  }
  CHECK(sink->lines.size() == 100);
}

}  // namespace
}  // namespace chatd::test
