#include "http/path.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/text.hpp"

namespace chatd::http {
namespace {

constexpr int kNoDigit = -1;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return kNoDigit;
}

/// Whether a byte may stand encoded: none that would mean something to whoever splits the path.
bool may_be_encoded(std::uint8_t byte) {
  return byte >= 0x20 && byte != 0x7F && byte != '/' && byte != '\\';
}

/// Appends what `raw` means to `out`; false if it must not mean anything.
bool decode(std::string_view raw, std::string& out) {
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] == '\\' || raw[at] == '#') return false;
    if (raw[at] != '%') {
      out += raw[at];
      continue;
    }
    if (raw.size() - at < 3) return false;
    const int high = hex_digit(raw[at + 1]);
    const int low = hex_digit(raw[at + 2]);
    if (high == kNoDigit || low == kNoDigit) return false;
    const auto byte = static_cast<std::uint8_t>(high * 16 + low);
    if (!may_be_encoded(byte)) return false;
    out += static_cast<char>(byte);
    at += 2;
  }
  return true;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string> decoded_path(std::string_view raw) {
  if (!raw.starts_with('/')) return std::nullopt;
  std::string path;
  path.reserve(raw.size());
  if (!decode(raw, path) || has_dot_segment(path) || !is_utf8(path)) return std::nullopt;
  return path;
}

}  // namespace chatd::http
