#include "operators/send_request.hpp"

#include <charconv>

#include "base/text.hpp"
#include "base/words.hpp"

namespace chatd {

namespace {

/// Every number of so many digits fits into 64 bits.
constexpr std::size_t kMostDigits = 18;

/// Reads from the front of a line; what it looked for and did not find stays there.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : rest_{line} {}

  /// True, and past it, if `c` stands there after any blanks.
  bool skip(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A string up to its first quote, after any blanks. What is in it is not looked at: to be
  /// compared with words that have neither escapes nor controls.
  std::optional<std::string_view> word() {
    if (!skip('"')) return {};
    const auto end = rest_.find('"');
    if (end == std::string_view::npos) return {};
    const auto word = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return word;
  }

  /// A string that has neither escapes nor controls, after any blanks.
  std::optional<std::string_view> text() {
    const auto text = word();
    return text && is_json_text(*text) ? text : std::nullopt;
  }

  /// A whole number in JSON's form, after any blanks.
  std::optional<std::string_view> number() {
    skip_blanks();
    const auto end = rest_.find_first_not_of("0123456789");
    const auto digits = rest_.substr(0, end);
    const bool leading_zero = digits.size() > 1 && digits.front() == '0';
    if (digits.empty() || digits.size() > kMostDigits || leading_zero) return {};
    rest_.remove_prefix(digits.size());
    return digits;
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

/// Reads the members of an object: `each(name)` reads the value and says whether it
/// could. False if anything is unusual.
template <class Each>
bool read_object(Scanner& scanner, Each each) {
  if (!scanner.skip('{')) return false;
  do {
    const auto name = scanner.word();
    if (!name || !scanner.skip(':') || !each(*name)) return false;
  } while (scanner.skip(','));
  return scanner.skip('}');
}

/// Keeps the value of a member. False if there is none, or the member came before.
template <class Value>
bool keep(std::optional<Value>& member, std::optional<Value> value) {
  if (member || !value) return false;
  member = value;
  return true;
}

}  // namespace

std::optional<SendRequest> read_send_request(std::string_view line) {
  Scanner scanner{line};
  std::optional<std::string_view> version;
  std::optional<std::string_view> id;
  std::optional<std::string_view> method;
  std::optional<std::string_view> session;
  std::optional<std::string_view> group;
  std::optional<std::string_view> text;
  const auto read_param = [&](std::string_view name) {
    if (name == "text") return keep(text, scanner.text());
    if (name != "to" || session || group) return false;
    return keep(session, scanner.number()) || keep(group, scanner.word());
  };
  bool has_params = false;
  const auto read_member = [&](std::string_view name) {
    if (name == "jsonrpc") return keep(version, scanner.word());
    if (name == "id") return keep(id, scanner.number());
    if (name == "method") return keep(method, scanner.word()) && *method == "send";
    if (name != "params" || has_params) return false;
    has_params = true;
    return read_object(scanner, read_param);
  };
  if (!read_object(scanner, read_member) || !scanner.at_end()) return {};
  if (version != "2.0" || !id || !method || !text || !(session || group == "all")) return {};

  SendRequest request{*id, 0, !session, *text};
  if (session) std::from_chars(session->data(), session->data() + session->size(), request.to);
  return request;
}

}  // namespace chatd
