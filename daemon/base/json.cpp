#include "base/json.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace chatd {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

void append_json_ids(std::string& out, std::span<const std::uint64_t> ids) {
  // A broadcast lists the ids of all sessions, twice.
  std::array<char, 1024> some;
  char* end = some.data();
  *end++ = '[';
  for (const auto id : ids) {
    if (end > some.data() + some.size() - 24) {
      out.append(some.data(), end);
      end = some.data();
    }
    end = std::to_chars(end, some.data() + some.size(), id).ptr;
    *end++ = ',';
  }
  if (!ids.empty()) --end;
  *end++ = ']';
  out.append(some.data(), end);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json(out, text);
  out += '"';
}

}  // namespace chatd
