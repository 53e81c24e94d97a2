/// What was typed, taken apart into keys: everything that a terminal sends stands between the
/// keyboard and the line editor here, and nothing reaches the editor that is only a part of
/// something. Knows the grammar of escape sequences (ECMA-48, and what xterm, rxvt, the Linux
/// console, kitty and mice do beside it), and not what any key is for. Pure: told the time.
///
/// Invariants: a sequence is given out whole or not at all, however its bytes are cut into
/// reads; what a person types is never a part of a sequence that began longer ago than kPatience;
/// a paste is one key, also one whose end never comes.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/protocol.hpp"
#include "base/time.hpp"

namespace chatd::console {

struct Key {
  enum class Kind {
    kText,       ///< whole characters, none of them a control character
    kControl,    ///< one of 0x00 to 0x1f and 0x7f, but not Esc
    kAlt,        ///< Alt with the character that `bytes` is; Alt-Enter for all modified Enters
    kSequence,   ///< an arrow, a function key, ..., as the terminal sent it
    kEscape,     ///< Esc alone
    kPaste,      ///< what was pasted; line ends are LF
    kLongPaste,  ///< a paste longer than kMaxPaste was dropped
  };
  Kind kind{};
  std::string bytes;

  friend bool operator==(const Key&, const Key&) = default;
};

class KeyDecoder {
 public:
  /// How long a sequence may take from its first byte, and the string of an answer from one read
  /// to the next; then it is dropped, or was an Esc.
  static constexpr Duration kPatience{100};
  /// How long a paste may pause; then it was cut off, and its text is what has come.
  static constexpr Duration kPastePatience{1000};
  static constexpr std::size_t kMaxPaste = 2 * kMaxControlLine;

  /// `bytes` is what one read gave.
  void push(std::string_view bytes, Time now);
  /// When lapse() is to be called; kNever: not before more bytes come.
  [[nodiscard]] Time deadline() const;
  void lapse(Time now);

  [[nodiscard]] bool has_keys() const { return !keys_.empty(); }
  /// Only if there is one.
  [[nodiscard]] Key take();
  /// Bytes in keys that nobody has taken yet.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  /// Drops all keys up to the last `control`; whether there was one.
  bool skip_to(char control);
  /// How soon after another a byte is no key of a person.
  static constexpr Duration kTypingGap{20};

  /// Forgets everything, but that the rest of a paste may still come.
  void clear();

 private:
  enum class State {
    kGround,
    kEscape,  // Esc, perhaps twice
    kCsi,     // Esc [
    kSs3,     // Esc O
    kString,  // Esc ] or P, X, ^, _: until BEL or Esc '\'
    kStringEscape,
    kMouse,  // Esc [ M: three more bytes
    kLinux,  // Esc [ [: one more byte
    kPaste,
  };

  void step(char byte);
  void mouse(char byte);
  void ground(char byte);
  void escape(char byte);
  void csi(char byte);
  void end_csi(char final);
  void text(char byte);
  void drop_partial();
  void begin(State state) { state_ = state; }
  void end() { state_ = State::kGround; }
  void restart(char byte);
  void paste(std::string_view& bytes);
  void end_paste(bool broken);
  bool goes_on_after_break(std::string_view& bytes);
  bool ends_by_split_mark(std::string_view& bytes, bool at_once);
  void give(Key::Kind kind, std::string bytes);

  std::deque<Key> keys_;
  std::size_t waiting_ = 0;
  State state_ = State::kGround;
  Time now_{};
  Time since_{};          // of the first byte of a sequence, or of the last one of a paste
  std::string pending_;   // the sequence so far, at most kMaxSequence
  std::size_t left_ = 0;  // bytes of a mouse report
  std::string partial_;   // a character of which some bytes have come
  bool partial_alt_ = false;
  std::string pasted_;
  bool paste_too_long_ = false;
  bool paste_broken_ = false;  // what comes may be the rest of one that was given out
  Time heard_{};               // the last bytes of it, or since
  bool key_heard_ = false;     // since then there was what may have been typed
  std::string half_mark_;      // the beginning of the mark that ends it
};

}  // namespace chatd::console
