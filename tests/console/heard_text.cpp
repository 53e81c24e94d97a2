// Bytes of a chat server, and the rows that a screen shows of them.
#include "console/heard_text.hpp"

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chatd::console {

namespace {

using Rows = std::vector<std::string>;

struct Quiet {};
using Step = std::variant<std::string, Quiet>;

/// All rows of these steps, and then of the end.
Rows rows_of(const std::vector<Step>& steps) {
  HeardText text;
  Rows all;
  const auto add = [&](const Rows& rows) { all.insert(all.end(), rows.begin(), rows.end()); };
  for (const Step& step : steps) {
    const auto* bytes = std::get_if<std::string>(&step);
    add(bytes != nullptr ? text.push(*bytes) : text.quiet());
  }
  add({"END"});
  add(text.end());
  return all;
}

}  // namespace

TEST_CASE("heard text: which rows each conversation makes", "[console][heard-text]") {
  struct Row {
    std::vector<Step> steps;
    Rows rows;
  };
  const std::vector<Row> table{
      {{"one\ntwo\n"}, {"one", "two", "END"}},
      {{"one\r\ntwo\r\n"}, {"one", "two", "END"}},
      {{"o", "ne", "\nt", "wo\n"}, {"one", "two", "END"}},
      {{"one\n\ntwo\n"}, {"one", "", "two", "END"}},
      {{"a\rb\n"}, {"a\rb", "END"}},
      {{"one"}, {"END", "one"}},
      {{"one", Quiet{}}, {"one", "END"}},
      {{"one", Quiet{}, Quiet{}}, {"one", "END"}},
      {{"one", Quiet{}, "two", Quiet{}}, {"one", "two", "END"}},
      {{"one\n", Quiet{}}, {"one", "END"}},
      // The line end of a row that is shown already.
      {{"one", Quiet{}, "\ntwo\n"}, {"one", "two", "END"}},
      {{"one", Quiet{}, "\r\ntwo\n"}, {"one", "two", "END"}},
      {{"one\r", Quiet{}, "\ntwo\n"}, {"one", "two", "END"}},
      {{"one", Quiet{}, "\r", Quiet{}, "\ntwo\n"}, {"one", "two", "END"}},
      {{"one", Quiet{}, "\r"}, {"one", "END"}},
      // But only that one.
      {{"one", Quiet{}, "\n\ntwo\n"}, {"one", "", "two", "END"}},
      {{"one", Quiet{}, " more\n\n"}, {"one", " more", "", "END"}},
      {{"one\n", Quiet{}, "\n"}, {"one", "", "END"}},
      // A character is not cut by quiet, but by the end.
      {{"\xc3", Quiet{}, "\xa4", Quiet{}}, {"\xc3\xa4", "END"}},
      {{"a\xe2\x82", Quiet{}, "\xac\n"}, {"a", "\xe2\x82\xac", "END"}},
      {{"a\xe2\x82", Quiet{}}, {"a", "END", "\xe2\x82"}},
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    INFO("row " << i);
    CHECK(rows_of(table[i].steps) == table[i].rows);
  }
}

TEST_CASE("heard text: a line without an end takes no more than a row", "[console][heard-text]") {
  HeardText text;
  const std::string euros = [] {
    std::string made;
    for (std::size_t i = 0; i < HeardText::kLongestRow; ++i) made += "\xe2\x82\xac";
    return made;
  }();
  std::string shown;
  std::size_t waiting = 0;
  const auto take = [&](const Rows& rows) {
    for (const std::string& row : rows) {
      CHECK(row.size() <= HeardText::kLongestRow);
      CHECK(row.size() % 3 == 0);
      waiting -= row.size();
      shown += row;
    }
  };
  for (std::size_t at = 0; at < euros.size(); at += 1000) {
    const std::string_view part = std::string_view{euros}.substr(at, 1000);
    waiting += part.size();
    take(text.push(part));
    REQUIRE(waiting <= HeardText::kLongestRow);
  }
  take(text.push("\n"));
  CHECK(text.end().empty());
  CHECK(shown == euros);
}

}  // namespace chatd::console
