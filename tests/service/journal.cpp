#include "service/journal.hpp"
#include "support/catch.hpp"

#include <string>
#include <string_view>

using chatd::service::Journal;
using namespace std::literals;

TEST_CASE("journal: a field ends where its value ends, whatever is in it", "[service][journal]") {
  const auto field = [](std::string_view value) {
    std::string entry = "A=1\n";
    Journal::append_field(entry, "MESSAGE", value);
    return entry;
  };
  CHECK(field("") == "A=1\nMESSAGE=\n");
  CHECK(field("one = two") == "A=1\nMESSAGE=one = two\n");
  CHECK(field("hello\nCHATD_SESSION=7") ==
        "A=1\nMESSAGE\n\x15\0\0\0\0\0\0\0hello\nCHATD_SESSION=7\n"sv);
  const auto many = std::string(0x1234 - 1, 'x') + '\n';
  CHECK((field(many) == "A=1\nMESSAGE\n\x34\x12\0\0\0\0\0\0"s + many + '\n'));
}
