#include "config/toml11.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <toml.hpp>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace chatd {

namespace {

/// Where a value stands in the text, in bytes.
struct Extent {
  std::size_t begin;
  std::size_t size;
};

#if TOML11_VERSION_MAJOR < 4

/// toml11 asks for the last element of arrays that may be empty (`a = []`, then
/// `[a.b]`): here that is an exception like its other errors, not a wild read.
template <class... Args>
class CheckedArray : public std::vector<Args...> {
 public:
  using std::vector<Args...>::vector;
  using typename std::vector<Args...>::reference;

  reference back() {
    if (this->empty()) throw std::runtime_error{"a table cannot be put into an empty array"};
    return std::vector<Args...>::back();
  }
};

using TomlValue = toml::basic_value<toml::discard_comments, std::map, CheckedArray>;

const std::string& text_of(const TomlValue& string) {
  return string.as_string().str;
}

std::optional<Extent> extent_of(const TomlValue& value, const TextLines&) {
  const auto* region = dynamic_cast<const toml::detail::region*>(toml::detail::get_region(value));
  if (region == nullptr) return {};
  // Not value.location(): that counts the lines of the whole file each time.
  return Extent{static_cast<std::size_t>(region->first() - region->begin()), region->size()};
}

Result<TomlValue, TomlReport> parse(const std::string& text) {
  try {
    std::istringstream stream{text};
    return toml::parse<toml::discard_comments, std::map, CheckedArray>(stream, "configuration");
  } catch (const std::exception& error) {
    return read_report(error.what());
  }
}

#else

struct TypeConfig : toml::type_config {
  using comment_type = toml::discard_comments;
  template <class Key, class Value>
  using table_type = std::map<Key, Value>;

  /// A number that is too large is out of range and not a fault of syntax: it is read as the
  /// largest, as by version 3.
  static toml::result<integer_type, toml::error_info> parse_int(const std::string& digits,
                                                                toml::source_location place,
                                                                std::uint8_t base) {
    auto number = toml::type_config::parse_int(digits, std::move(place), base);
    if (number.is_ok()) return number;
    return toml::ok(digits.starts_with('-') ? std::numeric_limits<integer_type>::min()
                                            : std::numeric_limits<integer_type>::max());
  }
};

using TomlValue = toml::basic_value<TypeConfig>;

const std::string& text_of(const TomlValue& string) {
  return string.as_string();
}

std::optional<Extent> extent_of(const TomlValue& value, const TextLines& lines) {
  const auto location = value.location();
  if (!location.is_ok()) return {};
  return Extent{lines.offset(location.first_line_number(), location.first_column_number()),
                location.length()};
}

/// The first fault counts: the others may be its consequences.
TomlReport report_of(const std::vector<toml::error_info>& errors, const std::string& text) {
  const toml::error_info& error = errors.front();
  TomlComplaint complaint;
  complaint.message = error.title();
  if (!error.locations().empty()) {
    const auto& [location, comment] = error.locations().front();
    complaint.comment = comment;
    complaint.line = location.first_line_number();
    complaint.byte = location.first_column_number();
    const auto offset = TextLines{text}.offset(complaint.line, complaint.byte);
    complaint.at_line_end = offset >= text.size() || text[offset] == '\n' || text[offset] == '\r';
    if (error.locations().size() > 1) {
      complaint.other_line = error.locations().back().first.first_line_number();
    }
  }
  return worded(complaint);
}

Result<TomlValue, TomlReport> parse(const std::string& text) {
  try {
    std::istringstream stream{text};
    auto parsed = toml::try_parse<TypeConfig>(stream, "configuration");
    if (parsed.is_ok()) return std::move(parsed.unwrap());
    return report_of(parsed.unwrap_err(), text);
  } catch (const std::exception& error) {
    return worded({.message = error.what()});
  }
}

#endif

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// The beginning of the key whose value begins at `value`, found by walking back
/// over `key = `, because toml11 remembers places of values alone.
std::size_t key_before(std::string_view text, std::size_t value) {
  std::size_t i = value;
  const auto skip_blanks = [&] {
    while (i > 0 && (text[i - 1] == ' ' || text[i - 1] == '\t')) --i;
  };
  skip_blanks();
  if (i == 0 || text[i - 1] != '=') return value;
  --i;
  skip_blanks();
  if (i > 0 && (text[i - 1] == '"' || text[i - 1] == '\'')) {
    const char mark = text[--i];
    while (i > 0 && text[i - 1] != '\n') {
      --i;
      if (text[i] == mark && (mark == '\'' || i == 0 || text[i - 1] != '\\')) break;
    }
    return i;
  }
  while (i > 0 && is_bare(text[i - 1])) --i;
  return i;
}

class Converter {
 public:
  Converter(std::string_view text, const TextLines& lines) : text_{text}, lines_{lines} {}

  [[nodiscard]] TomlNode convert(const TomlValue& value, std::string name) const {
    TomlNode node;
    node.name = std::move(name);
    locate(value, node);
    switch (value.type()) {
      case toml::value_t::boolean:
        node.type = TomlNode::Type::kBoolean;
        node.boolean = value.as_boolean();
        break;
      case toml::value_t::integer:
        node.type = TomlNode::Type::kInteger;
        node.integer = value.as_integer();
        break;
      case toml::value_t::floating:
        node.type = TomlNode::Type::kFloat;
        node.number = value.as_floating();
        break;
      case toml::value_t::string:
        node.type = TomlNode::Type::kString;
        // An escape can name half a surrogate (\uD800), which is not a character.
        append_repaired(node.text, text_of(value));
        break;
      case toml::value_t::array:
        node.type = TomlNode::Type::kArray;
        for (const TomlValue& element : value.as_array()) {
          node.items.push_back(convert(element, {}));
        }
        break;
      case toml::value_t::table:
        node.type = TomlNode::Type::kTable;
        for (const auto& [key, member] : value.as_table()) {
          node.items.push_back(convert(member, key));
        }
        std::stable_sort(node.items.begin(), node.items.end(),
                         [](const TomlNode& a, const TomlNode& b) { return a.key < b.key; });
        break;
      default:
        node.type = TomlNode::Type::kTime;
        break;
    }
    return node;
  }

 private:
  void locate(const TomlValue& value, TomlNode& node) const {
    const auto extent = extent_of(value, lines_);
    if (!extent) return;
    const auto begin = std::min(extent->begin, text_.size());
    node.value = lines_.at(begin);
    // The place of a [table], and of one that a dotted key implies, is its key.
    const bool is_key =
        value.is_table() ? text_.substr(begin, 1) != "{" : text_.substr(begin, 2) == "[[";
    node.key = is_key ? node.value : lines_.at(key_before(text_, begin));
    if (!value.is_table() && !value.is_array()) node.literal = text_.substr(begin, extent->size);
  }

  std::string_view text_;
  const TextLines& lines_;
};

}  // namespace

Result<TomlNode, TomlReport> parse_with_toml11(const std::string& text, const TextLines& lines) {
  assert(text.empty() || text.back() == '\n');
  auto root = parse(text);
  if (!root) return std::move(root.error());
  return Converter{text, lines}.convert(*root, {});
}

}  // namespace chatd
