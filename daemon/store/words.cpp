#include "store/words.hpp"

#include "base/text.hpp"
#include "store/letters.hpp"

namespace chatd::store {

namespace {

using letters::Kind;

/// Stands for what separates two words. It is a separator itself, so it is in no word.
constexpr std::string_view kGap = "\xC2\xB7";

class Writer {
 public:
  explicit Writer(std::string& out) : out_{out} {}

  [[nodiscard]] std::size_t words() const { return words_; }

  void add(char32_t c) {
    if (const char32_t both = letters::compose(last_, c); both != 0) return replace_last(both);
    switch (const Kind kind = letters::kind_of(c)) {
      case Kind::kWord:
        if (is_separated_ || last_kind_ != Kind::kWord) begin(kind);
        append(c);
        break;
      case Kind::kSingle:
      case Kind::kSymbol:
        begin(kind);
        append(c);
        break;
      case Kind::kFlag:
        if (is_separated_ || last_kind_ != Kind::kFlag || is_whole_flag_) {
          begin(kind);
          is_whole_flag_ = false;
        } else {
          is_whole_flag_ = true;
        }
        append(c);
        break;
      case Kind::kTag:
        if (is_after_symbol()) append(c);
        break;
      case Kind::kJoiner:
        if (!is_after_symbol()) break;
        begin(Kind::kSymbol);
        append(c);
        break;
      case Kind::kMark:
      case Kind::kIgnored:
        break;
      case Kind::kSeparator:
        separate();
        break;
    }
  }

  /// The fast way for ASCII: a letter, in lower case, or a digit.
  void add_plain(char c) {
    if (is_separated_ || last_kind_ != Kind::kWord) begin(Kind::kWord);
    out_ += c;
    last_ = static_cast<unsigned char>(c);
    last_size_ = 1;
  }

  void separate() {
    is_separated_ = true;
    last_ = 0;
  }

 private:
  [[nodiscard]] bool is_after_symbol() const {
    return !is_separated_ && words_ > 0 && last_kind_ == Kind::kSymbol;
  }

  void begin(Kind kind) {
    if (words_++ > 0) {
      out_ += ' ';
      const bool both_words = kind == Kind::kWord && last_kind_ == Kind::kWord;
      if (is_separated_ && !both_words) {
        out_ += kGap;
        out_ += ' ';
        ++words_;
      }
    }
    is_separated_ = false;
    last_kind_ = kind;
  }

  void append(char32_t c) {
    last_size_ = out_.size();
    append_utf8(out_, c);
    last_size_ = out_.size() - last_size_;
    last_ = c;
  }

  void replace_last(char32_t c) {
    out_.resize(out_.size() - last_size_);
    append(c);
  }

  std::string& out_;
  std::size_t words_ = 0;
  char32_t last_ = 0;          // the last character that was appended; 0 after a separator
  std::size_t last_size_ = 0;  // in bytes
  Kind last_kind_ = Kind::kSeparator;
  bool is_separated_ = false;  // since the last word
  bool is_whole_flag_ = false;
};

}  // namespace

std::size_t append_words(std::string& out, std::string_view text) {
  Writer writer{out};
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x80) {
      text.remove_prefix(1);
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        writer.add_plain(c);
      } else if (c >= 'A' && c <= 'Z') {
        writer.add_plain(static_cast<char>(c - 'A' + 'a'));
      } else {
        writer.separate();
      }
      continue;
    }
    const auto folded = letters::fold(take_character(text));
    for (std::uint8_t i = 0; i < folded.count; ++i) writer.add(folded.letters[i]);
  }
  return writer.words();
}

std::string words_of(std::string_view text) {
  std::string words;
  append_words(words, text);
  return words;
}

}  // namespace chatd::store
