/// What is remembered of a conversation for those who look at it later: the last words, who
/// answered, and what operators have noted. Bounded, whatever is said.
///
/// Nearly every session has one, so it is a pointer, to nothing while there is nothing to remember;
/// then to one block that ends with the last words; what operators add is apart from that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
  static constexpr std::size_t kMostText = 100;
  static constexpr std::size_t kMostNotes = 8;

  /// Who has said the last words.
  enum class Last : std::uint8_t { kNobody, kClient, kOperator };

  void said(std::string_view text);
  void answered(std::string_view text, std::string_view operator_name);
  void add(Note note);
  /// The oldest message that nobody has answered came then.
  void waits_since(Time when);

  /// Whether there is nothing to remember.
  [[nodiscard]] bool is_empty() const { return block_ == nullptr; }
  [[nodiscard]] Last last() const { return block_ ? block_->last : Last::kNobody; }
  /// Empty if last() is kNobody, and perhaps otherwise. Valid until the next change.
  [[nodiscard]] std::string_view last_text() const;
  /// The operator who has answered last; empty: nobody has. Valid until the next change.
  [[nodiscard]] std::string_view answered_by() const;
  /// The oldest first.
  [[nodiscard]] const std::vector<Note>& notes() const;
  /// Means something only while there is such a message.
  [[nodiscard]] Time waiting_since() const { return block_ ? block_->waiting_since : kNever; }
  /// The memory that it takes, beside itself.
  [[nodiscard]] std::size_t kept_bytes() const;

  /// The notes that are written down have at most `most` bytes together; the oldest are left out.
  void save(ByteWriter& out, Time now, std::size_t most) const;
  /// The reader refuses what cannot be one.
  static Talk read(ByteReader& in, Time now);

 private:
  /// What operators have added.
  struct Added {
    std::string answered_by;
    std::vector<Note> notes;
  };
  struct Block {
    Time waiting_since = kNever;
    std::unique_ptr<Added> added;
    std::uint8_t size = 0;  ///< of the text, which stands behind it
    Last last = Last::kNobody;

    [[nodiscard]] char* text() { return reinterpret_cast<char*>(this + 1); }
  };
  static_assert(kMostText <= UINT8_MAX);
  struct Free {
    void operator()(Block* block) const;
  };

  [[nodiscard]] static std::size_t bytes_for(std::size_t text);
  Block& block();
  Added& added();
  void set_text(std::string_view text, Last last);

  std::unique_ptr<Block, Free> block_;
};

}  // namespace chatd::core
