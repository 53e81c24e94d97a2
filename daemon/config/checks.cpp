#include "config/checks.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/names.hpp"
#include "base/nearest.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "config/fault.hpp"
#include "config/spelled.hpp"
#include "http/site.hpp"
#include "io/network.hpp"
#include "web/texts.hpp"

namespace chatd {

namespace {

/// Every client may have it queued, on top of whatever else waits for it.
constexpr std::size_t kSpokenBytes = 2048;
/// sizeof(sockaddr_un::sun_path) less its final zero.
constexpr std::size_t kSocketPathBytes = 107;
constexpr std::size_t kPathBytes = 4095;
constexpr std::size_t kGroupBytes = 32;
constexpr std::size_t kRoomBytes = 32;
constexpr std::size_t kHighlightBytes = 64;
constexpr std::size_t kReplyNameBytes = 32;
constexpr std::size_t kReplyBytes = 8UL * 1024;
/// A name has at most 64; behind this one "-" and a number may stand.
constexpr std::size_t kGivenNameBytes = 56;
constexpr std::size_t kTitleCharacters = 100;
constexpr std::size_t kLanguageBytes = 35;  // RFC 5646, section 4.4.1
constexpr std::size_t kWebTextBytes = 500;

std::string too_long(std::string_view text, std::size_t most) {
  return in_quotes(text) + " has " + std::to_string(text.size()) + " bytes; at most " +
         std::to_string(most) + " would be right";
}

std::string check_path(std::string_view text, std::size_t most) {
  if (text.empty()) return {};
  if (text.front() != '/') {
    return in_quotes(text) + " is not absolute; a path that begins with / would be right";
  }
  if (text.find('\0') != std::string_view::npos) {
    return in_quotes(text) + " holds a NUL, which ends a path";
  }
  if (text.size() > most) return too_long(text, most);
  return {};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Nothing in it begins a line or is a control.
bool is_one_line(std::string_view text) {
  while (!text.empty()) {
    const char32_t c = take_character(text);
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    if (is_control || c == 0x2028 || c == 0x2029) return false;  // the separators of lines
  }
  return true;
}

std::string check_line(std::string_view text) {
  if (trimmed(text).empty()) return in_quotes(text) + " is blank";
  return is_one_line(text)
             ? std::string{}
             : in_quotes(text) + " holds control characters; one line of text would be right";
}

/// RFC 4007, section 6: a link-local address (RFC 4291, section 2.5.6) means nothing without its
/// zone.
bool lacks_interface(const std::string& address) {
  sockaddr_storage storage{};
  if (!io::Endpoint{address, 0}.to_socket_address(storage) || storage.ss_family != AF_INET6) {
    return false;
  }
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(storage);
  return IN6_IS_ADDR_LINKLOCAL(&ipv6.sin6_addr) && ipv6.sin6_scope_id == 0;
}

}  // namespace

std::string check_spoken(std::string_view text) {
  return text.size() > kSpokenBytes ? too_long(text, kSpokenBytes) : std::string{};
}

std::string check_file_path(std::string_view text) {
  return check_path(text, kPathBytes);
}

std::string check_socket_path(std::string_view text) {
  return check_path(text, kSocketPathBytes);
}

std::string check_group(std::string_view text) {
  if (text.size() > kGroupBytes) return too_long(text, kGroupBytes);
  for (const char c : text) {
    // The system's list of groups cannot hold these.
    if (c == ':' || c == ',' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
      return in_quotes(text) + " cannot be a group's name";
    }
  }
  return {};
}

std::string check_room(std::string_view text) {
  if (text.size() > kRoomBytes) return too_long(text, kRoomBytes);
  constexpr std::string_view kRight = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (text.find_first_not_of(kRight) == std::string_view::npos) return {};
  return in_quotes(text) + " cannot be a room's name; a to z, 0 to 9 and - would be right";
}

std::string check_highlight(std::string_view text) {
  if (trimmed(text).empty()) return in_quotes(text) + " is blank, and would be found nowhere";
  if (text.size() > kHighlightBytes) return too_long(text, kHighlightBytes);
  if (escaped(text) == text) return {};
  return in_quotes(text) + " holds control or invisible characters";
}

Result<std::string> reply_key(std::string_view written) {
  const bool right = !written.empty() && std::all_of(written.begin(), written.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
  });
  if (right && written.size() <= kReplyNameBytes) return std::string{written};
  return Error{in_quotes(written) + " cannot be the name of a reply; up to " +
               std::to_string(kReplyNameBytes) + " letters, digits, - and _ would be right"};
}

std::string check_reply(std::string_view text) {
  if (trimmed(text).empty()) return in_quotes(text) + " is blank; a reply says something";
  return text.size() > kReplyBytes ? too_long(text, kReplyBytes) : std::string{};
}

Result<std::string> origin_key(std::string_view written) {
  if (written.starts_with(kVerifiedKey)) {
    const auto name = written.substr(kVerifiedKey.size());
    if (name.empty()) return Error{"behind \"verified:\" the name of a certificate is missing"};
    if (name.size() > kVerifiedNameBytes) return Error{too_long(name, kVerifiedNameBytes)};
    const auto fault = fault_of_name(name);
    if (!fault.empty()) return Error{"a name " + std::string{fault}};
    return std::string{written};
  }
  auto network = io::Network::parse(written);
  if (network) return network->to_string();
  return Error{escaped(network.error().message)};
}

std::string check_client_name(std::string_view text) {
  if (text.empty()) return in_quotes(text) + " is no name";
  if (text.size() > kGivenNameBytes) return too_long(text, kGivenNameBytes);
  const auto fault = fault_of_client_name(text);
  return fault.empty() ? std::string{} : in_quotes(text) + ": a name " + std::string{fault};
}

std::string check_proxy(std::string_view text) {
  if (read_spelled<io::Network>(text)) return {};
  return escaped(io::Network::parse(text).error().message);
}

std::string check_web_title(std::string_view text) {
  if (text.empty()) return {};
  std::size_t characters = 0;
  for (std::string_view rest = text; !rest.empty(); ++characters) (void)take_character(rest);
  if (characters > kTitleCharacters) {
    return in_quotes(text) + " has " + std::to_string(characters) + " characters; at most " +
           std::to_string(kTitleCharacters) + " would be right";
  }
  return check_line(text);
}

std::string check_color(std::string_view text) {
  const bool right = (text.size() == 4 || text.size() == 7) && text.front() == '#' &&
                     text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
  if (right || text.empty()) return {};
  return in_quotes(text) + " is not a colour; \"#rgb\" or \"#rrggbb\" would be right";
}

std::string check_language(std::string_view text) {
  constexpr std::size_t kMostOfPart = 8;
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.size() <= kMostOfPart &&
           std::all_of(part.begin(), part.end(),
                       [](char c) { return is_letter(c) || is_digit(c); });
  };
  if (text.empty()) return {};
  const std::string_view first = text.substr(0, text.find('-'));
  bool right = text.size() <= kLanguageBytes && first.size() >= 2 &&
               std::all_of(first.begin(), first.end(), is_letter);
  for (std::string_view rest = text; right;) {
    const auto end = rest.find('-');
    right = is_part(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (right) return {};
  return in_quotes(text) +
         " cannot be a language; a tag such as \"en\" or \"pt-BR\" would be right";
}

Result<std::string> web_text_key(std::string_view written) {
  const auto names = web::text_names();
  if (std::find(names.begin(), names.end(), written) != names.end()) return std::string{written};
  const auto near = nearest(written, names);
  return Error{in_quotes(written) + " is no text of the page" +
               (near.empty() ? "" : "; did you mean " + std::string{near} + "?")};
}

std::string check_web_text(std::string_view text) {
  return text.size() > kWebTextBytes ? too_long(text, kWebTextBytes) : check_line(text);
}

std::string check_origin(std::string_view text) {
  if (http::WebOrigin::parse(text)) return {};
  std::string what = in_quotes(text) + " is not the origin of a page; ";
  if (http::Site::parse(text))
    return what + in_quotes("https://" + std::string{text}) + " would be right";
  // What is behind the host is all that is wrong.
  const auto host = text.find("://");
  const auto path = host == std::string_view::npos ? host : text.find_first_of("/?#", host + 3);
  if (path != std::string_view::npos && http::WebOrigin::parse(text.substr(0, path))) {
    return what + in_quotes(text.substr(0, path)) + " would be right";
  }
  return what + "\"https://example.org\" or \"http://192.0.2.7:8080\" would be right";
}

std::string check_host(std::string_view text) {
  if (http::Site::parse(text)) return {};
  std::string what = in_quotes(text) + " is not a host; ";
  if (const auto origin = http::WebOrigin::parse(text)) {
    return what + in_quotes(spelled(origin->site)) + " would be right";
  }
  return what + "\"example.org\", \"192.0.2.7:8080\" or \"[2001:db8::1]\" would be right";
}

std::string check_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty()) return in_quotes(text) + " names no socket; \"unix:/path\" would be right";
    return check_path(path, kSocketPathBytes);
  }
  const std::string address{text};
  const std::string shown = in_quotes(text);
  sockaddr_storage unused{};
  // The kernel's parser of addresses stops at a NUL; the text may go on.
  if (text.find('\0') == std::string_view::npos &&
      io::Endpoint{address, 0}.to_socket_address(unused)) {
    if (lacks_interface(address)) {
      return shown + " is a link-local address, which is of one network; " +
             in_quotes(address + "%eth0") + " would be right, with the name of the interface";
    }
    const std::string plain = canonical({address, 0}).address;
    if (address.find(':') == std::string::npos || plain.find(':') != std::string::npos) return {};
    return shown + " is IPv4 written as IPv6; " + in_quotes(plain) + " would be right";
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    return shown + " stands in brackets; " + in_quotes(text.substr(1, text.size() - 2)) +
           " would be right";
  }
  if (const auto percent = text.find('%');
      percent != std::string_view::npos &&
      io::Endpoint{address.substr(0, percent), 0}.to_socket_address(unused)) {
    return shown + " names an interface that this machine does not have";
  }
  if (text == "*" || text.empty()) {
    return shown + " is not an address; for all of them, \"0.0.0.0\" or \"::\" would be right";
  }
  if (const std::size_t colon = text.rfind(':');
      colon != std::string_view::npos &&
      text.find_first_not_of("0123456789", colon + 1) == std::string_view::npos) {
    const std::string_view host = text.substr(0, colon);
    if (host.find(':') == std::string_view::npos || host.front() == '[') {
      return shown +
             " holds a port; that has a key of its own: port = " + escaped(text.substr(colon + 1));
    }
  }
  if (text.front() == '/') {
    return shown + " is a path; for a unix socket " + in_quotes("unix:" + address) +
           " would be right";
  }
  return shown +
         " is not an address; \"127.0.0.1\", \"::1\" or \"unix:/path\" would be right (a name such "
         "as localhost can mean several)";
}

io::Endpoint canonical(const io::Endpoint& endpoint) {
  sockaddr_storage address{};
  auto length = endpoint.to_socket_address(address);
  return length ? io::Endpoint::of(address, *length) : endpoint;
}

bool conflict(const io::Endpoint& a, const io::Endpoint& b) {
  if (a.is_unix() || b.is_unix()) return a == b;
  if (a.port != b.port || a.port == 0) return false;
  const auto is_v6 = [](const io::Endpoint& endpoint) {
    return endpoint.address.find(':') != std::string::npos;
  };
  const auto is_any = [](const io::Endpoint& endpoint) {
    return endpoint.address == "0.0.0.0" || endpoint.address == "::";
  };
  return is_v6(a) == is_v6(b) && (a.address == b.address || is_any(a) || is_any(b));
}

}  // namespace chatd
