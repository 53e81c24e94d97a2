/// The known word that somebody most likely meant: for unknown keys, options and
/// commands. Knows nothing of what the words mean. Invariant: what is returned is
/// one of `known`, or empty.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace chatd {

/// How many single-character slips (one left out, one too many, one wrong, two
/// swapped) lead from `a` to `b`; letter case does not count. Damerau-Levenshtein
/// in its restricted form: no part is changed twice.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char left, char right) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(left) == lower(right);
  };
  // Three rows of the table suffice: a swap looks two rows back.
  std::array<std::vector<std::size_t>, 3> rows;
  for (auto& row : rows) row.resize(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t wrong = same(a[i - 1], b[j - 1]) ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + wrong});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

/// The only one of `known` for which `is_meant` holds; empty if there are several.
template <class Predicate>
[[nodiscard]] std::string_view only_one(std::span<const std::string_view> known,
                                        Predicate is_meant) {
  std::string_view found;
  for (const std::string_view candidate : known) {
    if (!is_meant(candidate)) continue;
    if (!found.empty()) return {};
    found = candidate;
  }
  return found;
}

/// The nearest of `known`: the only one that `word` abbreviates, by three characters
/// or more; else the one with the fewest slips, at most one for every three of its own
/// characters (but one at least), the first among equals; else the only one that `word`
/// begins with.
/// Empty if nothing is near: a far-fetched guess helps nobody.
[[nodiscard]] inline std::string_view nearest(std::string_view word,
                                              std::span<const std::string_view> known) {
  constexpr std::size_t kTelling = 3;
  if (std::find(known.begin(), known.end(), word) == known.end() && word.size() >= kTelling) {
    const auto longer = only_one(known, [&](auto one) { return one.starts_with(word); });
    if (!longer.empty()) return longer;
  }
  std::string_view best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : known) {
    const std::size_t allowed = std::max<std::size_t>(1, candidate.size() / 3);
    const std::size_t longer = std::max(word.size(), candidate.size());
    // Also keeps a hostile word of a megabyte cheap.
    if (longer - std::min(word.size(), candidate.size()) > allowed) continue;
    const std::size_t distance = edit_distance(word, candidate);
    // As many slips as characters: nothing of the word is left.
    if (distance > allowed || distance >= longer) continue;
    if (best.empty() || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  return only_one(known, [&](auto one) { return one.size() >= kTelling && word.starts_with(one); });
}

}  // namespace chatd
