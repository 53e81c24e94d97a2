#include "clients/page_protocol.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json.hpp"

namespace chatd::page {

namespace {

using nlohmann::json;

constexpr std::size_t kMostId = 64;

/// The object, or nothing if it is none.
json parse_object(std::string_view text, bool& is_json) {
  bool too_deep = false;
  const auto guard = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMostDepth;
    return depth <= kMostDepth;
  };
  json document = json::parse(text, guard, false);
  // The parser takes a NUL for the end of the text.
  is_json = text.find('\0') == std::string_view::npos && (too_deep || !document.is_discarded());
  return is_json && !too_deep && document.is_object() ? document : json{};
}

/// A member that is a text; nothing if it is missing, or something else.
std::optional<std::string> take_text(json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return std::move(member->get_ref<std::string&>());
}

/// A member that counts messages; nothing if it is something else.
std::optional<std::uint64_t> seq_of(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_unsigned()) return {};
  const auto seq = member->get<std::uint64_t>();
  return seq <= kMostSeq ? std::optional{seq} : std::nullopt;
}

Frame hello_of(json& object) {
  Hello hello;
  if (object.contains("seen")) {
    const auto seen = seq_of(object, "seen");
    if (!seen) return Fault::kHello;
    hello.seen = *seen;
  }
  if (object.contains("resume")) {
    auto resume = take_text(object, "resume");
    if (!resume) return Fault::kHello;
    hello.resume = std::move(*resume);
  }
  return hello;
}

Frame say_of(json& object) {
  auto id = take_text(object, "id");
  auto text = take_text(object, "text");
  if (!id || !text || !is_id(*id)) return Fault::kSay;
  return Say{std::move(*id), std::move(*text)};
}

Frame seen_of(const json& object) {
  const auto seq = seq_of(object, "seq");
  if (!seq) return Fault::kSeen;
  return Seen{*seq};
}

void begin(std::string& out, std::string_view type) {
  out += R"({"type":")";
  out += type;
  out += '"';
}

void add_text(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json_string(out, text);
}

void add_number(std::string& out, std::string_view name, std::uint64_t number) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, number);
}

void add_place(std::string& out, std::uint64_t seq, WallTime time) {
  add_number(out, "seq", seq);
  out += R"(,"time":")";
  append_rfc3339(out, time);
  out += '"';
}

void begin_message(std::string& out, std::uint64_t seq, WallTime time, std::string_view from) {
  begin(out, "message");
  add_place(out, seq, time);
  add_text(out, "from", from);
}

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::kNotJson:
      return "a frame is not JSON";
    case Fault::kNoType:
      return "a frame is a JSON object with a type";
    case Fault::kHello:
      return "in a hello, resume is a string, and seen a whole number";
    case Fault::kSay:
      return "a say has a text, and an id of 1 to 64 letters, digits and hyphens";
    case Fault::kSeen:
      return "in a seen, seq is a whole number";
    case Fault::kNotGreeted:
      return "the first frame is a hello";
    case Fault::kGreetedTwice:
      return "there is one hello on a connection";
    case Fault::kLate:
      return "no hello came within 5 s";
  }
  return {};
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kMostId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

Frame parse(std::string_view text) {
  bool is_json = false;
  json object = parse_object(text, is_json);
  if (!is_json) return Fault::kNotJson;
  if (!object.is_object()) return Fault::kNoType;
  const auto type = take_text(object, "type");
  if (!type) return Fault::kNoType;
  if (*type == "hello") return hello_of(object);
  if (*type == "say") return say_of(object);
  if (*type == "seen") return seen_of(object);
  if (*type == "ping") return Ping{};
  if (*type == "bye") return Bye{};
  return Unknown{};
}

void append_welcome(std::string& out, const Welcome& welcome) {
  begin(out, "welcome");
  add_text(out, "resume", welcome.resume);
  out += welcome.resumed ? R"(,"resumed":true)" : R"(,"resumed":false)";
  add_number(out, "for", welcome.wait);
  add_number(out, "max_text", welcome.max_text);
  add_number(out, "ping", kPing);
  out += '}';
}

void append_from_operator(std::string& out, std::uint64_t seq, WallTime time, std::string_view name,
                          std::string_view text) {
  begin_message(out, seq, time, "operator");
  if (!name.empty()) add_text(out, "name", name);
  add_text(out, "text", text);
  out += '}';
}

void append_from_desk(std::string& out, std::uint64_t seq, WallTime time, std::string_view text) {
  begin_message(out, seq, time, "desk");
  add_text(out, "text", text);
  out += '}';
}

void append_from_visitor(std::string& out, std::uint64_t seq, WallTime time, std::string_view id,
                         std::string_view text) {
  begin_message(out, seq, time, "visitor");
  add_text(out, "id", id);
  add_text(out, "text", text);
  out += '}';
}

void append_taken(std::string& out, std::string_view id, std::uint64_t seq, WallTime time) {
  begin(out, "taken");
  add_text(out, "id", id);
  add_place(out, seq, time);
  out += '}';
}

void append_refused(std::string& out, std::string_view id, std::string_view reason) {
  begin(out, "refused");
  add_text(out, "id", id);
  add_text(out, "reason", reason);
  out += '}';
}

void append_away(std::string& out, std::string_view text) {
  begin(out, "away");
  add_text(out, "text", text);
  out += '}';
}

void append_writing(std::string& out, std::string_view name) {
  begin(out, "writing");
  if (!name.empty()) add_text(out, "name", name);
  out += '}';
}

void append_bye(std::string& out, std::string_view text) {
  begin(out, "bye");
  add_text(out, "text", text);
  out += '}';
}

}  // namespace chatd::page
