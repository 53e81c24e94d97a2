// Requests. After an even first byte the rest is one; after an odd one it is a good one with
// changes. Any way of cutting it gives the same head; what look_for_request() says of it is true;
// a head that is taken is one that no other program could understand in another way, whatever it
// is answered is one answer, and nothing of the request stands in it but its key.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "http/answer.hpp"
#include "http/request_head.hpp"
#include "http/request_line.hpp"
#include "http/site.hpp"
#include "http/syntax.hpp"
#include "http/upgrade.hpp"

namespace {

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::WallTime;
using chatd::fuzz::must;
using chatd::http::FirstLine;
using chatd::http::HeadFault;
using chatd::http::RequestHead;
using State = RequestHead::State;

constexpr std::string_view kGood =
    "GET /chat?a=b HTTP/1.1\r\nHost: example.org:8080\r\nConnection: keep-alive, Upgrade\r\n"
    "Upgrade: websocket\r\nOrigin: http://example.org:8080\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.chatd.v1\r\n"
    "Accept-Encoding: gzip;q=0.5, br\r\nIf-None-Match: W/\"tag\"\r\nContent-Length: 0\r\n\r\n";
constexpr std::array<std::string_view, 1> kKnown = {"chat.chatd.v1"};
constexpr WallTime kNow{std::chrono::seconds{784'111'777}};

struct Read {
  RequestHead head;
  std::size_t taken = 0;
};

Read read(std::string_view bytes, std::size_t step, bool hand_over) {
  Read read;
  while (!bytes.empty() && read.head.state() == State::kMore) {
    const std::string copy{bytes.substr(0, step)};
    std::string_view input = copy;
    read.head.take(input);
    const auto taken = copy.size() - input.size();
    must(read.head.state() != State::kMore || input.empty(), "bytes are left, and no head");
    read.taken += taken;
    bytes.remove_prefix(taken);
    if (!hand_over || read.head.state() != State::kMore) continue;
    ByteWriter out;
    read.head.save(out);
    ByteReader in{out.bytes()};
    RequestHead next;
    next.restore(in);
    must(in.finished(), "what was written down is refused");
    read.head = std::move(next);
  }
  return read;
}

void same(const Read& one, const Read& other) {
  must(one.head.state() == other.head.state(), "cut somewhere its state is different");
  must(one.head.fault() == other.head.fault(), "cut somewhere its fault is different");
  must(one.taken == other.taken, "cut somewhere it ends elsewhere");
  must(one.head.path() == other.head.path(), "cut somewhere its path is different");
  must(one.head.fields() == other.head.fields(), "cut somewhere its fields are different");
}

/// By the simplest code: what no taken head may have.
void check_taken(std::string_view head, const RequestHead& read) {
  must(head.size() <= chatd::http::kMostHead && head.ends_with("\r\n\r\n"), "it ends elsewhere");
  must(head.find("\r\n\r\n") == head.size() - 4, "it goes on behind its end");
  must(head.starts_with("GET /") || head.starts_with("HEAD /"), "it is no GET, and no HEAD");
  must(head.find('\0') == std::string_view::npos, "it has a NUL");
  must(std::count(head.begin(), head.end(), '\n') == std::count(head.begin(), head.end(), '\r'),
       "it has a bare line end");
  must(head.find("\n ") == std::string_view::npos && head.find("\n\t") == std::string_view::npos,
       "it is folded");
  must(!read.field("Transfer-Encoding") && !read.field("Expect"), "it has a body");
  must(read.path().starts_with('/') && chatd::is_utf8(read.path()), "its path is none");
  must(read.path().find("/../") == std::string::npos, "its path leads elsewhere");
  must(read.path().find('\0') == std::string::npos, "its path ends early");
  must(read.host() || !read.is_1_1(), "it has no host");
}

/// One answer: its head ends once, and its body is as long as it says.
void check_answer(const std::string& answer, bool is_head) {
  must(answer.starts_with("HTTP/1.1 "), "no answer");
  const auto end = answer.find("\r\n\r\n");
  must(end != std::string::npos, "an answer without an end");
  const auto body = answer.size() - end - 4;
  const auto length = answer.find("\r\nContent-Length: ");
  if (length == std::string::npos || is_head) return must(body == 0, "a body where none is");
  must(std::stoul(answer.substr(length + 18)) == body, "a body of another length");
}

std::string no_digest(std::string_view text) {
  must(text.size() == 24 + 36, "a key of another length");
  return "digest";
}

void check_upgrade(const RequestHead& head) {
  const auto upgrade = chatd::http::check_upgrade(head, kKnown);
  if (upgrade.fault != chatd::http::UpgradeFault::kNone) {
    return check_answer(answer_refused(upgrade, head.is_head(), kNow), head.is_head());
  }
  must(asks_for_websocket(head) && head.is_1_1() && !head.is_head(), "no request for a WebSocket");
  check_answer(answer_upgrade(upgrade, no_digest), true);
  (void)chatd::http::may_connect(head.field("Origin"), head.host(), {});
}

void check_site(std::string_view text) {
  const auto site = chatd::http::Site::parse(text);
  if (!site) return;
  auto again = site->host;
  if (site->port) again += ':' + std::to_string(*site->port);
  must(chatd::http::Site::parse(again) == site, "a site is another one, written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = chatd::fuzz::changed(chatd::fuzz::Input{data, size}, std::string{kGood});
  const Read whole = read(bytes, bytes.size(), false);
  same(whole, read(bytes, 1, false));
  same(whole, read(bytes, 7, true));
  const auto first = chatd::http::look_for_request(bytes);
  const auto fault = whole.head.fault();
  if (first == FirstLine::kRequest) must(fault != HeadFault::kLine, "a request line that is none");
  if (first == FirstLine::kHttp2) must(fault == HeadFault::kHttp2, "HTTP/2 that is none");
  if (whole.head.state() == State::kWhole) {
    must(first == FirstLine::kRequest, "a head that was not seen coming");
    check_taken(std::string_view{bytes}.substr(0, whole.taken), whole.head);
    check_upgrade(whole.head);
    chatd::http::Page page;
    page.type = "text/plain";
    page.body = "body";
    page.gzipped = "gz";
    page.tag = "tag";
    check_answer(answer(whole.head, page, kNow), whole.head.is_head());
  } else if (whole.head.state() == State::kRefused) {
    check_answer(answer_refused(whole.head, kNow), whole.head.is_head());
  }
  check_site(bytes);
  return 0;
}
