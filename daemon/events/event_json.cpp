#include "events/event_json.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/json.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::string_view kEnd = "}}\n";

/// The members that an event may have, as kEventWords calls them.
enum class Member : std::uint8_t {
  kSession,
  kAddress,
  kListener,
  kVerified,
  kVia,
  kTls,
  kText,
  kCut,
  kOperator,
  kState,
  kAutomatic,
  kRef,
  kReason,
  kLost,
  kName,
  kFrom,
  kBy,
  kUntil,
};

/// Up to its value, in their order.
constexpr std::array<std::string_view, 18> kBefore{
    R"(,"session":)",   R"(,"address":)", R"(,"listener":)", R"(,"verified":)", R"(,"via":)",
    R"(,"tls":)",       R"(,"text":)",    R"(,"cut":)",      R"(,"operator":)", R"(,"state":)",
    R"(,"automatic":)", R"(,"ref":)",     R"(,"reason":)",   R"(,"lost":)",     R"(,"name":)",
    R"(,"from":)",      R"(,"by":)",      R"(,"until":)"};

constexpr std::string_view before(Member member) {
  return kBefore[static_cast<std::size_t>(member)];
}

struct Place {
  Member member{};
  bool optional = false;
};

/// The members of one kind, in their order.
struct Shape {
  std::array<Place, 6> places{};
  std::size_t size = 0;
};

/// What a row of the table says. A member that no event may have does not compile.
constexpr Shape shape_of(std::string_view members) {
  Shape shape;
  while (!members.empty()) {
    const auto end = members.find(' ');
    auto name = members.substr(0, end);
    members.remove_prefix(end == std::string_view::npos ? members.size() : end + 1);
    Place place;
    place.optional = name.ends_with('?');
    if (place.optional) name.remove_suffix(1);
    std::size_t member = 0;
    while (kBefore.at(member).substr(2, kBefore.at(member).size() - 4) != name) ++member;
    place.member = static_cast<Member>(member);
    shape.places.at(shape.size++) = place;
  }
  return shape;
}

constexpr auto kShapes = [] {
  std::array<Shape, kEventWords.size()> shapes;
  for (std::size_t i = 0; i < shapes.size(); ++i) shapes[i] = shape_of(kEventWords[i].members);
  return shapes;
}();

/// A few short parts as one: appending each by itself costs more than copying them.
class Parts {
 public:
  void put(std::string_view part) {
    assert(part.size() <= text_.size() - size_);
    part.copy(&text_[size_], part.size());
    size_ += part.size();
  }
  void put(std::uint64_t number) {
    const auto end = std::to_chars(&text_[size_], text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  [[nodiscard]] std::string_view all() const { return {text_.data(), size_}; }

 private:
  std::array<char, 160> text_;
  std::size_t size_ = 0;
};

void append_head(std::string& out, std::string_view word, Seq seq, WallTime time) {
  Parts parts;
  parts.put(R"({"jsonrpc":"2.0","method":")");
  parts.put(word);
  parts.put(R"(","params":{)");
  if (seq != 0) {
    parts.put(R"("seq":)");
    parts.put(seq);
    parts.put(",");
  }
  parts.put(R"("time":")");
  const auto text = rfc3339(time);
  parts.put({text.data(), text.size()});
  parts.put("\"");
  out += parts.all();
}

void append_text(std::string& out, Place place, std::string_view text) {
  if (place.optional && text.empty()) return;
  Parts parts;
  parts.put(before(place.member));
  parts.put("\"");
  out += parts.all();
  append_json(out, text);
  out += '"';
}

void append_number(std::string& out, Place place, std::uint64_t number) {
  if (place.optional && number == 0) return;
  Parts parts;
  parts.put(before(place.member));
  parts.put(number);
  out += parts.all();
}

void append_flag(std::string& out, Place place, bool flag) {
  if (place.optional && !flag) return;
  Parts parts;
  parts.put(before(place.member));
  parts.put(flag ? "true" : "false");
  out += parts.all();
}

void append_member(std::string& out, Place place, const Event& event) {
  switch (place.member) {
    case Member::kSession:
      if (event.session != 0) return append_number(out, place, event.session);
      out += before(place.member);
      return append_json_ids(out, event.sessions);
    case Member::kAddress:
      return append_text(out, place, event.address);
    case Member::kListener:
      return append_text(out, place, event.listener);
    case Member::kVerified:
      return append_text(out, place, event.verified);
    case Member::kVia:
      return append_text(out, place, event.via);
    case Member::kTls:
      return append_text(out, place, event.tls);
    case Member::kText:
      return append_text(out, place, event.text);
    case Member::kCut:
      return append_flag(out, place, event.cut);
    case Member::kOperator:
      return append_text(out, place, event.operator_name);
    case Member::kState:
      return append_text(
          out, place, event.kind == EventKind::kSent ? to_string(event.sent_state) : event.state);
    case Member::kAutomatic:
      return append_flag(out, place, event.automatic);
    case Member::kRef:
      return append_number(out, place, event.ref);
    case Member::kReason:
      return append_text(out, place, event.reason);
    case Member::kLost:
      return append_number(out, place, event.lost);
    case Member::kName:
      return append_text(out, place, event.name);
    case Member::kFrom:
      return append_text(out, place, event.from);
    case Member::kBy:
      return append_text(out, place, event.by);
    case Member::kUntil:
      return append_text(out, place, event.until);
  }
}

}  // namespace

std::string_view append_event(std::string& out, Seq seq, WallTime time, const Event& event) {
  append_head(out, to_string(event.kind), seq, time);
  const auto begin = out.size();
  const Shape& shape = kShapes[static_cast<std::size_t>(event.kind)];
  for (std::size_t i = 0; i < shape.size; ++i) append_member(out, shape.places[i], event);
  const auto size = out.size() - begin;
  out += kEnd;
  return std::string_view{out}.substr(begin, size);
}

void append_recorded(std::string& out, Seq seq, WallTime time, std::string_view word,
                     std::string_view body) {
  append_head(out, word, seq, time);
  out += body;
  out += kEnd;
}

void append_lagged(std::string& out, Seq seq, Seq lost, WallTime time) {
  Event event;
  event.kind = EventKind::kLagged;
  event.lost = lost;
  append_event(out, seq, time, event);
}

}  // namespace chatd
