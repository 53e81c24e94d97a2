/// The path of a request, decoded so that it can be compared with the names of pages and with
/// nothing else: it never leads to a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chatd::http {

/// `raw` is what stands before the query of a request-target, and begins with a slash. Nothing if
/// it is not one that a well-meaning client sends: a percent sign without two hexadecimal digits;
/// a control, a slash or a backslash that is encoded, a backslash or a fragment ('#') that is
/// not; a segment "." or "..", encoded or not, which clients resolve themselves (RFC 3986,
/// section 5.2.4); what is not UTF-8 when it is decoded. The result is never longer than `raw`.
[[nodiscard]] std::optional<std::string> decoded_path(std::string_view raw);

}  // namespace chatd::http
