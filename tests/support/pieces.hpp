/// Bytes in pieces, as the network may bring them: for tests of whatever reads them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "support/catch.hpp"

namespace chatd::test {

/// A NUL in a literal is a byte like others.
template <std::size_t kSize>
constexpr std::string_view bytes_of(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

/// What comes of bytes of which `first` are read at once, and then `step` at a time.
using ReadInPieces =
    std::function<std::string(std::string_view bytes, std::size_t first, std::size_t step)>;

/// Reads the bytes at once, byte by byte and in two pieces cut at every place, and requires that
/// it makes no difference. Returns what came of them.
inline std::string read_in_every_way(std::string_view bytes, const ReadInPieces& read) {
  auto whole = read(bytes, bytes.size(), bytes.size());
  INFO(escaped(bytes.substr(0, 400)) << " gives " << escaped(whole.substr(0, 400)));
  REQUIRE(read(bytes, 1, 1) == whole);
  std::size_t same = 1;
  for (std::size_t first = 1; first < bytes.size(); ++first) {
    if (read(bytes, first, bytes.size()) == whole) ++same;
  }
  REQUIRE(same == (bytes.empty() ? 1 : bytes.size()));
  return whole;
}

}  // namespace chatd::test
