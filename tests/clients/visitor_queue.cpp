/// Visitors who wait for a place: in order, a few times, and never more than a few.
#include "clients/visitor_queue.hpp"

#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {
namespace {

class Queue {
 public:
  Queue()
      : queue{loop, {[this](Doors::Visitor& visitor, bool last) {
                const std::string& name = visitor.configured->room;
                tried.push_back(name);
                if (name != welcome && !last) return;
                (name == welcome ? let_in : given_up).push_back(name);
                visitor.socket.reset();
              }}} {}

  [[nodiscard]] bool add(const std::string& name) {
    Listener listener;
    listener.room = name;
    Doors::Visitor visitor{UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)},
                           {},
                           std::make_shared<const Listener>(listener),
                           0};
    REQUIRE(visitor.socket);
    const bool added = queue.add(visitor);
    CHECK(static_cast<bool>(visitor.socket) == !added);
    return added;
  }

  io::Loop loop;
  std::string welcome = "welcome";
  std::vector<std::string> tried;
  std::vector<std::string> let_in;
  std::vector<std::string> given_up;
  VisitorQueue queue;
};

TEST_CASE("visitor queue: whoever finds a place goes, and the others are asked again in order",
          "[clients][visitor_queue]") {
  Queue door;
  for (const char* name : {"first", "second", "third"}) REQUIRE(door.add(name));
  REQUIRE(run_until(door.loop, [&] { return door.tried.size() == 3; }));
  CHECK(door.tried == std::vector<std::string>{"first", "second", "third"});
  door.welcome = "second";
  REQUIRE(run_until(door.loop, [&] { return door.tried.size() == 6; }));
  CHECK(door.let_in == std::vector<std::string>{"second"});
  CHECK(door.queue.size() == 2);
  REQUIRE(run_until(door.loop, [&] { return door.queue.size() == 0; }));
  CHECK(door.given_up == std::vector<std::string>{"first", "third"});
  CHECK(door.tried.size() == 2 + 2 * VisitorQueue::kTries);
}

TEST_CASE("visitor queue: no more than that many wait", "[clients][visitor_queue]") {
  Queue door;
  for (std::size_t i = 0; i < VisitorQueue::kMost; ++i) REQUIRE(door.add("somebody"));
  CHECK_FALSE(door.add("one too many"));
  door.queue.finish();
  CHECK(door.queue.size() == 0);
  CHECK(door.given_up.size() == VisitorQueue::kMost);
  CHECK(door.add("a later one"));
}

TEST_CASE("visitor queue: at the end everybody is asked a last time", "[clients][visitor_queue]") {
  Queue door;
  REQUIRE(door.add("welcome"));
  REQUIRE(door.add("stranger"));
  door.queue.finish();
  CHECK(door.let_in == std::vector<std::string>{"welcome"});
  CHECK(door.given_up == std::vector<std::string>{"stranger"});
}

}  // namespace
}  // namespace chatd::test
