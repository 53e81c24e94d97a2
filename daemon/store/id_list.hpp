/// A list of numbers as few bytes: each as its difference from the one before, in
/// groups of seven bits. Ten thousand sessions of one broadcast take 10 KiB. Reading
/// stops at the end of the bytes, whatever they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chatd::store {

inline void append_ids(std::string& out, std::span<const std::uint64_t> ids) {
  std::uint64_t last = 0;
  for (const std::uint64_t id : ids) {
    const auto step = static_cast<std::int64_t>(id - last);
    // The sign goes into the lowest bit, so that small steps back are short, too.
    auto bits = (static_cast<std::uint64_t>(step) << 1U) ^ static_cast<std::uint64_t>(step >> 63U);
    for (; bits >= 0x80; bits >>= 7U) out += static_cast<char>(bits | 0x80U);
    out += static_cast<char>(bits);
    last = id;
  }
}

/// Calls `visit(id)` for each until it returns false.
template <class Visit>
void each_id(std::string_view bytes, Visit visit) {
  std::uint64_t last = 0;
  std::uint64_t bits = 0;
  unsigned shift = 0;
  for (const char byte : bytes) {
    bits |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    shift = (shift + 7) & 63U;
    if ((byte & 0x80) != 0) continue;
    last += (bits >> 1U) ^ (0 - (bits & 1U));
    if (!visit(last)) return;
    bits = 0;
    shift = 0;
  }
}

[[nodiscard]] inline bool has_id(std::string_view bytes, std::uint64_t wanted) {
  bool found = false;
  each_id(bytes, [&](std::uint64_t id) {
    found = id == wanted;
    return !found;
  });
  return found;
}

}  // namespace chatd::store
