/// The head of an HTTP/1 request, from its bytes: RFC 9112, sections 2 to 6, as strict as it can
/// be. What some other program on the way could have understood in another way is refused, so
/// that no two of them ever disagree about where a request ends. Bytes in, a head or a refusal
/// out: it knows no page, no socket and no clock.
///
/// | it takes                                 | it refuses                                      |
/// | ---------------------------------------- | ----------------------------------------------- |
/// | GET and HEAD, of HTTP/1.0 and 1.1        | every other method and version, HTTP/2 in clear |
/// | a target in origin form (a path)         | absolute, authority and asterisk form           |
/// | lines that end in CRLF                   | a bare LF, a bare CR, a line before the first   |
/// | 8,192 bytes with the empty line at the end, 100 fields | more                              |
/// | NAME ":" VALUE                           | folded lines, blanks before the colon, controls |
/// | one Host (1.1), one or none (1.0)        | two, none, or what is no host                   |
/// | no body, or Content-Length: 0            | a body, Transfer-Encoding, Expect               |
///
/// Invariants: at most kMostHead bytes are kept; any way of cutting the bytes gives the same; once
/// it is whole or refused it takes nothing more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_line.hpp"
#include "http/site.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::http {

inline constexpr std::size_t kMostFields = 100;

/// What is wrong with a request.
enum class HeadFault : std::uint8_t {
  kNone,
  kLine,              ///< the first line is no request line
  kLineTooLong,       ///< nor could it become one within kMostHead bytes
  kMethodNotAllowed,  ///< a method of RFC 9110 or 5789 that is not GET or HEAD
  kMethodUnknown,
  kVersion,  ///< of HTTP, neither 1.0 nor 1.1
  kHttp2,    ///< the connection preface of HTTP/2 (RFC 9113, section 3.4)
  kTarget,   ///< it is not in origin form
  kPath,     ///< see decoded_path()
  kTooLong,  ///< the head, in bytes
  kTooManyFields,
  kLineEnd,     ///< a CR or an LF that is not half of CRLF
  kFolding,     ///< a line that begins with a blank (RFC 9112, section 5.2)
  kFieldName,   ///< none, no token, or not followed by a colon at once
  kFieldValue,  ///< it has a control character
  kNoHost,
  kHost,              ///< it is no host with a port (RFC 9112, section 3.2)
  kRepeated,          ///< a field that may stand once stands twice: Host, Content-Length, Origin,
                      ///< Sec-WebSocket-Key, Sec-WebSocket-Version
  kContentLength,     ///< it is no number
  kBody,              ///< Content-Length is not 0
  kTransferEncoding,  ///< of whatever kind
  kTwoLengths,        ///< Transfer-Encoding where none may be: beside Content-Length, in HTTP/1.0
  kExpect,
};

/// The status that answers it: 400, 405, 413, 414, 417, 431, 501 or 505; 200 for kNone.
[[nodiscard]] int status_of(HeadFault fault);
/// What is wrong, as the end of a sentence about the request, for a log and for who sent it: "has
/// two fields where one may be". It has nothing of the peer's in it.
[[nodiscard]] std::string_view to_string(HeadFault fault);

class RequestHead {
 public:
  enum class State : std::uint8_t { kMore, kWhole, kRefused };

  /// Takes what belongs to the head off the front of `input`. What is left when the head is whole
  /// is the caller's: nothing of a GET (the connection is closed behind the answer), frames of a
  /// WebSocket. What is left of a head that was refused means nothing.
  State take(std::string_view& input);

  [[nodiscard]] State state() const { return state_; }
  /// kNone unless it was refused.
  [[nodiscard]] HeadFault fault() const { return fault_; }
  /// Whether the method is HEAD, so that the answer has no body. True as soon as it is known,
  /// of a head that was refused for something else, too.
  [[nodiscard]] bool is_head() const { return is_head_; }

  // The rest is right when it is whole. Views are valid as long as this is.

  /// HTTP/1.1, not 1.0.
  [[nodiscard]] bool is_1_1() const { return is_1_1_; }
  /// Decoded (decoded_path()). It begins with a slash.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// What stands behind the first question mark of the target, as it came; empty if there is none.
  [[nodiscard]] std::string_view query() const { return view(query_); }
  /// Of the field Host; nothing in a request of HTTP/1.0 without one.
  [[nodiscard]] const std::optional<Site>& host() const { return host_; }
  [[nodiscard]] std::size_t fields() const { return fields_.size(); }
  /// The value of the first field of that name, in whatever case; without blanks at its ends.
  /// For a field that may stand once, it is the value.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
  /// The values of all fields of that name, ", " between them, which mean the same as one field
  /// (RFC 9110, section 5.3). For a list: Connection, Upgrade, Sec-WebSocket-Protocol. Empty if
  /// there is none.
  [[nodiscard]] std::string list(std::string_view name) const;

  /// Writes down a head that is not whole yet, and reads it back into one that was just made. The
  /// reader refuses what cannot be.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  /// Where something stands in bytes_.
  struct Place {
    std::uint16_t begin = 0;
    std::uint16_t size = 0;
  };
  struct Field {
    Place name;
    Place value;
  };

  [[nodiscard]] std::string_view view(Place place) const {
    return std::string_view{bytes_}.substr(place.begin, place.size);
  }
  [[nodiscard]] Place place_of(std::string_view part) const;
  State refuse(HeadFault fault);
  HeadFault end_line();
  HeadFault read_request_line(std::string_view line);
  HeadFault read_target(std::string_view target);
  HeadFault read_field(std::string_view line);
  HeadFault end_head();
  [[nodiscard]] std::size_t count(std::string_view name) const;
  HeadFault read_host();
  [[nodiscard]] HeadFault fault_of_body() const;

  std::string bytes_;  ///< what was taken
  std::string path_;
  std::vector<Field> fields_;
  std::optional<Site> host_;
  Place query_;
  std::uint16_t line_ = 0;  ///< where the line begins that is not over
  State state_ = State::kMore;
  HeadFault fault_ = HeadFault::kNone;
  bool is_head_ = false;
  bool is_1_1_ = false;
};

}  // namespace chatd::http
