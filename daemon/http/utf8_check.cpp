#include "http/utf8_check.hpp"

#include <algorithm>
#include <cassert>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace chatd::http {

bool Utf8Check::take(std::string_view bytes) {
  if (!finish_character(bytes)) return false;
  if (bytes.empty()) return true;
  const auto open = incomplete_tail(bytes);
  if (!is_utf8(bytes.substr(0, bytes.size() - open))) return false;
  std::copy(bytes.end() - static_cast<std::ptrdiff_t>(open), bytes.end(), begun_.begin());
  size_ = static_cast<std::uint8_t>(open);
  return true;
}

/// Takes the rest of the character that has begun off the front of `bytes`.
bool Utf8Check::finish_character(std::string_view& bytes) {
  std::array<char, 4> character{};
  std::copy(begun_.begin(), begun_.end(), character.begin());
  while (size_ > 0 && !bytes.empty()) {
    assert(size_ < character.size());
    character[size_] = bytes.front();
    bytes.remove_prefix(1);
    const std::string_view so_far{character.data(), size_ + std::size_t{1}};
    if (is_utf8(so_far)) {
      *this = {};
    } else if (incomplete_tail(so_far) == so_far.size()) {
      begun_[size_++] = so_far.back();
    } else {
      return false;
    }
  }
  return true;
}

void Utf8Check::save(ByteWriter& out) const {
  out.text({begun_.data(), size_});
}

void Utf8Check::restore(ByteReader& in) {
  const auto begun = in.text();
  in.require(begun.size() <= begun_.size() && incomplete_tail(begun) == begun.size());
  if (in.ok()) (void)take(begun);
}

}  // namespace chatd::http
