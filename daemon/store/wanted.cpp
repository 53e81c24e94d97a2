#include "store/wanted.hpp"

#include <algorithm>
#include <utility>

#include "store/words.hpp"

namespace chatd::store {

namespace {

/// What stands between the words of a search, of ASCII.
bool separates(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static_assert(Wanted::kMaxBytes == 1024 && Wanted::kMaxWords == 64, "sentences below say so");

}  // namespace

Result<Wanted> Wanted::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Error{"text is longer than 1 KiB, the limit of a search"};
  }
  Wanted wanted;
  std::size_t words = 0;
  while (true) {
    const auto* begin = std::find_if_not(text.begin(), text.end(), separates);
    text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
    if (text.empty()) return wanted;
    const auto* end = std::find_if(text.begin(), text.end(), separates);
    auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(word.size());
    Phrase phrase;
    phrase.any_ending = word.ends_with('*');
    if (phrase.any_ending) word.remove_suffix(1);
    phrase.words = ' ';
    const std::size_t found = append_words(phrase.words, word);
    if (found == 0) continue;
    words += found;
    if (words > kMaxWords) {
      return Error{
          "text has more than 64 words, the limit of a search (where words stand without "
          "blanks, each character is one)"};
    }
    wanted.phrases_.push_back(std::move(phrase));
  }
}

std::string Wanted::expression() const {
  std::string expression;
  for (const Phrase& phrase : phrases_) {
    if (!expression.empty()) expression += ' ';
    expression += '"';
    expression.append(phrase.words, 1);
    expression += '"';
    if (phrase.any_ending) expression += '*';
  }
  return expression;
}

bool Wanted::is_in(std::string_view text) const {
  std::string words{' '};
  append_words(words, text);
  words += ' ';
  return std::all_of(phrases_.begin(), phrases_.end(), [&words](const Phrase& phrase) {
    const std::size_t size = phrase.words.size();
    for (auto at = words.find(phrase.words); at != std::string::npos;
         at = words.find(phrase.words, at + 1)) {
      if (phrase.any_ending || words[at + size] == ' ') return true;
    }
    return false;
  });
}

}  // namespace chatd::store
