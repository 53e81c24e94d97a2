/// What one process leaves to the next is read as it was written, or not at all.
#include "process/handover_document.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace chatd::test {
namespace {

HandoverDocument example(bool has_records) {
  HandoverDocument document;
  document.descriptors = {7, 8, 9, 10, 11};
  document.has_records = has_records;
  document.events = "what happened";
  document.operators = "";
  document.clients = std::string{"\0who is there", 13};
  return document;
}

TEST_CASE("handover document: what was written is read", "[process][handover]") {
  const bool has_records = GENERATE(false, true);
  const auto read = HandoverDocument::read(example(has_records).write());
  REQUIRE(read);
  CHECK(read->descriptors == std::vector<int>{7, 8, 9, 10, 11});
  CHECK(read->has_records == has_records);
  CHECK(read->events == "what happened");
  CHECK(read->operators.empty());
  CHECK(read->clients == std::string_view{"\0who is there", 13});
}

TEST_CASE("handover document: its bytes are those of version 6", "[process][handover]") {
  HandoverDocument document;
  document.descriptors = {7, 258};
  document.events = "e";
  document.operators = "op";
  document.clients = "";
  using namespace std::string_view_literals;
  CHECK(document.write() ==
        "\2\0\0\0\0\0\0\0"
        "\7\0\0\0\2\1\0\0"
        "\0"
        "\1\0\0\0\0\0\0\0e"
        "\2\0\0\0\0\0\0\0op"
        "\0\0\0\0\0\0\0\0"sv);
}

TEST_CASE("handover document: the last descriptors are those of the daemon itself",
          "[process][handover]") {
  const auto document = example(true);
  CHECK(document.place_of_records() == 2);
  CHECK(document.place_of_watched() == 3);
  CHECK(document.place_of_control() == 4);
}

TEST_CASE("handover document: every byte of it is needed, and no other", "[process][handover]") {
  const auto whole = example(true).write();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (HandoverDocument::read(std::string_view{whole}.substr(0, size))) {
      FAIL("the first " << size << " bytes");
    }
  }
  CHECK_FALSE(HandoverDocument::read(whole + "x"));
}

TEST_CASE("handover document: the descriptors of the daemon itself cannot be missing",
          "[process][handover]") {
  auto bytes = example(false).write();
  const std::size_t flag = 8 + 5 * 4;
  HandoverDocument small;
  small.descriptors = {7, 8};
  auto two = small.write();
  CHECK(HandoverDocument::read(two));
  two[8 + 2 * 4] = 1;  // records that are not there
  CHECK_FALSE(HandoverDocument::read(two));
  CHECK(HandoverDocument::read(bytes));
  bytes[flag] = 2;
  CHECK_FALSE(HandoverDocument::read(bytes));
}

}  // namespace
}  // namespace chatd::test
