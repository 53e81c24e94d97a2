#include "http/request_head.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "http/path.hpp"
#include "http/syntax.hpp"

namespace chatd::http {
namespace {

struct Answer {
  int status;
  std::string_view text;
};

Answer answer_of(HeadFault fault) {
  switch (fault) {
    case HeadFault::kNone:
      return {200, "is right"};
    case HeadFault::kLine:
      return {400, "does not begin with a request line"};
    case HeadFault::kLineTooLong:
      return {414, "has a first line of more than 8192 bytes"};
    case HeadFault::kMethodNotAllowed:
      return {405, "is neither GET nor HEAD"};
    case HeadFault::kMethodUnknown:
      return {501, "has a method that is not known here"};
    case HeadFault::kVersion:
      return {505, "is of another version than HTTP/1.0 and HTTP/1.1"};
    case HeadFault::kHttp2:
      return {505, "is HTTP/2, which is not spoken here"};
    case HeadFault::kTarget:
      return {400, "is not for a path"};
    case HeadFault::kPath:
      return {400, "is for a path that nobody may mean"};
    case HeadFault::kTooLong:
      return {431, "has a head of more than 8192 bytes"};
    case HeadFault::kTooManyFields:
      return {431, "has more than 100 fields"};
    case HeadFault::kLineEnd:
      return {400, "has a line that does not end in CR LF"};
    case HeadFault::kFolding:
      return {400, "has a line that begins with a blank"};
    case HeadFault::kFieldName:
      return {400, "has a line that is no field"};
    case HeadFault::kFieldValue:
      return {400, "has a control character in a field"};
    case HeadFault::kNoHost:
      return {400, "has no Host"};
    case HeadFault::kHost:
      return {400, "has a Host that is none"};
    case HeadFault::kRepeated:
      return {400, "has two fields where one may be"};
    case HeadFault::kContentLength:
      return {400, "has a Content-Length that is no number"};
    case HeadFault::kBody:
      return {413, "has a body"};
    case HeadFault::kTransferEncoding:
      return {501, "has a Transfer-Encoding"};
    case HeadFault::kTwoLengths:
      return {400, "has a Transfer-Encoding where none may be"};
    case HeadFault::kExpect:
      return {417, "expects something (Expect)"};
  }
  return {400, "is wrong"};
}

/// RFC 9110, section 9.3, and RFC 5789.
bool is_known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kMethods = {
      "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

/// RFC 9112, section 2.3.
bool is_version(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

bool is_target(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

int status_of(HeadFault fault) {
  return answer_of(fault).status;
}

std::string_view to_string(HeadFault fault) {
  return answer_of(fault).text;
}

RequestHead::State RequestHead::take(std::string_view& input) {
  while (state_ == State::kMore && !input.empty()) {
    const auto end = input.find('\n');
    const bool ends = end != std::string_view::npos;
    const auto room = kMostHead - bytes_.size();
    const auto size = std::min(ends ? end + 1 : input.size(), room);
    bytes_ += input.substr(0, size);
    input.remove_prefix(size);
    if (bytes_.back() == '\n') {
      const auto fault = end_line();
      if (fault != HeadFault::kNone) return refuse(fault);
    }
    if (bytes_.size() == kMostHead && state_ == State::kMore) {
      return refuse(line_ == 0 ? HeadFault::kLineTooLong : HeadFault::kTooLong);
    }
  }
  return state_;
}

RequestHead::State RequestHead::refuse(HeadFault fault) {
  fault_ = fault;
  return state_ = State::kRefused;
}

RequestHead::Place RequestHead::place_of(std::string_view part) const {
  return {static_cast<std::uint16_t>(part.data() - bytes_.data()),
          static_cast<std::uint16_t>(part.size())};
}

/// Reads the line that an LF has just ended. Whatever is wrong with a line is said when it has
/// ended, and so however it was cut.
HeadFault RequestHead::end_line() {
  auto line = std::string_view{bytes_}.substr(line_);
  line.remove_suffix(1);
  const bool first = line_ == 0;
  if (!line.ends_with('\r')) return HeadFault::kLineEnd;
  line.remove_suffix(1);
  if (line.find('\r') != std::string_view::npos) return HeadFault::kLineEnd;
  line_ = static_cast<std::uint16_t>(bytes_.size());
  if (first) return read_request_line(line);
  return line.empty() ? end_head() : read_field(line);
}

HeadFault RequestHead::read_request_line(std::string_view line) {
  const auto before = line.find(' ');
  const auto behind = line.rfind(' ');
  if (before == behind) return HeadFault::kLine;  // one blank, or none
  const auto method = line.substr(0, before);
  const auto target = line.substr(before + 1, behind - before - 1);
  const auto version = line.substr(behind + 1);
  if (!is_token(method) || !is_target(target) || !is_version(version)) return HeadFault::kLine;
  is_head_ = method == "HEAD";
  is_1_1_ = version == "HTTP/1.1";
  if (line == "PRI * HTTP/2.0") return HeadFault::kHttp2;
  if (!is_1_1_ && version != "HTTP/1.0") return HeadFault::kVersion;
  if (is_known_method(method)) return HeadFault::kMethodNotAllowed;
  if (!is_head_ && method != "GET") return HeadFault::kMethodUnknown;
  return read_target(target);
}

HeadFault RequestHead::read_target(std::string_view target) {
  if (!target.starts_with('/')) return HeadFault::kTarget;
  if (target.find('#') != std::string_view::npos) return HeadFault::kTarget;
  const auto mark = std::min(target.find('?'), target.size());
  query_ = place_of(target.substr(std::min(mark + 1, target.size())));
  auto path = decoded_path(target.substr(0, mark));
  if (!path) return HeadFault::kPath;
  path_ = std::move(*path);
  return HeadFault::kNone;
}

HeadFault RequestHead::read_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return HeadFault::kFolding;
  if (fields_.size() == kMostFields) return HeadFault::kTooManyFields;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return HeadFault::kFieldName;
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return HeadFault::kFieldName;
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return HeadFault::kFieldValue;
  fields_.push_back({place_of(name), place_of(value)});
  return HeadFault::kNone;
}

/// The empty line has come: is all of it together what it must be?
HeadFault RequestHead::end_head() {
  // Of lists (Connection, Upgrade, Sec-WebSocket-Protocol) there may be several.
  static constexpr std::array<std::string_view, 5> kSingle = {
      "Host", "Content-Length", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version"};
  for (const auto name : kSingle) {
    if (count(name) > 1) return HeadFault::kRepeated;
  }
  auto fault = read_host();
  if (fault == HeadFault::kNone) fault = fault_of_body();
  if (fault != HeadFault::kNone) return fault;
  if (count("Expect") > 0) return HeadFault::kExpect;
  state_ = State::kWhole;
  return HeadFault::kNone;
}

HeadFault RequestHead::read_host() {
  const auto host = field("Host");
  if (!host) return is_1_1_ ? HeadFault::kNoHost : HeadFault::kNone;
  host_ = Site::parse(*host);
  return host_ ? HeadFault::kNone : HeadFault::kHost;
}

/// RFC 9112, section 6: both of them together are how requests are smuggled, and HTTP/1.0 has no
/// Transfer-Encoding.
HeadFault RequestHead::fault_of_body() const {
  const auto length = field("Content-Length");
  if (count("Transfer-Encoding") > 0) {
    return length || !is_1_1_ ? HeadFault::kTwoLengths : HeadFault::kTransferEncoding;
  }
  if (!length) return HeadFault::kNone;
  if (!is_number(*length)) return HeadFault::kContentLength;
  const bool zero = length->find_first_not_of('0') == std::string_view::npos;
  return zero ? HeadFault::kNone : HeadFault::kBody;
}

std::size_t RequestHead::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& each) { return is_same_word(view(each.name), name); }));
}

std::optional<std::string_view> RequestHead::field(std::string_view name) const {
  for (const Field& each : fields_) {
    if (is_same_word(view(each.name), name)) return view(each.value);
  }
  return std::nullopt;
}

std::string RequestHead::list(std::string_view name) const {
  std::string all;
  for (const Field& each : fields_) {
    if (!is_same_word(view(each.name), name)) continue;
    if (!all.empty()) all += ", ";
    all += view(each.value);
  }
  return all;
}

void RequestHead::save(ByteWriter& out) const {
  assert(state_ == State::kMore);
  out.text(bytes_);
}

/// The bytes say everything: they are read again.
void RequestHead::restore(ByteReader& in) {
  auto bytes = in.text();
  in.require(take(bytes) == State::kMore);
}

}  // namespace chatd::http
