/// Durations and sizes, as tables of text and value.
#include "config/units.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

TEST_CASE("units: a duration is a number and a unit", "[config][units]") {
  const std::vector<std::pair<std::string, std::int64_t>> rows{
      {"0ms", 0},          {"0s", 0},       {"0d", 0},         {"50ms", 50},
      {"1s", 1000},        {"90s", 90'000}, {"2m", 120'000},   {"3h", 10'800'000},
      {"30d", 2592000000}, {"1.5s", 1500},  {"0.25m", 15'000}, {"0.001s", 1},
      {"1.000ms", 1},      {"007s", 7000},  {"0.0000000s", 0},
  };
  for (const auto& [text, value] : rows) {
    INFO(text);
    auto duration = parse_duration(text);
    REQUIRE(duration);
    CHECK(duration->count() == value);
  }
}

TEST_CASE("units: a size is a number and a unit", "[config][units]") {
  const std::vector<std::pair<std::string, std::size_t>> rows{
      {"0B", 0},          {"1B", 1},           {"8KiB", 8192},      {"0.5KiB", 512},
      {"1MiB", 1 << 20U}, {"1.5MiB", 1572864}, {"2GiB", 2UL << 30U}};
  for (const auto& [text, value] : rows) {
    INFO(text);
    auto size = parse_size(text);
    REQUIRE(size);
    CHECK(*size == value);
  }
}

TEST_CASE("units: what is not a duration is refused with the reason", "[config][units]") {
  const std::string right = "ms, s, m, h or d would be right, such as \"50ms\"";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "\"\" is not a duration; a number with " + right},
      {"ms", "\"ms\" is not a duration; a number with " + right},
      {"-", "\"-\" is not a duration; a number with " + right},
      {"+5s", "\"+5s\" is not a duration; a number with " + right},
      {".5s", "\".5s\" is not a duration; a number with " + right},
      {"5 s", "\"5 s\" is not a duration; a number with " + right},
      {"5s ", "\"5s \" is not a duration; a number with " + right},
      {"1m30s", "\"1m30s\" is not a duration; a number with " + right},
      {"1e3s", "\"1e3s\" is not a duration; a number with " + right},
      {"5", "\"5\" has no unit; " + right},
      {"5.0", "\"5.0\" has no unit; " + right},
      {"5S", "\"5S\" has an unknown unit; ms, s, m, h or d would be right"},
      {"5us", "\"5us\" has an unknown unit; ms, s, m, h or d would be right"},
      {"5KiB", "\"5KiB\" has an unknown unit; ms, s, m, h or d would be right"},
      {"-1s", "\"-1s\" is negative; a duration cannot be"},
      {"0.5ms", "\"0.5ms\" is not a whole number of milliseconds"},
      {"0.0001s", "\"0.0001s\" is not a whole number of milliseconds"},
      {"0.3333333333d", "\"0.3333333333d\" is not a whole number of milliseconds"},
      {"9223372036854775807ms", "\"9223372036854775807ms\" is too large"},
      {"18446744073709551617ms", "\"18446744073709551617ms\" is too large"},
      {"213503982335d", "\"213503982335d\" is too large"},
      {"\x1b[31ms", "\"\\x1b[31ms\" is not a duration; a number with " + right},
      {std::string(200, '9') + "s", '"' + std::string(60, '9') + "...\" is too large"},
  };
  for (const auto& [text, what] : rows) {
    auto duration = parse_duration(text);
    INFO(text);
    REQUIRE_FALSE(duration);
    CHECK(duration.error().message == what);
  }
}

TEST_CASE("units: what is not a size is refused with the reason", "[config][units]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"8", "\"8\" has no unit; B, KiB, MiB or GiB would be right, such as \"8KiB\""},
      {"8KB", "\"8KB\" has an unknown unit; B, KiB, MiB or GiB would be right"},
      {"8kib", "\"8kib\" has an unknown unit; B, KiB, MiB or GiB would be right"},
      {"-8B", "\"-8B\" is negative; a size cannot be"},
      {"0.3KiB", "\"0.3KiB\" is not a whole number of bytes"},
      {"99999999999GiB", "\"99999999999GiB\" is too large"},
  };
  for (const auto& [text, what] : rows) {
    auto size = parse_size(text);
    INFO(text);
    REQUIRE_FALSE(size);
    CHECK(size.error().message == what);
  }
}

TEST_CASE("units: a value is written with the largest unit that is exact", "[config][units]") {
  CHECK(format_duration(Duration{0}) == "0s");
  CHECK(format_duration(Duration{50}) == "50ms");
  CHECK(format_duration(Duration{1500}) == "1500ms");
  CHECK(format_duration(Duration{90'000}) == "90s");
  CHECK(format_duration(Duration{3'600'000}) == "1h");
  CHECK(format_duration(Duration{86'400'000LL * 30}) == "30d");
  CHECK(format_size(0) == "0B");
  CHECK(format_size(1536) == "1536B");
  CHECK(format_size(8192) == "8KiB");
  CHECK(format_size(1UL << 40U) == "1024GiB");
  for (std::int64_t value = 1; value < 1'000'000'000'000; value = value * 3 + 7) {
    CHECK(parse_duration(format_duration(Duration{value})).value() == Duration{value});
    CHECK(parse_size(format_size(static_cast<std::size_t>(value))).value() ==
          static_cast<std::size_t>(value));
  }
}

}  // namespace
}  // namespace chatd::test
