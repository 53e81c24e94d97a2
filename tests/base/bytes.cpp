// Values written down and read back; what is said of them as a whole is in core/saved.cpp.
#include "base/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace chatd {
namespace {

constexpr std::size_t kPiece = 256UL * 1024;  // as a ByteWriter gives away

}  // namespace

TEST_CASE("byte writer: what its sink has got is the whole, in order", "[bytes]") {
  ByteWriter whole;
  std::string got;
  ByteWriter parts{[&got](std::string_view bytes) { got += bytes; }};
  for (auto* out : {&whole, &parts}) {
    for (int i = 0; i < 1000; ++i) {
      out->number(i);
      out->text(std::string(static_cast<std::size_t>(i) * 7, 'x'));
    }
    out->text(std::string(kPiece - 1, 'y'));
    out->text(std::string(kPiece, 'z'));
    out->flag(true);
  }
  parts.flush();
  CHECK(got == whole.bytes());
  CHECK(parts.bytes().empty());
}

TEST_CASE("byte writer: nothing of what its sink has got stays in its memory, or is copied there",
          "[bytes]") {
  const std::string secret(48, 's');
  std::vector<const char*> places;
  std::size_t most = 0;
  ByteWriter out{[&](std::string_view bytes) {
    if (bytes.size() >= 2 * kPiece) return;  // the caller's own, which it need not keep
    places.push_back(bytes.data());
    most = std::max(most, bytes.size());
  }};
  for (int i = 0; i < 20'000; ++i) out.text(secret);
  out.text(std::string(kPiece - 1, 's'));
  out.text(std::string(2 * kPiece, 's'));
  out.text(secret);
  out.flush();
  REQUIRE(places.size() >= 4);
  CHECK(most > kPiece);
  // It has never moved, so all that it ever held was here.
  CHECK(std::all_of(places.begin(), places.end(), [&](auto* each) { return each == places[0]; }));
  CHECK(std::all_of(places[0], places[0] + most, [](char c) { return c == '\0'; }));
}

}  // namespace chatd
