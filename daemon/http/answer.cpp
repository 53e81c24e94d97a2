#include "http/answer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <utility>

#include "http/date.hpp"
#include "http/request_head.hpp"
#include "http/syntax.hpp"

namespace chatd::http {
namespace {

constexpr std::string_view kGzipMark = "-gzip";

void add(std::string& out, std::string_view name, std::string_view value) {
  // A line end in a value would make a second answer of the rest.
  assert(is_token(name) && is_field_value(value));
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

/// The status line, and the fields of every answer.
std::string begin(int status, WallTime now, std::string_view connection, std::string_view policy) {
  const auto phrase = reason_phrase(status);
  assert(!phrase.empty());
  std::string out = "HTTP/1.1 " + std::to_string(status) + ' ';
  out += phrase;
  out += "\r\n";
  add(out, "Date", http_date(now));
  add(out, "Connection", connection);
  add(out, "Content-Security-Policy", policy);
  add(out, "X-Content-Type-Options", "nosniff");
  add(out, "Referrer-Policy", "no-referrer");
  return out;
}

void end(std::string& out, std::string_view type, std::string_view body, bool is_head) {
  add(out, "Content-Type", type);
  add(out, "Content-Length", std::to_string(body.size()));
  out += "\r\n";
  if (!is_head) out += body;
}

/// What stands behind ";q=" of an element, if it is a weight of 0: "0", "0.", "0.000".
bool is_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto size = std::min(parameters.find(';'), parameters.size());
    const auto parameter = trimmed(parameters.substr(0, size));
    parameters.remove_prefix(std::min(size + 1, parameters.size()));
    if (parameter.size() < 2 || !is_same_word(parameter.substr(0, 2), "q=")) continue;
    return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}

/// Takes one entity tag off the list: what stands between its quotes. Nothing more when the rest
/// is no tag.
bool take_tag(std::string_view& list, std::string_view& tag) {
  list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size()));
  if (list.starts_with("W/")) list.remove_prefix(2);
  if (!list.starts_with('"')) return false;
  const auto last = list.find('"', 1);
  if (last == std::string_view::npos) return false;
  tag = list.substr(1, last - 1);
  list.remove_prefix(last + 1);
  return true;
}

bool is_tag(std::string_view tag) {
  return std::all_of(tag.begin(), tag.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

}  // namespace

std::string answer(const RequestHead& head, const Page& page, WallTime now) {
  assert(head.state() == RequestHead::State::kWhole && is_tag(page.tag));
  const bool zipped = !page.gzipped.empty() && accepts_gzip(head.list("Accept-Encoding"));
  std::string tag{page.tag};
  if (zipped && !tag.empty()) tag += kGzipMark;
  const bool known = !tag.empty() && has_tag(head.list("If-None-Match"), tag);
  std::string out = begin(known ? 304 : 200, now, "close", page.policy);
  add(out, "Cache-Control", page.cache);
  if (!page.gzipped.empty()) add(out, "Vary", "Accept-Encoding");
  if (!tag.empty()) add(out, "ETag", '"' + tag + '"');
  for (const auto& field : page.more) add(out, field.name, field.value);
  if (known) return out + "\r\n";
  if (zipped) add(out, "Content-Encoding", "gzip");
  end(out, page.type, zipped ? page.gzipped : page.body, head.is_head());
  return out;
}

std::string answer_without_page(int status, std::string_view text, bool is_head, WallTime now,
                                std::span<const AnswerField> more) {
  const bool upgrade = std::any_of(more.begin(), more.end(),
                                   [](const auto& each) { return each.name == "Upgrade"; });
  std::string out = begin(status, now, upgrade ? "close, Upgrade" : "close", kNothingAllowed);
  add(out, "Cache-Control", "no-store");
  for (const auto& field : more) add(out, field.name, field.value);
  end(out, "text/plain; charset=utf-8", std::string{text} + '\n', is_head);
  return out;
}

std::string answer_refused(const RequestHead& head, WallTime now) {
  assert(head.state() == RequestHead::State::kRefused);
  static constexpr std::array<AnswerField, 1> kAllow = {{{"Allow", "GET, HEAD"}}};
  const int status = status_of(head.fault());
  const auto text = "This request " + std::string{to_string(head.fault())} + '.';
  std::span<const AnswerField> more;
  if (status == 405) more = kAllow;
  return answer_without_page(status, text, head.is_head(), now, more);
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool others = false;
  for (auto each = take_element(accept_encoding); !each.empty();
       each = take_element(accept_encoding)) {
    const auto size = std::min(each.find(';'), each.size());
    const auto coding = trimmed(each.substr(0, size));
    const bool good = !is_zero_weight(each.substr(size));
    if (is_same_word(coding, "gzip") || is_same_word(coding, "x-gzip")) return good;
    if (coding == "*") others = good;
  }
  return others;
}

bool has_tag(std::string_view list, std::string_view tag) {
  if (trimmed(list) == "*") return true;
  std::string_view each;
  while (take_tag(list, each)) {
    if (each == tag) return true;
  }
  return false;
}

std::string_view reason_phrase(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 19> kPhrases = {{
      {200, "OK"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& [each, phrase] : kPhrases) {
    if (each == status) return phrase;
  }
  return {};
}

}  // namespace chatd::http
