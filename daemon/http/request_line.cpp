#include "http/request_line.hpp"

#include <algorithm>

namespace chatd::http {
namespace {

/// Its first line, which no other request can have: the method is reserved for it.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n";
constexpr std::string_view kVersion = " HTTP/1.";
constexpr std::string_view kEnd = "\r\n";

bool is_of_method(char c) {
  return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool is_of_target(char c) {
  return c > ' ' && c < '\x7F';
}

/// What has come of a word that must stand there: all of it, a part, or something else.
FirstLine look_for(std::string_view word, std::string_view bytes) {
  if (bytes.starts_with(word)) return FirstLine::kRequest;
  return word.starts_with(bytes) ? FirstLine::kPerhaps : FirstLine::kNo;
}

/// `rest` begins behind the request-target.
FirstLine look_at_end(std::string_view rest) {
  const auto version = look_for(kVersion, rest);
  if (version != FirstLine::kRequest) return version;
  rest.remove_prefix(kVersion.size());
  if (rest.empty()) return FirstLine::kPerhaps;
  if (rest.front() != '0' && rest.front() != '1') return FirstLine::kNo;
  return look_for(kEnd, rest.substr(1));
}

FirstLine look_at_line(std::string_view line) {
  const auto preface = look_for(kPreface, line);
  if (preface == FirstLine::kRequest) return FirstLine::kHttp2;
  if (preface == FirstLine::kPerhaps) return preface;
  const auto method_end = std::find_if_not(line.begin(), line.end(), is_of_method);
  const auto method = static_cast<std::size_t>(method_end - line.begin());
  if (method > kMostMethod) return FirstLine::kNo;
  if (method == line.size()) return FirstLine::kPerhaps;
  if (method == 0 || line[method] != ' ') return FirstLine::kNo;
  line.remove_prefix(method + 1);
  const auto target_end = std::find_if_not(line.begin(), line.end(), is_of_target);
  const auto target = static_cast<std::size_t>(target_end - line.begin());
  if (target == line.size()) return FirstLine::kPerhaps;
  return target == 0 ? FirstLine::kNo : look_at_end(line.substr(target));
}

}  // namespace

FirstLine look_for_request(std::string_view bytes) {
  const auto seen = look_at_line(bytes.substr(0, kMostHead));
  return seen == FirstLine::kPerhaps && bytes.size() >= kMostHead ? FirstLine::kNo : seen;
}

}  // namespace chatd::http
