/// Whether the first bytes of a connection are HTTP, on a port where anything may come: a person
/// at netcat, a chat client, a browser. It only tells; RequestHead reads.
///
/// A request line is METHOD SP request-target SP HTTP/1.0 or HTTP/1.1 CRLF (RFC 9112, section 3),
/// at most kMostHead bytes with its line end. Any method counts, but one in capitals, as all
/// registered ones are: a lower-case word is how people begin, and must not have to wait. Nothing
/// may stand before it, not even the empty line that RFC 9112, section 2.2, would forgive: that is
/// somebody who has pressed Enter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatd::http {

/// The largest head of a request, in bytes, with the empty line that ends it.
inline constexpr std::size_t kMostHead = 8192;
/// The longest method that counts.
inline constexpr std::size_t kMostMethod = 32;

enum class FirstLine : std::uint8_t {
  kNo,       ///< it is something else, whatever may follow
  kPerhaps,  ///< it may still become a request line: more bytes decide
  kRequest,  ///< a whole request line stands in front
  kHttp2,    ///< it is the connection preface of HTTP/2, in clear (RFC 9113, section 3.4)
};

/// `bytes` is all that has come since the connection began. An answer other than kPerhaps is the
/// same for whatever longer bytes begin so; kPerhaps is never said of kMostHead bytes or more.
[[nodiscard]] FirstLine look_for_request(std::string_view bytes);

}  // namespace chatd::http
