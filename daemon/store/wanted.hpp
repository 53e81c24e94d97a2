/// What a search wants: words that all have to be in a message. Knows no database.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace chatd::store {

class Wanted {
 public:
  /// Of a search. More would take long, and nobody types more.
  static constexpr std::size_t kMaxBytes = 1024;
  static constexpr std::size_t kMaxWords = 64;

  /// The words of `text`, which stand between blanks; a last `*` of one stands for any ending.
  /// Where such a word is several to the index (`l'été`, `快乐`), they have to stand side by
  /// side. Errors: more than kMaxBytes or kMaxWords.
  [[nodiscard]] static Result<Wanted> parse(std::string_view text);

  /// There is no word in it.
  [[nodiscard]] bool empty() const { return phrases_.empty(); }
  /// As a query of FTS5 for the table of words. Nothing in it has a meaning of its own.
  [[nodiscard]] std::string expression() const;
  /// Whether `text` has all of it: what the query finds where it is indexed, and nothing else.
  [[nodiscard]] bool is_in(std::string_view text) const;

 private:
  struct Phrase {
    std::string words;  ///< as append_words() makes them, with a blank before each
    bool any_ending = false;
  };

  std::vector<Phrase> phrases_;
};

}  // namespace chatd::store
