#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include "base/characters.hpp"
#include "base/line_ends.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "config/fault.hpp"
#include "config/units.hpp"

namespace chatd {

namespace {

using enum KeyRule::Kind;

std::string format_number(const KeyRule& rule, double number) {
  switch (rule.kind) {
    case kDuration:
      return format_duration(Duration{static_cast<Duration::rep>(number)});
    case kSize:
      return format_size(static_cast<std::size_t>(number));
    default: {
      // The shortest form that reads as the same number; never with an exponent,
      // because "1e+06" is no number for most people.
      std::array<char, 64> digits{};
      const auto end =
          std::to_chars(digits.begin(), digits.end(), number, std::chars_format::fixed);
      return {digits.begin(), end.ptr};
    }
  }
}

/// The kind of value that would be right.
std::string wanted(const KeyRule& rule) {
  switch (rule.kind) {
    case kSwitch:
      return "true or false";
    case kCount:
      return "a whole number";
    case kRate:
      return "a number";
    case kDuration:
      return "a duration such as \"50ms\"";
    case kSize:
      return "a size such as \"8KiB\"";
    case kChoice:
      return listed(rule.words);
    case kText:
      return "a string in quotation marks";
    case kWords:
      return "a list such as " + std::string{rule.example};
  }
  return {};
}

Error out_of_range(const KeyRule& rule, const std::string& shown) {
  std::string what = shown + " is out of range; ";
  if (rule.or_zero) what += format_number(rule, 0) + ", or ";
  what +=
      format_number(rule, rule.min) + " to " + format_number(rule, rule.max) + " would be right";
  if (!rule.reason.empty()) what += ": " + std::string{rule.reason};
  return {what};
}

/// NaN is in no range.
bool in_range(const KeyRule& rule, double number) {
  return (rule.or_zero && number == 0) || (number >= rule.min && number <= rule.max);
}

Result<ConfigValue, Error> bounded(const KeyRule& rule, std::int64_t number,
                                   const std::string& shown) {
  if (!in_range(rule, static_cast<double>(number))) return out_of_range(rule, shown);
  return ConfigValue{number};
}

/// A duration or a size.
Result<ConfigValue, Error> read_measure(const KeyRule& rule, std::string_view text) {
  if (rule.kind == kDuration) {
    auto duration = parse_duration(text);
    if (!duration) return duration.error();
    return bounded(rule, duration->count(), in_quotes(text));
  }
  auto size = parse_size(text);
  if (!size) return size.error();
  return bounded(rule, static_cast<std::int64_t>(*size), in_quotes(text));
}

Result<ConfigValue, Error> read_choice(const KeyRule& rule, std::string_view text) {
  const auto word = std::find(rule.words.begin(), rule.words.end(), text);
  if (word == rule.words.end()) {
    return Error{in_quotes(text) + " is not known; " + wanted(rule) + " would be right"};
  }
  return ConfigValue{static_cast<std::int64_t>(word - rule.words.begin())};
}

Result<ConfigValue, Error> read_text(const KeyRule& rule, std::string_view written) {
  const std::string text = with_lf(written);  // the file may be one of Windows
  if (rule.check != nullptr) {
    if (std::string what = rule.check(text); !what.empty()) return Error{std::move(what)};
  }
  return ConfigValue{text};
}

Result<ConfigValue, Error> checked_words(const KeyRule& rule, std::vector<std::string> words) {
  if (static_cast<double>(words.size()) > rule.max) {
    return Error{"this list has " + std::to_string(words.size()) + " words; at most " +
                 format_number(rule, rule.max) + " would be right"};
  }
  if (rule.check != nullptr) {
    for (const std::string& word : words) {
      if (std::string what = rule.check(word); !what.empty()) return Error{std::move(what)};
    }
  }
  return ConfigValue{std::move(words)};
}

Error wrong_type(const KeyRule& rule, const TomlNode& node);

Result<ConfigValue, Error> read_words(const KeyRule& rule, const TomlNode& list) {
  std::vector<std::string> words;
  for (const TomlNode& item : list.items) {
    if (item.type != TomlNode::Type::kString) return wrong_type(rule, item);
    words.push_back(item.text);
  }
  return checked_words(rule, std::move(words));
}

/// The words of a variable, between commas.
Result<ConfigValue, Error> read_words(const KeyRule& rule, std::string_view text) {
  std::vector<std::string> words;
  while (!trimmed(text).empty()) {
    const auto comma = std::min(text.find(','), text.size());
    words.emplace_back(trimmed(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return checked_words(rule, std::move(words));
}

/// A number as written in the file, which may be long.
std::string literal(const TomlNode& node) {
  const std::string_view shown = prefix_of(node.literal, 40);
  return escaped(shown) + (shown.size() < node.literal.size() ? "..." : "");
}

Error wrong_type(const KeyRule& rule, const TomlNode& node) {
  std::string shown;
  if (node.type == TomlNode::Type::kString) {
    shown = in_quotes(node.text) + " is a string";
  } else if (node.type == TomlNode::Type::kArray || node.type == TomlNode::Type::kTable) {
    shown = "this is " + std::string{node.type_name()};
  } else {
    shown = literal(node) + " is " + std::string{node.type_name()};
  }
  return {shown + "; " + wanted(rule) + " would be right"};
}

/// All of `text` as a number of type T.
template <class T>
bool parse_all(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return end == text.data() + text.size() && error == std::errc{};
}

}  // namespace

Result<ConfigValue, Error> read_value(const KeyRule& rule, const TomlNode& node) {
  const bool is_number =
      node.type == TomlNode::Type::kInteger || node.type == TomlNode::Type::kFloat;
  switch (rule.kind) {
    case kSwitch:
      if (node.type == TomlNode::Type::kBoolean) return ConfigValue{node.boolean};
      break;
    case kCount:
      // An integer that is too large was read as the largest: that is out of range as well,
      // and the message shows it as it is written.
      if (node.type == TomlNode::Type::kInteger) return bounded(rule, node.integer, literal(node));
      break;
    case kRate: {
      if (!is_number) break;
      const double number =
          node.type == TomlNode::Type::kFloat ? node.number : static_cast<double>(node.integer);
      if (!in_range(rule, number)) return out_of_range(rule, literal(node));
      return ConfigValue{number};
    }
    case kDuration:
    case kSize:
      if (node.type == TomlNode::Type::kString) return read_measure(rule, node.text);
      if (is_number) {
        return Error{literal(node) + " has no unit; " + wanted(rule) + " would be right"};
      }
      break;
    case kChoice:
      if (node.type == TomlNode::Type::kString) return read_choice(rule, node.text);
      break;
    case kText:
      if (node.type == TomlNode::Type::kString) return read_text(rule, node.text);
      break;
    case kWords:
      if (node.type == TomlNode::Type::kArray) return read_words(rule, node);
      break;
  }
  return wrong_type(rule, node);
}

Result<ConfigValue, Error> read_value(const KeyRule& rule, std::string_view text) {
  if (!is_utf8(text)) return Error{in_quotes(text) + " is not UTF-8"};
  switch (rule.kind) {
    case kSwitch:
      if (text == "true" || text == "false") return ConfigValue{text == "true"};
      break;
    case kCount:
      if (std::int64_t number = 0; parse_all(text, number)) {
        return bounded(rule, number, in_quotes(text));
      }
      break;
    case kRate:
      if (double number = 0; parse_all(text, number)) {
        if (!in_range(rule, number)) return out_of_range(rule, in_quotes(text));
        return ConfigValue{number};
      }
      break;
    case kDuration:
    case kSize:
      return read_measure(rule, text);
    case kChoice:
      return read_choice(rule, text);
    case kText:
      return read_text(rule, text);
    case kWords:
      return read_words(rule, text);
  }
  return Error{in_quotes(text) + " is not valid; " + wanted(rule) + " would be right"};
}

std::string to_toml(const KeyRule& rule, const ConfigValue& value) {
  switch (rule.kind) {
    case kSwitch:
      return std::get<bool>(value) ? "true" : "false";
    case kCount:
      return std::to_string(std::get<std::int64_t>(value));
    case kRate:
      return format_number(rule, std::get<double>(value));
    case kDuration:
    case kSize:
      return to_toml(format_number(rule, static_cast<double>(std::get<std::int64_t>(value))));
    case kChoice: {
      const auto word = static_cast<std::size_t>(std::get<std::int64_t>(value));
      assert(word < rule.words.size());
      return to_toml(rule.words[word]);
    }
    case kText:
      return to_toml(std::get<std::string>(value));
    case kWords: {
      std::string list = "[";
      for (const std::string& word : std::get<std::vector<std::string>>(value)) {
        if (list.size() > 1) list += ", ";
        list += to_toml(word);
      }
      return list + ']';
    }
  }
  return {};
}

std::string to_toml(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    // The text is well-formed: the lead byte tells how long the character is.
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_deceptive(c)) {
      out += "\\U";
      for (unsigned shift = 32; shift > 0; shift -= 4) out += kHex[(c >> (shift - 4)) & 0xFU];
    } else {
      out += text.substr(i, size);
    }
    i += size;
  }
  return out + '"';
}

}  // namespace chatd
