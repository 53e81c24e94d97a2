/// Places in any text, looked up by their offset in bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "config/fault.hpp"

namespace chatd {

/// The lines of one text, which must outlive it.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : text_{text} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') begins_.push_back(i + 1);
    }
  }

  [[nodiscard]] Position at(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    const auto next = std::upper_bound(begins_.begin(), begins_.end(), offset);
    const std::size_t begin = *std::prev(next);
    // Every byte of UTF-8 but a continuation begins a character.
    const auto characters =
        std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                      text_.begin() + static_cast<std::ptrdiff_t>(offset),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    return {static_cast<int>(next - begins_.begin()), static_cast<int>(characters) + 1};
  }
  /// The offset of a place given in lines and bytes, both from 1.
  [[nodiscard]] std::size_t offset(std::size_t line, std::size_t byte) const {
    line = std::clamp<std::size_t>(line, 1, begins_.size());
    return std::min(begins_[line - 1] + byte - 1, text_.size());
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_{0};
};

}  // namespace chatd
