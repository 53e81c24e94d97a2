/// Keys on their way from the terminal to the line editor. A bracketed paste is kept back
/// until its end has arrived and then goes through in one piece, because the editor reads it
/// to its end in one go and would wait for it. A character of which only some bytes have
/// come is kept back, too. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/protocol.hpp"

namespace chatd::console {

class PasteGate {
 public:
  /// A paste that is longer has lost its end: it is given up.
  static constexpr std::size_t kMaxPaste = 2 * kMaxControlLine;

  void push(std::string_view bytes);
  /// Whether a key may be taken.
  [[nodiscard]] bool ready() const;
  /// The next byte, or -1 if none may be taken.
  int take();

 private:
  [[nodiscard]] std::size_t available() const;

  std::string bytes_;
  std::size_t next_ = 0;              // of bytes_, to be taken
  std::size_t matched_ = 0;           // how much of the opening mark has been taken
  std::size_t open_ = 0;              // bytes that may be taken because their paste is whole
  mutable std::size_t searched_ = 0;  // how far the closing mark has been looked for
};

}  // namespace chatd::console
