/// The texts of the load generator: 63 bytes with the kind of the message, its author and
/// its number, so that the receiver notices a lost, repeated, misplaced or damaged one.
/// Knows no connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace chatd::bench {

inline constexpr std::size_t kTextBytes = 63;

enum class Kind : char { kHello = 'h', kQuestion = 'q', kAnswer = 'a', kBroadcast = 'b' };

struct Said {
  Kind kind;
  std::uint32_t who;
  std::uint32_t number;
};

/// `q 00000012 00000345 and as many words ...`
class Text {
 public:
  explicit Text(Said said) {
    std::memcpy(bytes_.data(), "? 00000000 00000000 and as many words as a person usually says",
                62);
    bytes_[62] = '.';
    bytes_[0] = static_cast<char>(said.kind);
    put(2, said.who);
    put(11, said.number);
  }

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  /// What `text` says; nothing if it is not one of these.
  static std::optional<Said> read(std::string_view text) {
    if (text.size() != kTextBytes) return {};
    const Said said{static_cast<Kind>(text[0]), number(text, 2), number(text, 11)};
    if (Text{said}.view() != text) return {};
    return said;
  }

 private:
  static constexpr std::size_t kDigits = 8;

  void put(std::size_t at, std::uint32_t value) {
    for (std::size_t i = kDigits; i > 0; value /= 10) {
      bytes_[at + --i] = static_cast<char>('0' + value % 10);
    }
  }
  static std::uint32_t number(std::string_view text, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < kDigits; ++i) {
      value = value * 10 + static_cast<std::uint32_t>(text[at + i] - '0');
    }
    return value;
  }

  std::array<char, kTextBytes> bytes_;
};

}  // namespace chatd::bench
