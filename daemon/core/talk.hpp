/// What is remembered of a conversation for those who look at it later: the last words, who
/// answered, and what operators have noted. Bounded, whatever is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

/// What an operator has noted about a session.
struct Note {
  Time time;
  std::string operator_name;
  std::string text;
};

class Talk {
 public:
  /// Of the last words so many bytes are kept, and of notes the last so many.
  static constexpr std::size_t kMostText = 200;
  static constexpr std::size_t kMostNotes = 8;

  /// Who has said the last words.
  enum class Last : std::uint8_t { kNobody, kClient, kOperator };

  void said(std::string_view text);
  void answered(std::string_view text, std::string_view operator_name);
  void add(Note note);
  /// The oldest message that nobody has answered came then.
  void waits_since(Time when) { waiting_since_ = when; }

  [[nodiscard]] Last last() const { return last_; }
  /// Empty if last() is kNobody, and perhaps otherwise.
  [[nodiscard]] const std::string& last_text() const { return last_text_; }
  /// The operator who has answered last; empty: nobody has.
  [[nodiscard]] const std::string& answered_by() const { return answered_by_; }
  /// The oldest first.
  [[nodiscard]] const std::vector<Note>& notes() const { return notes_; }
  /// Means something only while there is such a message.
  [[nodiscard]] Time waiting_since() const { return waiting_since_; }

  /// The notes that are written down have at most `most` bytes together; the oldest are left out.
  void save(ByteWriter& out, Time now, std::size_t most) const;
  /// The reader refuses what cannot be one.
  static Talk read(ByteReader& in, Time now);

 private:
  std::string last_text_;
  std::string answered_by_;
  std::vector<Note> notes_;
  Time waiting_since_ = kNever;
  Last last_ = Last::kNobody;
};

}  // namespace chatd::core
