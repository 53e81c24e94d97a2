// The words of a text. Whatever the bytes are, the words are well-formed, the words of words are
// the same, and a text is found by itself and by each piece between its blanks.
#include "store/words.hpp"

#include <string>
#include <string_view>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "store/wanted.hpp"

namespace {

using chatd::fuzz::must;

void check_form(std::string_view words, std::size_t count) {
  must(chatd::is_utf8(words), "words are not UTF-8");
  std::size_t blanks = 0;
  bool after_blank = true;
  for (const char c : words) {
    const bool blank = c == ' ';
    must(!(blank && after_blank), "a word is empty");
    must(blank || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
             (static_cast<unsigned char>(c) & 0x80U) != 0,
         "the index would cut a word");
    if (blank) ++blanks;
    after_blank = blank;
  }
  must(words.empty() || !after_blank, "the last word is empty");
  must(count == (words.empty() ? 0 : blanks + 1), "they are not as many as it says");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::string words;
  const std::size_t count = chatd::store::append_words(words, text);
  check_form(words, count);
  must(words.size() <= 16 * size, "a text grows without bound");

  auto wanted = chatd::store::Wanted::parse(text);
  must(static_cast<bool>(wanted) || size > chatd::store::Wanted::kMaxBytes ||
           count > chatd::store::Wanted::kMaxWords / 2,
       "a short text is refused");
  if (!wanted) return 0;
  must(!wanted->empty() || count == 0, "words are lost");
  must(wanted->is_in(text), "a text is not found by itself");
  must(wanted->empty() || !wanted->is_in(""), "it is found in nothing");
  (void)wanted->expression();
  return 0;
}
