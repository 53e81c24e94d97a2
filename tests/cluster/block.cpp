#include "cluster/block.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using chatd::cluster::begin_block;
using chatd::cluster::Block;
using chatd::cluster::read_block;

namespace {

const std::string kLog = "0123456789abcdef0123456789abcdef";

std::string head(chatd::cluster::Interval covers) {
  std::string text;
  begin_block(text, kLog, covers);
  return text;
}

std::string asking(chatd::cluster::Number number) {
  return R"({"jsonrpc":"2.0","method":"asking","params":{"seq":)" + std::to_string(number) +
         R"(,"time":"2026-11-30T08:00:00.000Z","session":4}})" + "\n";
}

std::string fault_of(std::string_view bytes) {
  auto read = read_block(bytes);
  return read ? std::string{} : read.error().message;
}

TEST_CASE("block: what it covers, and its events", "[cluster][block]") {
  auto block = read_block(head({3, 9}) + asking(4) + asking(7) + asking(9));
  REQUIRE(block);
  CHECK(block->log == kLog);
  CHECK(block->covers.after == 3);
  CHECK(block->covers.upto == 9);
  REQUIRE(block->events.size() == 3);
  CHECK(block->events[1].number() == 7);
  block = read_block(head({3, 9}));  // numbers that were not recorded
  REQUIRE(block);
  CHECK(block->events.empty());
}

TEST_CASE("block: what is none is refused as a whole", "[cluster][block]") {
  CHECK(fault_of("") == "a block begins with what it covers");
  CHECK(fault_of("{}") == "a block begins with what it covers");
  CHECK(fault_of(asking(4)) == "a block begins with what it covers");
  CHECK(fault_of("x\n") == "the line is not JSON");
  CHECK(fault_of(head({3, 3})) == "a block must cover something");
  CHECK(fault_of(head({4, 3})) == "a block must cover something");
  CHECK(fault_of(head({4, (1ULL << 53U) + 1})) == "a block must cover something");
  CHECK(fault_of(R"({"jsonrpc":"2.0","method":"block","params":{"log":"B","after":1,"upto":2}})"
                 "\n") == "log is none");
  CHECK(fault_of(R"({"jsonrpc":"2.0","method":"block","params":{"after":1,"upto":2}})"
                 "\n") == "log is missing; it must be a string");
  CHECK(fault_of(head({3, 9}) + asking(3)) == "event 3 has no place in its block");
  CHECK(fault_of(head({3, 9}) + asking(10)) == "event 10 has no place in its block");
  CHECK(fault_of(head({3, 9}) + asking(5) + asking(5)) == "event 5 has no place in its block");
  CHECK(fault_of(head({3, 9}) + asking(5) + asking(4)) == "event 4 has no place in its block");
  CHECK(fault_of(head({3, 9}) + asking(5) + "{}") == "the last line of a block does not end");
  CHECK(fault_of(head({3, 9}) + "{}\n") == R"(in a block: jsonrpc must be "2.0")");
  std::string many = head({0, Block::kMostEvents + 1});
  for (chatd::cluster::Number number = 1; number <= Block::kMostEvents + 1; ++number) {
    many += asking(number);
  }
  CHECK(fault_of(many) == "a block has too many events");
  CHECK(fault_of(std::string(Block::kMostBytes + 1, 'x')) == "a block is too large");
}

}  // namespace
