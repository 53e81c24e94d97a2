#include "io/send_queue.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using chatd::Payload;
using chatd::io::SendQueue;

namespace {

/// What a sender would send now, in parts of at most `limit`.
std::string front(const SendQueue& queue, std::size_t limit) {
  std::array<iovec, 16> parts{};
  const std::size_t count = queue.gather({parts.data(), limit});
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return bytes;
}

SendQueue make_queue() {
  SendQueue queue;
  queue.push(Payload{"one", 10});
  queue.push(Payload{"", 10'000});
  queue.push(Payload{"two!", 200});
  queue.push(Payload{"3"});
  return queue;
}

}  // namespace

TEST_CASE("send queue: holds payloads in order and no empty ones", "[io][send_queue]") {
  const SendQueue queue = make_queue();
  CHECK(queue.weight() == 211);
  CHECK(queue.bytes() == 8);
  CHECK(front(queue, 16) == "onetwo!3");
  CHECK(front(queue, 2) == "onetwo!");
  CHECK(front(queue, 1) == "one");
  CHECK(front(queue, 0).empty());
}

TEST_CASE("send queue: payloads are looked at as long as they are wanted", "[io][send_queue]") {
  SendQueue queue = make_queue();
  queue.consume(1);
  for (const std::size_t wanted : {1U, 2U, 3U, 4U}) {
    std::vector<std::string> seen;
    queue.each_while([&](const Payload&, std::string_view rest) {
      seen.emplace_back(rest);
      return seen.size() < wanted;
    });
    const std::vector<std::string> all{"ne", "two!", "3"};
    CHECK(seen ==
          std::vector(all.begin(), all.begin() + static_cast<int>(std::min(wanted, all.size()))));
  }
}

TEST_CASE("send queue: taken in two goes at every byte gives the same bytes", "[io][send_queue]") {
  const std::string all = "onetwo!3";
  const std::array<std::size_t, 9> weights{211, 211, 211, 201, 201, 201, 201, 1, 0};
  for (std::size_t split = 0; split <= all.size(); ++split) {
    INFO("split at " << split);
    SendQueue queue = make_queue();
    queue.consume(split);
    CHECK(front(queue, 16) == all.substr(split));
    CHECK(queue.weight() == weights.at(split));
    CHECK(queue.bytes() == all.size() - split);
    queue.push(Payload{"more"});
    CHECK(front(queue, 16) == all.substr(split) + "more");
    queue.consume(queue.bytes());
    CHECK(queue.empty());
    CHECK(queue.weight() == 0);
    CHECK(front(queue, 16).empty());
  }
}

TEST_CASE("send queue: it knows how many bytes have gone behind the last that has a weight",
          "[io][send_queue]") {
  struct Take {
    std::size_t count;
    std::optional<std::size_t> behind;
  };
  for (const auto& takes : std::vector<std::vector<Take>>{
           {{11, 4}},                            // all at once
           {{2, std::nullopt}, {3, 2}, {6, 4}},  // the last of a payload counts
           {{3, 0}, {1, std::nullopt}, {7, 4}},  // talk alone is no message
           {{5, 2}, {1, std::nullopt}, {1, 0}, {2, std::nullopt}, {2, std::nullopt}}}) {
    SendQueue queue;
    queue.push(Payload{"one", 1});
    queue.push(Payload{"two", 0});
    queue.push(Payload{"3", 2});
    queue.push(Payload{"four", 0});
    for (const auto& take : takes) CHECK(queue.consume(take.count) == take.behind);
    CHECK(queue.empty());
  }
}

TEST_CASE("send queue: one that never runs empty keeps its order", "[io][send_queue]") {
  SendQueue queue;
  std::string expected;
  std::string taken;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = std::to_string(i) + ' ';
    expected += bytes + bytes;
    queue.push(Payload{bytes});
    queue.push(Payload{bytes});
    const std::string some = front(queue, 16).substr(0, bytes.size() + 1);
    taken += some;
    queue.consume(some.size());
  }
  while (!queue.empty()) {
    const std::string some = front(queue, 16);
    taken += some;
    queue.consume(some.size());
  }
  CHECK(taken == expected);
}

TEST_CASE("send queue: cleared, it is as new", "[io][send_queue]") {
  SendQueue queue = make_queue();
  queue.consume(1);
  queue.clear();
  CHECK(queue.empty());
  queue.push(Payload{"again"});
  CHECK(front(queue, 16) == "again");
}
