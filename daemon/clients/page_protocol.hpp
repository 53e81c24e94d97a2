/// chat.chatd.v1 (doc/protocol.md): what the visitor's page and the daemon say to each other, one
/// JSON object a frame. Text to values, and values to text; it knows no session, no connection and
/// no clock.
///
/// Invariant: whatever is appended is one JSON object, whatever the texts in it are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/most_number.hpp"
#include "base/wall_time.hpp"

namespace chatd::page {

// ---- from the page ----

/// What a page does wrong; its connection is closed because of it.
enum class Fault : std::uint8_t {
  kNotJson,
  kNoType,        ///< no JSON object with a type, or one that is deeper than kMostDepth
  kHello,         ///< one of its members is not what it has to be
  kSay,           ///< the same
  kSeen,          ///< the same
  kNotGreeted,    ///< something else than a hello came first
  kGreetedTwice,  ///< a second hello on one connection
  kLate,          ///< no hello came in time
};
/// The sentence with which the connection is closed; at most 123 bytes (RFC 6455, 5.5).
[[nodiscard]] std::string_view to_string(Fault fault);

/// Deeper objects are none of ours.
inline constexpr int kMostDepth = 16;
/// No page counts further: its language has no higher whole number that is exact.
inline constexpr std::uint64_t kMostSeq = kMostNumber - 1;

/// The first frame.
struct Hello {
  std::string resume;  ///< the token of an earlier welcome, or what is none; empty: a new visitor
  std::uint64_t seen = 0;  ///< the highest seq that was shown; at most kMostSeq
};
struct Say {
  std::string id;    ///< see is_id()
  std::string text;  ///< well-formed UTF-8, of any length, maybe with NUL
};
struct Seen {
  std::uint64_t seq = 0;  ///< at most kMostSeq
};
struct Ping {};
struct Bye {};
/// A type that is not known, and is ignored.
struct Unknown {};

using Frame = std::variant<Fault, Hello, Say, Seen, Ping, Bye, Unknown>;

[[nodiscard]] Frame parse(std::string_view text);

/// 1 to 64 of A-Z a-z 0-9 -.
[[nodiscard]] bool is_id(std::string_view text);

// ---- from the daemon ----

/// Seconds of silence after which the page asks whether the connection is alive.
inline constexpr std::uint64_t kPing = 25;

struct Welcome {
  std::string_view resume;     ///< the token with which the page comes back
  bool resumed = false;        ///< the earlier session goes on
  std::uint64_t wait = 0;      ///< seconds for which the session waits for the page
  std::uint64_t max_text = 0;  ///< bytes of UTF-8
};

inline constexpr std::string_view kPong = R"({"type":"pong"})";
inline constexpr std::string_view kHere = R"({"type":"here"})";
inline constexpr std::string_view kTooLong = "too long";
inline constexpr std::string_view kTooMuch = "too much at once";

/// Each appends one frame.
void append_welcome(std::string& out, const Welcome& welcome);
/// What an operator said; `name` is left out if it is empty.
void append_from_operator(std::string& out, std::uint64_t seq, WallTime time, std::string_view name,
                          std::string_view text);
/// What nobody in particular said.
void append_from_desk(std::string& out, std::uint64_t seq, WallTime time, std::string_view text);
/// The visitor's own, told again.
void append_from_visitor(std::string& out, std::uint64_t seq, WallTime time, std::string_view id,
                         std::string_view text);
void append_taken(std::string& out, std::string_view id, std::uint64_t seq, WallTime time);
/// `reason` is kTooLong or kTooMuch.
void append_refused(std::string& out, std::string_view id, std::string_view reason);
void append_away(std::string& out, std::string_view text);
/// `name` is left out if it is empty.
void append_writing(std::string& out, std::string_view name);
void append_bye(std::string& out, std::string_view text);

}  // namespace chatd::page
