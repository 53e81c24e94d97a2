#include "config/toml_document.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/unique_fd.hpp"
#include "config/text_lines.hpp"
#include "config/toml11.hpp"
#include "config/toml_guard.hpp"

namespace chatd {

Result<std::string, Fault> read_toml_text(const std::string& path) {
  const auto fail = [&](std::string what) { return Fault{path, {}, {}, std::move(what)}; };
  const auto fail_errno = [&] {
    return fail("cannot be read: " + std::string{std::strerror(errno)});
  };
  // Non-blocking: neither a pipe without a writer nor a terminal may hold us up.
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file) return fail_errno();
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno();
  if (S_ISDIR(status.st_mode)) return fail("is a folder, not a file");
  // What is left are files and devices, among them /dev/null.
  if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
    return fail("is a pipe, which a reload could not read again; a file would be right");
  }
  std::string text;
  std::array<char, 16 * 1024> block{};
  while (text.size() <= kMaxTomlBytes) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno();
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  return fail("is larger than 1 MiB, the limit for a configuration");
}

const TomlNode* TomlNode::find(std::string_view member) const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const TomlNode& item) { return item.name == member; });
  return type == Type::kTable && found != items.end() ? &*found : nullptr;
}

std::string_view TomlNode::type_name() const {
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

Result<TomlNode, Fault> parse_toml(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  // toml11 would append it, and our offsets are into what it has seen.
  std::string copy{text};
  if (!copy.empty() && copy.back() != '\n') copy += '\n';
  text = copy;

  const TextLines lines{text};
  const auto fail = [&](Position where, const std::string& what) {
    return Fault{source, where, {}, "not TOML: " + what};
  };
  if (const auto danger = find_danger(text, {kMaxTomlDepth, kMaxTomlLine})) {
    return fail(lines.at(danger->offset), danger->what);
  }
  auto root = parse_with_toml11(copy, lines);
  if (root) return std::move(*root);
  const TomlReport& report = root.error();
  return fail(report.line == 0 ? Position{} : lines.at(lines.offset(report.line, report.byte)),
              report.what);
}

}  // namespace chatd
