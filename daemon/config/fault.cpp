#include "config/fault.hpp"

#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::size_t kShownBytes = 60;

}  // namespace

std::string Fault::to_string() const {
  std::string line = escaped(source);
  if (where.line > 0) {
    line += ':' + std::to_string(where.line) + ':' + std::to_string(where.column);
  }
  if (!key.empty()) line += ": " + key;
  return line + ": " + what;
}

std::string to_string(const Faults& faults) {
  std::string lines;
  for (const Fault& fault : faults) lines += fault.to_string() + '\n';
  return lines;
}

std::string in_quotes(std::string_view text) {
  const std::string_view shown = prefix_of(text, kShownBytes);
  return '"' + escaped(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

}  // namespace chatd
