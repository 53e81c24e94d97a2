/// The sentences about files that are not TOML, word for word: another version of toml11
/// shows here.

#include "config/support.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("document: what is not TOML is one line at its place", "[config]") {
  check_faults({
      {R"([session
settle = "50ms")",
       "F:1:1: not TOML: this is neither key = value nor a [section]",
       "F:1:9: not TOML: this is neither key = value nor a [section]"},
      {R"([session]
settle "50ms")",
       "F:2:7: not TOML: an = is missing here", "F:2:8: not TOML: an = is missing here"},
      {R"([session]
settle = )",
       "F:2:10: not TOML: a value is missing here"},
      {R"([session]
settle = 50ms)",
       R"(F:2:12: not TOML: the line should end here; texts, durations and sizes stand in quotation marks, such as "50ms")"},
      {R"([session]
settle = fifty)",
       R"(F:2:10: not TOML: this is not a value; texts, durations and sizes stand in quotation marks, such as "50ms")"},
      {R"([session]
greeting = "hello
farewell = "bye")",
       "F:2:12: not TOML: this string does not end, or holds an escape that TOML does not know; in "
       "'single quotes' a backslash is just a backslash",
       "F:2:18: not TOML: this string does not end, or holds an escape that TOML does not know; in "
       "'single quotes' a backslash is just a backslash"},
      {R"([session]
greeting = "C:\path")",
       "F:2:12: not TOML: this string does not end, or holds an escape that TOML does not know; in "
       "'single quotes' a backslash is just a backslash",
       "F:2:15: not TOML: this string does not end, or holds an escape that TOML does not know; in "
       "'single quotes' a backslash is just a backslash"},
      {R"([session]
greeting = """hello)",
       "F:2:12: not TOML: this string does not end, or holds an escape that TOML does not know",
       "F:2:20: not TOML: this string does not end, or holds an escape that TOML does not know"},
      {R"([session]
settle = "50ms" "60ms")",
       R"(F:2:17: not TOML: the line should end here; texts, durations and sizes stand in quotation marks, such as "50ms")"},
      {R"([session]
settle = "50ms"
settle = "60ms")",
       "F:3:10: not TOML: this is defined already, in line 2; each key and each [section] can be "
       "defined once",
       "F:3:1: not TOML: this is defined already, in line 2; each key and each [section] can be "
       "defined once"},
      {R"([session]
[session])",
       "F:2:1: not TOML: this is defined already, in line 1; each key and each [section] can be "
       "defined once"},
      {R"([[listen]]
[listen])",
       "F:2:1: not TOML: this is defined already, in line 1; each key and each [section] can be "
       "defined once"},
      {"= 5", "F:1:1: not TOML: a key is missing here"},
      {"[]", "F:1:1: not TOML: this is neither key = value nor a [section]",
       "F:1:2: not TOML: this is neither key = value nor a [section]"},
      {"session.settle", "F:1:15: not TOML: an = is missing here"},
      {"listen = [ { port = 1 }", "F:2:1: not TOML: a comma or ] is missing here",
       "F:1:24: not TOML: a comma or ] is missing here"},
      {"limits = { sessions = 1",
       "F:1:24: not TOML: a } is missing here; {...} has to stand on one line",
       "F:1:24: not TOML: a comma or } is missing here; {...} has to stand on one line"},
      {R"(listen = []
[[listen]]
port = 1)",
       "F:2:1: not TOML: this is defined already, in line 1; each key and each [section] can be "
       "defined once"},
      {R"(listen = []
[listen.x]
port = 1)",
       "F: not TOML: a table cannot be put into an empty array",
       "F:2:1: not TOML: this is defined already, in line 1; each key and each [section] can be "
       "defined once"},
      {"[a]]", "F:1:4: not TOML: the line should end here"},
      {"x = 1979-13-45",
       "F:1:15: not TOML: invalid date: it does not conform RFC3339: month should be 01-12, day "
       "should be 01-28,29,30,31, depending on month/year",
       "F:1:5: not TOML: invalid date: month must be 01-12, day must be any of 01-28,29,30,31 "
       "depending on the month/year"},
      {"x = 0x",
       R"(F:1:5: not TOML: this is not a value; texts, durations and sizes stand in quotation marks, such as "50ms")",
       "F:1:7: not TOML: invalid integer: hex_int must be like: 0xC0FFEE, 0xdead_beef: expected "
       "hex [0-9a-fA-F]"},
      {"x = 1__0", "F:1:6: not TOML: bad integer: `_` should be surrounded by digits: here",
       "F:1:6: not TOML: bad integer: `_` must be surrounded by digits: invalid underscore"},
      {"x = .5", "F:1:5: not TOML: bad float: invalid format: integer part required before this",
       "F:1:5: not TOML: bad float: integer part is required before decimal point: missing integer "
       "part"},
      {R"(x = "\ud800")",
       "F:1:12: not TOML: codepoints in the range [0xD800, 0xDFFF] are not valid UTF-8: not a "
       "valid UTF-8 codepoint",
       "F:1:2: not TOML: [0xD800, 0xDFFF] is not a valid UTF-8: here"},
      {"a = 1\rb = 2",
       R"(F:1:6: not TOML: a control character, \x0d; in a string it is written as an escape)"},
      {"# \177",
       R"(F:1:3: not TOML: a control character, \x7f; in a string it is written as an escape)"},
  });
}

}  // namespace
}  // namespace chatd::test
