/// Checks of the texts of a configuration. Each check_...() says what is wrong and what would
/// be right, or returns an empty string. Pure functions: whoever uses a folder or a group
/// finds out whether it exists.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/endpoint.hpp"

namespace chatd {

/// Greeting and farewell: a few lines, because every client gets them at once.
[[nodiscard]] std::string check_spoken(std::string_view text);

/// The text is empty, or an absolute path: a daemon has no folder of its own.
[[nodiscard]] std::string check_file_path(std::string_view text);

/// The same, and at most 107 bytes, the most that a unix socket's address holds.
[[nodiscard]] std::string check_socket_path(std::string_view text);

/// The text is empty, or can be the name of a group.
[[nodiscard]] std::string check_group(std::string_view text);
[[nodiscard]] std::string check_room(std::string_view text);

/// A word of console.highlight: not blank, at most 64 bytes, nothing that is not seen.
[[nodiscard]] std::string check_highlight(std::string_view text);

/// The name of a canned reply: one word.
[[nodiscard]] Result<std::string> reply_key(std::string_view written);
/// The text of one: not blank, at most 8 KiB.
[[nodiscard]] std::string check_reply(std::string_view text);

/// Where clients come from: a network as io::Network::to_string() writes it, or kVerifiedKey and
/// the name of a certificate.
[[nodiscard]] Result<std::string> origin_key(std::string_view written);
inline constexpr std::string_view kVerifiedKey = "verified:";
/// What clients from there are called: the name of a client, with room for a number behind it.
[[nodiscard]] std::string check_client_name(std::string_view text);

/// A word of listen.proxy_from: a network, a user, or "unix".
[[nodiscard]] std::string check_proxy(std::string_view text);

/// The title of the page: empty, or up to 100 characters of one line.
[[nodiscard]] std::string check_web_title(std::string_view text);
/// The text is empty, "#rgb" or "#rrggbb".
[[nodiscard]] std::string check_color(std::string_view text);
/// The text is empty, or can be the tag of a language (RFC 5646), in its general form.
[[nodiscard]] std::string check_language(std::string_view text);
/// The name of a text of the page.
[[nodiscard]] Result<std::string> web_text_key(std::string_view written);
/// Such a text: not blank, one line of at most 500 bytes.
[[nodiscard]] std::string check_web_text(std::string_view text);
/// A word of web.origins, as http::WebOrigin::parse() takes it, and of web.hosts, as
/// http::Site::parse() does.
[[nodiscard]] std::string check_origin(std::string_view text);
[[nodiscard]] std::string check_host(std::string_view text);

/// The text is an IPv4 or IPv6 address, or "unix:/path".
[[nodiscard]] std::string check_address(std::string_view text);

/// The endpoint with its address in the one canonical form ("::0:1" becomes "::1").
[[nodiscard]] io::Endpoint canonical(const io::Endpoint& endpoint);

/// Whether the kernel would refuse to listen on the second of two: they are the same
/// place, or one port is asked for on all addresses and on a single one as well. IPv4 and
/// IPv6 do not meet, and port 0 is always a new one. Both are canonical.
[[nodiscard]] bool conflict(const io::Endpoint& a, const io::Endpoint& b);

}  // namespace chatd
