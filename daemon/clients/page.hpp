/// One visitor's session as its page sees it: what was said on both sides, in one order, and how
/// far the page knows of it. The connection may be lost and come back any number of times: the page
/// is told what it has not seen. Knows no connection, no other page and no clock.
///
/// Invariants: the seq of what is said rises, and so does that of the frames which next() gives
/// after each came(). What others said is kept until the page has seen it; beyond that, kMostTexts
/// and kMostBytes bound what is kept to be told again. A text of an id is taken once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.hpp"
#include "base/wall_time.hpp"
#include "clients/page_tokens.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Page {
 public:
  // Of what was seen, and of what the visitor said: kept for a page that has lost its memory.
  static constexpr std::size_t kMostTexts = 500;
  static constexpr std::size_t kMostBytes = 256UL * 1024;
  /// Of the visitor's texts: as many of the last ones are known again by their ids.
  static constexpr std::size_t kMostIds = 1000;

  [[nodiscard]] PageTokens& tokens() { return tokens_; }
  [[nodiscard]] const PageTokens& tokens() const { return tokens_; }

  // The connection.
  /// The page is there, and has shown everything up to `seen`: next() goes on from there.
  void came(std::uint64_t seen);
  /// It is not any more.
  void left() { is_there_ = false; }
  [[nodiscard]] bool is_there() const { return is_there_; }
  /// The page has shown everything up to `seq`; what it was not told is left out.
  void see(std::uint64_t seq);
  /// It has shown all that it was told.
  void see_told() { see(told_); }

  // What is said.
  /// Whether so many bytes can be added which the page has not seen, of which at most `hard` may
  /// wait.
  [[nodiscard]] bool has_room(std::size_t bytes, std::size_t hard) const {
    return bytes <= hard && unseen_bytes_ <= hard - bytes;
  }
  /// Somebody says something to the visitor: AUTHOR NUL TEXT, as core::web_text() reads it.
  void hear(Payload payload, WallTime date);

  enum class Saying : std::uint8_t {
    kNew,         ///< nothing of this id has been taken, and take() may
    kTaken,       ///< it was taken, and next() is still to say so
    kTakenAgain,  ///< it was taken: `answer` was appended
    kFull,        ///< too much waits of which the page does not know that it was taken
  };
  /// What is to be done with a text of the visitor's, known by its id.
  [[nodiscard]] Saying asked(std::string_view id, std::string& answer) const;
  /// The visitor says something: kNew was the answer.
  void take(std::string_view id, std::string_view text, WallTime date);

  // What is told.
  /// Appends the next frame for the page that is there. False: it has been told everything.
  /// Operators are named with `named`.
  bool next(std::string& frame, bool named);
  /// Whether it has not been told everything.
  [[nodiscard]] bool has_next() const { return is_there_ && told_ < last_; }
  /// How many messages of operators the page has not seen: the sum of their weights.
  [[nodiscard]] std::uint32_t unseen() const;
  /// Memory for it, in bytes; a payload that others share is counted as if none did.
  [[nodiscard]] std::size_t memory() const;
  /// Of that, what is in payloads.
  [[nodiscard]] std::size_t payload_bytes() const { return bytes_; }

  void save(ByteWriter& out) const;
  /// Reads it back into one that was just made. What cannot be is refused; then this is good for
  /// nothing.
  void restore(ByteReader& in);

  // For the case that this process ends without warning: a log, to which is added what changes, so
  // that it costs what is said. The page is away when it is read.
  /// How far a log knows of it.
  struct Mark {
    PageTokens tokens;
    std::uint64_t last = 0;
    std::uint64_t seen = 0;
  };
  /// Writes down what a log begins with: everything or, if that takes more than `most` bytes, the
  /// latest of what was said. `most` is at least kMostWithoutTexts.
  Mark begin_log(ByteWriter& out, std::size_t most) const;
  /// What is to be added: nothing if nothing has changed. A log that begins must come first, and
  /// all that was added to it be there.
  void add_to_log(ByteWriter& out, Mark& mark) const;
  /// Reads what was written, one behind the other. Nothing if it cannot be.
  [[nodiscard]] static std::optional<Page> from_log(std::string_view log);
  static constexpr std::size_t kMostWithoutTexts = 40UL * 1024;

 private:
  struct Entry {
    std::uint64_t seq;
    WallTime date;
    Payload payload;
  };
  using Entries = std::vector<Entry>;
  /// A text that was taken. Of its id half of a digest is kept, which is as good: so much memory is
  /// needed whatever the page takes for an id.
  struct Taken {
    std::array<unsigned char, 16> id;
    std::uint64_t seq;
    WallTime date;
  };

  [[nodiscard]] static std::array<unsigned char, 16> short_form(std::string_view id);
  [[nodiscard]] static std::string_view id_of(const Payload& said);
  [[nodiscard]] static std::size_t first_after(const Entries& entries, std::uint64_t seq);
  [[nodiscard]] bool is_droppable(const Entry& said) const {
    return !is_there_ || said.seq <= told_;
  }
  void add(Entries& entries, Payload payload, WallTime date);
  void move_seen(std::uint64_t seq);
  void drop();
  // page_saved.cpp
  [[nodiscard]] bool could_be() const;
  void count_bytes();
  void write_said(ByteWriter& out, std::size_t heard, std::size_t said, std::size_t taken) const;
  void read_change(ByteReader& in);

  PageTokens tokens_;
  Entries heard_;                 ///< from others: AUTHOR NUL TEXT
  Entries said_;                  ///< from the visitor: ID NUL TEXT
  std::vector<Taken> taken_;      ///< the newest is last
  std::size_t bytes_ = 0;         ///< of all payloads
  std::size_t unseen_bytes_ = 0;  ///< of those of heard_ beyond seen_
  std::uint64_t last_ = 0;        ///< the last seq that was given
  std::uint64_t seen_ = 0;        ///< the page has shown everything up to this one, once
  std::uint64_t told_ = 0;        ///< everything up to this one was told to the page that is there
  std::uint64_t came_at_ = 0;     ///< what is beyond has been said since the page is there
  bool is_there_ = false;
};

}  // namespace chatd
