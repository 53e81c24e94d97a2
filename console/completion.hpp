/// What the word before the cursor may become: commands, operators, session ids, and names,
/// which become the id they stand for. Made from the table of commands. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "console/canned.hpp"
#include "console/roster.hpp"

namespace chatd::console {

struct Candidate {
  std::string insert;  ///< what takes the word's place
  std::string label;   ///< what a list of candidates shows; not escaped

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct Completion {
  /// The cursor stands in text for a client, where there is nothing to complete.
  bool in_text = false;
  std::size_t begin = 0;  ///< of the word, in bytes
  std::vector<Candidate> candidates;

  /// What can take the word's place whichever candidate is meant; empty if nothing can.
  [[nodiscard]] std::string common(std::string_view word) const;
};

/// `before` is the line up to the cursor.
[[nodiscard]] Completion complete(std::string_view before, const Roster& roster,
                                  const Canned& replies = {});

}  // namespace chatd::console
