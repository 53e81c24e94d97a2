#include "config/toml_document.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <map>
#include <sstream>
#include <stdexcept>
#include <toml.hpp>

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "config/text_lines.hpp"
#include "config/toml_guard.hpp"
#include "config/toml_report.hpp"

namespace chatd {

namespace {

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

  [[nodiscard]] Node convert(const TomlValue& value, std::string name) const {
    Node node;
    node.name = std::move(name);
    locate(value, node);
    switch (value.type()) {
      case toml::value_t::boolean:
        node.type = Node::Type::kBoolean;
        node.boolean = value.as_boolean();
        break;
      case toml::value_t::integer:
        node.type = Node::Type::kInteger;
        node.integer = value.as_integer();
        break;
      case toml::value_t::floating:
        node.type = Node::Type::kFloat;
        node.number = value.as_floating();
        break;
      case toml::value_t::string:
        node.type = Node::Type::kString;
        // An escape can name what is no character (\uD800).
        append_repaired(node.text, value.as_string().str);
        break;
      case toml::value_t::array:
        node.type = Node::Type::kArray;
        for (const TomlValue& element : value.as_array()) {
          node.items.push_back(convert(element, {}));
        }
        break;
      case toml::value_t::table:
        node.type = Node::Type::kTable;
        for (const auto& [key, member] : value.as_table()) {
          node.items.push_back(convert(member, key));
        }
        std::stable_sort(node.items.begin(), node.items.end(),
                         [](const Node& a, const Node& b) { return a.key < b.key; });
        break;
      default:
        node.type = Node::Type::kTime;
        break;
    }
    return node;
  }

 private:
  void locate(const TomlValue& value, Node& node) const {
    const auto* region = dynamic_cast<const toml::detail::region*>(toml::detail::get_region(value));
    if (region == nullptr) return;
    // Not value.location(): that counts the lines of the whole file each time.
    const auto begin = static_cast<std::size_t>(region->first() - region->begin());
    const auto size = std::min(region->size(), text_.size() - std::min(begin, text_.size()));
    node.value = lines_.at(begin);
    // The place of a [table], and of one that a dotted key implies, is its key.
    const bool is_key =
        value.is_table() ? text_.substr(begin, 1) != "{" : text_.substr(begin, 2) == "[[";
    node.key = is_key ? node.value : lines_.at(key_before(text_, begin));
    if (!value.is_table() && !value.is_array()) node.literal = text_.substr(begin, size);
  }

  std::string_view text_;
  const TextLines& lines_;
};

Result<std::string, Fault> read_file(const std::string& path) {
  const auto fail = [&](std::string what) { return Fault{path, {}, {}, std::move(what)}; };
  const auto fail_errno = [&] {
    return fail("cannot be read: " + std::string{std::strerror(errno)});
  };
  // Non-blocking: neither a pipe without a writer nor a terminal may hold us up.
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file) return fail_errno();
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno();
  if (S_ISDIR(status.st_mode)) return fail("is a folder; a file is wanted");
  // What is left are files and devices, among them /dev/null.
  if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
    return fail("is a pipe; a reload could not read it again, so a file is wanted");
  }
  std::string text;
  std::array<char, 16 * 1024> block{};
  while (text.size() <= kMaxDocumentBytes) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno();
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  return fail("is larger than 1 MiB; that is no configuration of chatd");
}

}  // namespace

const Node* Node::find(std::string_view member) const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const Node& item) { return item.name == member; });
  return type == Type::kTable && found != items.end() ? &*found : nullptr;
}

std::string_view Node::type_name() const {
  switch (type) {
    case Type::kBoolean:
      return "a boolean";
    case Type::kInteger:
      return "an integer";
    case Type::kFloat:
      return "a number with a fraction";
    case Type::kString:
      return "a string";
    case Type::kTime:
      return "a date or time";
    case Type::kArray:
      return "an array";
    case Type::kTable:
      return "a table";
  }
  return "";
}

Result<Node, Fault> parse_document(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // toml11 would append it, and our offsets are into what it has seen.
  std::string copy{text};
  if (!copy.empty() && copy.back() != '\n') copy += '\n';
  text = copy;

  const TextLines lines{text};
  const auto fail = [&](Position where, const std::string& what) {
    return Fault{source, where, {}, "not TOML: " + what};
  };
  if (const auto danger = find_danger(text, {kMaxDocumentDepth, kMaxDocumentLine})) {
    return fail(lines.at(danger->offset), danger->what);
  }
  try {
    std::istringstream stream{copy};
    const auto root =
        toml::parse<toml::discard_comments, std::map, CheckedArray>(stream, "configuration");
    return Converter{text, lines}.convert(root, {});
  } catch (const std::exception& error) {
    const TomlReport report = read_report(error.what());
    return fail(report.line == 0 ? Position{} : lines.at(lines.offset(report.line, report.byte)),
                report.what);
  }
}

Result<Node, Fault> read_document(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text.error();
  return parse_document(*text, path);
}

}  // namespace chatd
