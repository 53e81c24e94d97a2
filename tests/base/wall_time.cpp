/// RFC 3339, as a table.
#include "base/wall_time.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

TEST_CASE("wall time: a date is written as RFC 3339 in UTC", "[base][wall_time]") {
  const std::vector<std::pair<std::int64_t, std::string>> rows{
      {0, "1970-01-01T00:00:00.000Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {999, "1970-01-01T00:00:00.999Z"},
      {86'399'999, "1970-01-01T23:59:59.999Z"},
      {86'400'000, "1970-01-02T00:00:00.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {951'782'399'999, "2000-02-28T23:59:59.999Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {951'868'800'000, "2000-03-01T00:00:00.000Z"},
      {1'709'210'096'007, "2024-02-29T12:34:56.007Z"},
      {2'147'483'648'000, "2038-01-19T03:14:08.000Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
  };
  for (const auto& [ms, text] : rows) {
    std::string out = "before ";
    append_rfc3339(out, WallTime{std::chrono::milliseconds{ms}});
    CHECK(out == "before " + text);
  }
}

TEST_CASE("wall time: a moment keeps its date until the clock is set", "[base][wall_time]") {
  const auto at = [](std::int64_t ms) { return Time{Duration{ms}}; };
  const auto date = [](std::int64_t ms) { return WallTime{std::chrono::milliseconds{ms}}; };
  Dates dates;
  dates.set(at(5000), date(1'700'000'005'000));
  const auto moment = dates.of(at(1000));
  CHECK(moment == date(1'700'000'001'000));
  for (const auto late : {1, 20, 1000, -1, -1000}) {
    dates.set(at(9000), date(1'700'000'009'000 + late));
    CHECK(dates.of(at(1000)) == moment);
  }
  dates.set(at(9000), date(1'700'000'009'000 + 3'600'000));
  CHECK(dates.of(at(1000)) == date(1'700'000'001'000 + 3'600'000));
  dates.set(at(9000), date(9000));
  CHECK(dates.of(at(1000)) == date(1000));
}

}  // namespace
}  // namespace chatd::test
