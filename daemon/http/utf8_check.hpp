/// Whether bytes that come in pieces are well-formed UTF-8, known as soon as it can be: what
/// nothing could make well-formed any more is refused with its last byte. Four bytes; it keeps
/// only the beginning of a character that is not whole.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::http {

class Utf8Check {
 public:
  /// The next bytes. False if all together are ill-formed, whatever may come; then this is good
  /// for nothing.
  [[nodiscard]] bool take(std::string_view bytes);
  /// Whether what has come ends with a whole character.
  [[nodiscard]] bool is_whole() const { return size_ == 0; }

  /// The reader refuses what cannot be.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

  friend bool operator==(const Utf8Check&, const Utf8Check&) = default;

 private:
  [[nodiscard]] bool finish_character(std::string_view& bytes);

  std::array<char, 3> begun_{};  ///< zero behind size_
  std::uint8_t size_ = 0;
};

}  // namespace chatd::http
