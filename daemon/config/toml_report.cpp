#include "config/toml_report.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::string_view kQuotes =
    "; texts, durations and sizes stand in quotation marks, such as \"50ms\"";

/// Our words for what people do wrong most often, and the sign of it in the report. The
/// first sign that is found counts.
struct Wording {
  std::string_view sign;
  std::string_view what;
  std::string_view more = {};
};

constexpr std::array kWordings{
    Wording{"not a valid string",
            "this string does not end, or holds an escape that TOML does not know",
            "; in 'single quotes' a backslash is just a backslash"},
    Wording{"not a valid multiline string",
            "this string does not end, or holds an escape that TOML does not know"},
    Wording{"newline required after", "the line should end here"},
    Wording{"expected newline", "the line should end here", kQuotes},
    Wording{"the next token is not", "this is not a value", kQuotes},
    Wording{"unknown token", "this is not a value", kQuotes},
    Wording{"expected value, but got nothing", "a value is missing here"},
    Wording{"missing key-value separator", "an = is missing here"},
    Wording{"invalid format for key", "an = is missing here"},
    Wording{"empty key is not allowed", "a key is missing here"},
    Wording{"an invalid key appeared", "this is neither key = value nor a [section]"},
    Wording{"missing array separator", "a comma or ] is missing here"},
    Wording{"did not closed by `]`", "this array does not end"},
    Wording{"missing table separator", "a comma or } is missing here"},
    Wording{"missing curly brace", "a } is missing here; {...} has to stand on one line"},
    Wording{"trailing comma", "a comma before } is not allowed"},
    // Version 4.
    Wording{"invalid table key", "this is neither key = value nor a [section]"},
    Wording{"invalid array-table key", "this is neither key = value nor a [section]"},
    Wording{"invalid key value separator", "an = is missing here"},
    Wording{"invalid key", "a key is missing here"},
    Wording{"newline (LF / CRLF) or EOF is expected", "the line should end here", kQuotes},
    Wording{"newline (or EOF) expected", "the line should end here"},
    Wording{"invalid boolean", "this is not a value", kQuotes},
    Wording{"expected \"\"\"",
            "this string does not end, or holds an escape that TOML does not know"},
    Wording{"expected '''", "this string does not end, or holds an escape that TOML does not know"},
    Wording{"invalid string format",
            "this string does not end, or holds an escape that TOML does not know",
            "; in 'single quotes' a backslash is just a backslash"},
    Wording{"missing closing bracket", "a comma or ] is missing here"},
    Wording{"closing `]`", "a comma or ] is missing here"},
    Wording{"closing `}`", "a comma or } is missing here; {...} has to stand on one line"},
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<std::string_view> rows_of(std::string_view text) {
  std::vector<std::string_view> rows;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    rows.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows;
}

std::string_view without(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// Without blanks before it, and without blanks and full stops behind it.
std::string_view without_dots(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('.')) text.remove_suffix(1);
  return text;
}

/// One place of the drawing: " 12 | the line" above "    |    ^--- comment".
struct Caret {
  std::size_t line;
  std::size_t byte;
  std::string_view comment;
};

std::vector<Caret> carets_of(const std::vector<std::string_view>& rows) {
  std::vector<Caret> carets;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::size_t bar = rows[i].find_first_not_of(' ');
    if (bar == std::string_view::npos || rows[i][bar] != '|') continue;
    const std::size_t mark = rows[i].find_first_not_of(' ', bar + 1);
    if (mark == std::string_view::npos || (rows[i][mark] != '^' && rows[i][mark] != '~')) continue;
    std::size_t line = 0;
    for (const char c : rows[i - 1].substr(0, bar)) {
      if (c >= '0' && c <= '9') line = line * 10 + static_cast<std::size_t>(c - '0');
    }
    const std::size_t comment = std::min(rows[i].find(' ', mark), rows[i].size());
    carets.push_back({line, mark - bar - 1, without_dots(rows[i].substr(comment))});
  }
  return carets;
}

}  // namespace

TomlReport worded(const TomlComplaint& complaint) {
  TomlReport read{complaint.line, complaint.byte, {}};
  // "toml::parse_table: invalid line format": that part is for its authors.
  std::string_view message = complaint.message;
  if (message.starts_with("toml::")) {
    message.remove_prefix(std::min(message.find(':', 6), message.size() - 1) + 1);
  }
  message = without_dots(message);
  const std::string_view comment = complaint.comment;

  for (const std::string_view sign :
       {"already exists", "already defined", "collides", "cannot be defined"}) {
    if (!contains(message, sign)) continue;
    read.what = "this is defined already";
    if (complaint.other_line > 0) {
      read.what += ", in line " + std::to_string(complaint.other_line);
    }
    read.what += "; each key and each [section] can be defined once";
    return read;
  }
  if (contains(message, "unknown value")) {
    read.what = complaint.at_line_end ? "a value is missing here" : "this is not a value";
    if (!complaint.at_line_end) read.what += kQuotes;
    return read;
  }
  for (const Wording& wording : kWordings) {
    if (!contains(message, wording.sign) && !contains(comment, wording.sign)) continue;
    read.what = wording.what;
    read.what += wording.more;
    return read;
  }
  for (const std::string_view part : {message, without_dots(comment)}) {
    if (part.empty()) continue;
    if (!read.what.empty()) read.what += ": ";
    append_escaped(read.what, part);
  }
  return read;
}

TomlReport read_report(std::string_view report) {
  const auto rows = rows_of(report);
  const auto carets = carets_of(rows);
  TomlComplaint complaint;
  complaint.message = without(rows.empty() ? report : rows[0], "[error] ");
  if (!carets.empty()) {
    complaint.comment = carets.back().comment;
    complaint.line = carets.back().line;
    complaint.byte = carets.back().byte;
    if (carets.size() > 1) complaint.other_line = carets.front().line;
  }
  return worded(complaint);
}

}  // namespace chatd
