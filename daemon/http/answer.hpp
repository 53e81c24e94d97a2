/// Answers to requests: a page, or the sentence that says why there is none. A whole answer is
/// made at once; it is the only one of its connection, and says so (Connection: close). No cookie
/// is ever set. Values in, bytes out.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/wall_time.hpp"

namespace chatd::http {

class RequestHead;

/// The policy of an answer that is no page (Content-Security-Policy): it may do nothing, nowhere.
inline constexpr std::string_view kNothingAllowed = "default-src 'none'; frame-ancestors 'none'";

/// One more field of an answer. The value has no control characters: what a peer said does not
/// belong into one.
struct AnswerField {
  std::string_view name;
  std::string_view value;
};

/// What is served under one path. Whoever makes it owns all that it refers to.
struct Page {
  std::string_view type;  ///< Content-Type: "text/html; charset=utf-8"
  std::string_view body;
  std::string_view gzipped;  ///< the same body, compressed (RFC 1952); empty if there is none
  /// What changes whenever the body does: of letters, digits, '-' and '_', such as a hash; empty
  /// if the page is not to be asked for again. It becomes the strong ETag of the plain body; that
  /// of the compressed one has "-gzip" behind it (RFC 9110, section 8.8.3.3).
  std::string_view tag;
  std::string_view cache = "no-store";        ///< Cache-Control
  std::string_view policy = kNothingAllowed;  ///< Content-Security-Policy
  std::span<const AnswerField> more = {};     ///< for this page alone
};

/// The answer to a request that is whole: 200 with the page, compressed if Accept-Encoding allows
/// that; 304 without it if If-None-Match has the tag of what would be sent (RFC 9110, section
/// 13.1.2); no body for HEAD, with the Content-Length that GET would have. Dated `now`.
[[nodiscard]] std::string answer(const RequestHead& head, const Page& page, WallTime now);

/// An answer without a page: that status, and `text` as a line of plain text, unless `is_head`.
/// `status` is one that reason_phrase() knows; `text` is UTF-8 and has nothing of the peer's in it.
/// For `more`, see Allow, Retry-After and RFC 9110, section 15. An Upgrade among them adds itself
/// to Connection, as RFC 9110, section 7.8, demands.
[[nodiscard]] std::string answer_without_page(int status, std::string_view text, bool is_head,
                                              WallTime now, std::span<const AnswerField> more = {});

/// The answer to a request that was refused: the status and the sentence of its fault; with Allow,
/// where it is the method.
[[nodiscard]] std::string answer_refused(const RequestHead& head, WallTime now);

/// Whether a body may be sent compressed to who sent this Accept-Encoding (RFC 9110, section
/// 12.5.3): gzip, x-gzip or, if neither is named, "*", with a weight that is not 0.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

/// Whether a list of entity tags (If-None-Match) has `tag`, which is given without quotes. Weak
/// and strong ones are the same (RFC 9110, section 8.8.3.2); "*" is every tag.
[[nodiscard]] bool has_tag(std::string_view list, std::string_view tag);

/// "Not Found" of 404. Known are the statuses that this program sends; "" of all others.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace chatd::http
