#include "io/farewell.hpp"

#include <string>

#include "support/catch.hpp"

using chatd::Duration;
using chatd::Payload;
using chatd::Time;
using chatd::io::Farewell;
using chatd::io::SendQueue;

namespace {

constexpr Time kStart{Duration{1'000}};
constexpr Duration kPatience{10'000};

/// Payloads of 10 bytes each, with the weights 1, 20 and 300.
SendQueue three() {
  SendQueue queue;
  for (const std::uint32_t weight : {1U, 20U, 300U}) {
    queue.push(Payload{std::string(10, 'x'), weight});
  }
  return queue;
}

}  // namespace

TEST_CASE("farewell: a payload counts until its last byte is acknowledged", "[io][farewell]") {
  Farewell farewell{three(), 100, 100, kStart};
  CHECK(farewell.unsent(true) == 321);
  struct Look {
    std::uint64_t sent;
    std::size_t owed;
    std::size_t unsent;
  };
  for (const Look& look :
       {Look{100, 0, 321}, Look{115, 15, 321}, Look{115, 6, 321}, Look{115, 5, 320},
        Look{130, 11, 320}, Look{130, 10, 300}, Look{130, 1, 300}}) {
    farewell.seen(look.sent, look.owed, kStart);
    CHECK(farewell.unsent(true) == look.unsent);
    CHECK_FALSE(farewell.is_acknowledged());
  }
  farewell.seen(130, 0, kStart);
  CHECK(farewell.unsent(true) == 0);
  CHECK(farewell.is_acknowledged());
}

TEST_CASE("farewell: what the kernel had before is one more, and no part of a payload that waits",
          "[io][farewell]") {
  SendQueue queue = three();
  queue.consume(4);
  Farewell farewell{queue, 100, 96, kStart};
  farewell.seen(100, 5, kStart);
  CHECK(farewell.unsent(true) == 322);
  farewell.seen(100, 4, kStart);
  CHECK(farewell.unsent(true) == 321);

  Farewell nothing_queued{SendQueue{}, 100, 100, kStart};
  CHECK(nothing_queued.unsent(true) == 1);
  CHECK(nothing_queued.unsent(false) == 1);
  nothing_queued.seen(100, 0, kStart);
  CHECK(nothing_queued.unsent(true) == 0);
}

TEST_CASE("farewell: of what the kernel had, only what has a weight is one more",
          "[io][farewell]") {
  Farewell talk_behind_a_message{SendQueue{}, 100, 60, kStart};
  talk_behind_a_message.seen(100, 41, kStart);
  CHECK(talk_behind_a_message.unsent(true) == 1);
  talk_behind_a_message.seen(100, 40, kStart);
  CHECK(talk_behind_a_message.unsent(true) == 0);
  CHECK_FALSE(talk_behind_a_message.is_acknowledged());

  Farewell talk_alone{SendQueue{}, 100, Farewell::kNowhere, kStart};
  talk_alone.seen(100, 100, kStart);
  CHECK(talk_alone.unsent(true) == 0);
  CHECK(talk_alone.unsent(false) == 0);

  Farewell before_another_process{SendQueue{}, 100, -5, kStart};
  before_another_process.seen(100, 106, kStart);
  CHECK(before_another_process.unsent(true) == 1);
  before_another_process.seen(100, 105, kStart);
  CHECK(before_another_process.unsent(true) == 0);
}

TEST_CASE("farewell: memory of the kernel, taken for bytes, adds no payload", "[io][farewell]") {
  Farewell farewell{three(), 100, 100, kStart};
  farewell.seen(130, 3 * 768, kStart);
  CHECK(farewell.unsent(false) == 321);
  farewell.seen(130, 1, kStart);
  CHECK(farewell.unsent(false) == 300);
  farewell.seen(130, 0, kStart);
  CHECK(farewell.unsent(false) == 0);
}

TEST_CASE("farewell: it is clear once", "[io][farewell]") {
  Farewell farewell{three(), 0, Farewell::kNowhere, kStart};
  CHECK_FALSE(farewell.becomes_clear());
  farewell.seen(30, 0, kStart);
  CHECK(farewell.becomes_clear());
  CHECK(farewell.is_told());
  CHECK_FALSE(farewell.becomes_clear());
}

TEST_CASE("farewell: what is forgotten is not waited for", "[io][farewell]") {
  Farewell farewell{three(), 0, Farewell::kNowhere, kStart};
  farewell.seen(15, 10, kStart);
  farewell.forget_queue(15);
  CHECK(farewell.unsent(true) == 1);
  CHECK_FALSE(farewell.is_acknowledged());
  farewell.seen(15, 0, kStart);
  CHECK(farewell.is_acknowledged());
  CHECK(farewell.unsent(true) == 0);
}

TEST_CASE("farewell: patience begins anew with each progress, and with nothing else",
          "[io][farewell]") {
  Farewell farewell{three(), 100, 100, kStart};
  const auto after = [](int ms) { return kStart + Duration{ms}; };
  CHECK_FALSE(farewell.is_over(after(9'999), kPatience));
  CHECK(farewell.is_over(after(10'000), kPatience));
  farewell.taken(after(5'000));
  farewell.seen(110, 10, after(6'000));  // nothing was acknowledged
  CHECK(farewell.is_over(after(15'000), kPatience));
  farewell.seen(110, 9, after(15'000));
  farewell.seen(110, 9, after(20'000));
  CHECK_FALSE(farewell.is_over(after(24'999), kPatience));
  CHECK(farewell.is_over(after(25'000), kPatience));
}

TEST_CASE("farewell: the looks become rarer, and none is after the end of patience",
          "[io][farewell]") {
  Farewell farewell{three(), 100, 100, kStart};
  Time now = kStart;
  for (const int pause : {20, 40, 80, 160, 320, 500, 500}) {
    const Time next = farewell.next_look(now, kPatience);
    CHECK(next - now == Duration{pause});
    now = next;
  }
  CHECK(farewell.next_look(kStart + Duration{9'900}, kPatience) == kStart + kPatience);
  const Time late = kStart + kPatience;
  CHECK(farewell.next_look(late, kPatience) > late);
}
