// outbox: texts and numbers that stay where they are; memory is kept for the next message,
// and given back after a large one.
#include "core/outbox.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "support/allocated.hpp"
#include "support/catch.hpp"

using chatd::EventKind;
using chatd::Payload;
using chatd::core::Outbox;
using chatd::test::allocated_bytes;

namespace {

/// The effects of a message to this many sessions.
void fill(Outbox& outbox, std::uint32_t sessions) {
  const Payload payload{"hello"};
  for (std::uint32_t i = 0; i < sessions; ++i) {
    const auto text = outbox.keep("hello");
    outbox.add(EventKind::kSent, i).text = text;
    outbox.write(i, payload);
    outbox.flow(i, true);
    outbox.close(i);
    const std::uint64_t number = i;
    (void)outbox.keep_ids({&number, 1});
  }
}

}  // namespace

TEST_CASE("outbox: a text is found by its range, whatever came after it", "[core][outbox]") {
  Outbox outbox;
  const auto first = outbox.keep("first");
  const auto empty = outbox.keep("");
  const auto last = outbox.keep(std::string(100'000, 'x'));
  CHECK(outbox.text(first) == "first");
  CHECK(outbox.text(empty).empty());
  CHECK(outbox.text(last) == std::string(100'000, 'x'));
}

TEST_CASE("outbox: ids and numbers of messages are found by their ranges", "[core][outbox]") {
  Outbox outbox;
  const std::vector<std::uint64_t> some{7, 9};
  const std::vector<std::uint64_t> more{1, 2, 3};
  const auto ids = outbox.keep_ids(some);
  const auto numbers = outbox.keep_messages(more);
  const auto last = outbox.keep_ids(more);
  const auto as_vector = [](auto span) {
    return std::vector<std::uint64_t>(span.begin(), span.end());
  };
  CHECK(as_vector(outbox.ids(ids)) == some);
  CHECK(as_vector(outbox.messages(numbers)) == more);
  CHECK(as_vector(outbox.ids(last)) == more);
}

TEST_CASE("outbox: an effect of any kind makes it not empty", "[core][outbox]") {
  Outbox outbox;
  CHECK(outbox.empty());
  SECTION("event") {
    outbox.add(EventKind::kMessage, 1);
  }
  SECTION("write") {
    outbox.write(1, Payload{"x"});
  }
  SECTION("close") {
    outbox.close(1);
  }
  SECTION("abort") {
    outbox.abort(1);
  }
  SECTION("flow") {
    outbox.flow(1, false);
  }
  CHECK_FALSE(outbox.empty());
  outbox.clear();
  CHECK(outbox.empty());
}

TEST_CASE("outbox: writes to one can be taken back, from any of them on", "[core][outbox]") {
  Outbox outbox;
  outbox.write(1, Payload{"one", 1});
  outbox.write(2, Payload{"three", 3});
  outbox.write(1, Payload{"reply", 2});
  CHECK(outbox.written_bytes(0) == 13);
  CHECK(outbox.written_bytes(1) == 10);
  CHECK(outbox.written_bytes(3) == 0);
  CHECK(outbox.take_back_writes(2, 2) == 0);
  CHECK(outbox.take_back_writes(1, 1) == 2);
  REQUIRE(outbox.writes().size() == 2);
  CHECK(outbox.writes()[0].bytes.view() == "one");
  CHECK(outbox.writes()[1].bytes.view() == "three");
}

TEST_CASE("outbox: the memory of one message is kept, that of a large broadcast is not",
          "[core][outbox]") {
  Outbox outbox;
  fill(outbox, 100);
  outbox.clear();
  const auto before = allocated_bytes();
  fill(outbox, 100);
  outbox.clear();
  CHECK(allocated_bytes() < before + 1000);
  fill(outbox, 100'000);
  CHECK(allocated_bytes() > before + 10'000'000);
  outbox.clear();
  CHECK(allocated_bytes() < before + 1'300'000);
}

TEST_CASE("outbox: all its memory can be given back", "[core][outbox]") {
  const auto before = allocated_bytes();
  Outbox outbox;
  fill(outbox, 1000);
  outbox.clear();
  CHECK(allocated_bytes() > before + 100'000);
  outbox.release_memory();
  CHECK(allocated_bytes() < before + 10'000);
}
