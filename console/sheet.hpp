/// Two columns of help: how a thing is typed, and what it does. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatd::console {

class Sheet {
 public:
  /// Both are ASCII.
  void add(std::string usage, std::string help);

  /// No line is wider than `width` columns (0: no limit), provided that each word has room; where
  /// there is none for two columns, what a thing does stands below it.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
  std::size_t widest_ = 0;
};

}  // namespace chatd::console
