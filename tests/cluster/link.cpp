#include "cluster/link.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io/timer.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::cluster::Link;
using chatd::cluster::Wire;
using chatd::cluster::WireListener;
using chatd::cluster::WireMessage;
using chatd::io::Loop;

namespace {

/// Whether it comes true, on whatever thread.
bool comes_true(Loop& loop, const std::function<bool()>& done) {
  std::optional<chatd::io::Timer> pulse;
  pulse.emplace(loop, [&pulse] { pulse->start(chatd::Duration{1}); });
  pulse->start(chatd::Duration{0});
  return chatd::test::run_until(loop, done);
}

/// What a test sees of a wire, from any thread.
class Seen {
 public:
  void add(std::string text) {
    const std::lock_guard lock{mutex_};
    all_.push_back(std::move(text));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }
  /// While it stands still, whoever publishes waits.
  void stand_still(bool still) {
    {
      const std::lock_guard lock{mutex_};
      still_ = still;
    }
    goes_on_.notify_all();
  }
  void wait() {
    std::unique_lock lock{mutex_};
    ++waiting_;
    goes_on_.wait(lock, [this] { return !still_; });
  }
  [[nodiscard]] int waiting() const {
    const std::lock_guard lock{mutex_};
    return waiting_;
  }
  std::atomic<WireListener*> listener = nullptr;
  std::atomic<bool> connected = true;

 private:
  mutable std::mutex mutex_;
  std::condition_variable goes_on_;
  std::vector<std::string> all_;
  bool still_ = false;
  int waiting_ = 0;
};

class FakeWire final : public Wire {
 public:
  explicit FakeWire(Seen& seen) : seen_{seen} {}
  bool publish(const std::string& subject, const std::string& reply,
               std::string_view bytes) override {
    seen_.wait();
    if (!seen_.connected) return false;
    seen_.add(subject + '|' + reply + '|' + std::string{bytes});
    return true;
  }

 private:
  Seen& seen_;
};

Link::Callbacks callbacks(Seen& seen, std::vector<Link::News>& news) {
  Link::Callbacks callbacks;
  callbacks.make = [&seen](WireListener& listener, std::string&) {
    seen.listener = &listener;
    return std::make_unique<FakeWire>(seen);
  };
  callbacks.is_block = [](const WireMessage& message) { return message.subject == "block"; };
  callbacks.on_news = [&news](Link::News each) { news.push_back(std::move(each)); };
  callbacks.on_failure = [](const std::string&) { FAIL("there is a wire"); };
  return callbacks;
}

WireListener& listener(Loop& loop, const Seen& seen) {
  REQUIRE(comes_true(loop, [&] { return seen.listener != nullptr; }));
  return *seen.listener;
}

TEST_CASE("link: what is sent goes out in its order", "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  Link link{loop, callbacks(seen, news)};
  CHECK(link.send("a", "", "one"));
  CHECK(link.send("b", "r", "two"));
  REQUIRE(comes_true(loop, [&] { return seen.all().size() == 2; }));
  CHECK(seen.all() == std::vector<std::string>{"a||one", "b|r|two"});
  REQUIRE(comes_true(loop, [&] { return link.waiting() == 0; }));
  CHECK(link.counts().unsent == 0);
}

TEST_CASE("link: a wire that stands still keeps nobody waiting, and costs bounded memory",
          "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  Link link{loop, callbacks(seen, news)};
  seen.stand_still(true);
  const std::string mebibyte(1024 * 1024, 'x');
  CHECK(link.send("a", "", "first"));
  REQUIRE(comes_true(loop, [&] { return seen.waiting() == 1; }));
  int taken = 0;
  while (link.send("a", "", mebibyte)) ++taken;
  CHECK(taken == 15);
  CHECK(link.counts().unsent == 1);
  seen.stand_still(false);
  REQUIRE(comes_true(loop, [&] { return link.waiting() == 0; }));
  CHECK(seen.all().size() == 16);
  CHECK(link.send("a", "", mebibyte));
}

TEST_CASE("link: what finds no connection is counted", "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  Link link{loop, callbacks(seen, news)};
  seen.connected = false;
  CHECK(link.send("a", "", "lost"));
  REQUIRE(comes_true(loop, [&] { return link.counts().unsent == 1; }));
}

TEST_CASE("link: what comes is heard in its order, and blocks are read", "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  Link link{loop, callbacks(seen, news)};
  auto& from = listener(loop, seen);
  std::string block;
  chatd::cluster::begin_block(block, std::string(32, 'a'), {4, 6});
  std::thread thread{[&] {
    from.on_up("nats://a", 1024);
    from.on_message({"other", "r", "text"});
    from.on_message({"block", "", block});
    from.on_message({"block", "", "none"});
    from.on_down("gone");
  }};
  REQUIRE(comes_true(loop, [&] { return news.size() == 5; }));
  thread.join();
  CHECK(std::get<Link::Up>(news[0]).most == 1024);
  const auto& other = std::get<Link::Letter>(news[1]);
  CHECK(other.message.bytes == "text");
  CHECK(other.message.reply == "r");
  CHECK_FALSE(other.block);
  auto& good = std::get<Link::Letter>(news[2]);
  REQUIRE(good.block);
  REQUIRE(*good.block);
  CHECK((**good.block).covers.upto == 6);
  auto& bad = std::get<Link::Letter>(news[3]);
  REQUIRE(bad.block);
  CHECK_FALSE(*bad.block);
  CHECK(std::get<Link::Down>(news[4]).why == "gone");
}

TEST_CASE("link: more than the loop can take is lost and counted", "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  Link link{loop, callbacks(seen, news)};
  auto& from = listener(loop, seen);
  const std::string mebibyte(1024 * 1024, 'x');
  for (int i = 0; i < 40; ++i) from.on_message({"other", "", mebibyte});
  CHECK(link.counts().unheard == 9);  // the subjects count as well
  REQUIRE(comes_true(loop, [&] { return news.size() == 31; }));
  from.on_message({"other", "", mebibyte});
  CHECK(link.counts().unheard == 9);
}

TEST_CASE("link: without a wire it says why, once", "[cluster][link]") {
  Loop loop;
  Seen seen;
  std::vector<Link::News> news;
  auto all = callbacks(seen, news);
  std::vector<std::string> failures;
  all.make = [](WireListener&, std::string& why) {
    why = "there is no library";
    return std::unique_ptr<Wire>{};
  };
  all.on_failure = [&failures](const std::string& why) { failures.push_back(why); };
  Link link{loop, std::move(all)};
  REQUIRE(comes_true(loop, [&] { return !failures.empty(); }));
  CHECK(link.send("a", "", "x"));
  REQUIRE(comes_true(loop, [&] { return link.counts().unsent == 1; }));
  CHECK(failures == std::vector<std::string>{"there is no library"});
}

}  // namespace
