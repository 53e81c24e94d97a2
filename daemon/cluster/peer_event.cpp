#include "cluster/peer_event.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/event_kinds.hpp"
#include "base/most_number.hpp"
#include "base/names.hpp"
#include "base/protocol.hpp"
#include "operators/rpc.hpp"

namespace chatd::cluster {

namespace {

/// To how many sessions one text may have gone: all that a node has.
constexpr std::size_t kMostSessions = 1'000'000;
constexpr std::size_t kMostWord = 32;

struct TextMember {
  std::string_view name;
  std::string_view Event::*field;
  bool is_name;
};

constexpr std::array<TextMember, 11> kTexts{{
    {"address", &Event::address, false},
    {"listener", &Event::listener, false},
    {"verified", &Event::verified, true},
    {"via", &Event::via, false},
    {"tls", &Event::tls, false},
    {"operator", &Event::operator_name, true},
    {"reason", &Event::reason, false},
    {"name", &Event::name, true},
    {"from", &Event::from, true},
    {"by", &Event::by, true},
    {"until", &Event::until, false},
}};

bool is_word(std::string_view word) {
  return !word.empty() && word.size() <= kMostWord &&
         std::all_of(word.begin(), word.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// Digits of `text` from `at` on; -1: there is something else.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// As rfc3339() writes it (RFC 3339, section 5.6); nothing if it is anything else.
std::optional<WallTime> read_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";
  if (text.size() != kShape.size()) return {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kShape[i] != '0' && text[i] != kShape[i]) return {};
  }
  const std::array parts{digits(text, 0, 4),  digits(text, 5, 2),  digits(text, 8, 2),
                         digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2),
                         digits(text, 20, 3)};
  if (std::any_of(parts.begin(), parts.end(), [](int part) { return part < 0; })) return {};
  const std::chrono::year_month_day date{std::chrono::year{parts[0]},
                                         std::chrono::month{static_cast<unsigned>(parts[1])},
                                         std::chrono::day{static_cast<unsigned>(parts[2])}};
  if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return {};
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{parts[3]} +
         std::chrono::minutes{parts[4]} + std::chrono::seconds{parts[5]} +
         std::chrono::milliseconds{parts[6]};
}

}  // namespace

/// Reads the members of one event. The first thing that is wrong is kept.
class PeerEvent::Reader {
 public:
  explicit Reader(PeerEvent& into) : into_{into}, event_{into.event_} {}

  [[nodiscard]] const std::string& problem() const { return problem_; }

  void read_head() {
    into_.number_ = number("seq", false);
    const auto time = read_time(text("time", kMostText));
    if (!time) return fail("time is none");
    into_.time_ = *time;
  }

  void read_members(EventKind kind) {
    event_.kind = kind;
    for (auto members = row_of(kind).members; !members.empty();) {
      const auto end = members.find(' ');
      auto name = members.substr(0, end);
      members.remove_prefix(end == std::string_view::npos ? members.size() : end + 1);
      const bool optional = name.ends_with('?');
      if (optional) name.remove_suffix(1);
      if (optional && !into_.params_.contains(name)) continue;
      read_member(kind, name, optional);
    }
  }

 private:
  void read_member(EventKind kind, std::string_view name, bool optional) {
    if (name == "session") return read_sessions(kind == EventKind::kSent);
    if (name == "text") return void(event_.text = text(name, kMaxControlText));
    if (name == "ref") return void(event_.ref = number(name, optional));
    if (name == "lost") return void(event_.lost = number(name, optional));
    if (name == "cut") return void(event_.cut = flag(name));
    if (name == "automatic") return void(event_.automatic = flag(name));
    if (name == "state") return read_state(kind == EventKind::kSent);
    const auto* const place = std::find_if(kTexts.begin(), kTexts.end(),
                                           [name](const auto& each) { return each.name == name; });
    assert(place != kTexts.end());
    const auto found = text(name, kMostText);
    event_.*(place->field) = found;
    if (!place->is_name) return;
    if (const auto fault = fault_of_name(found); !fault.empty()) {
      fail(std::string{name} + ' ' + std::string{fault});
    }
  }

  void read_sessions(bool may_be_several) {
    const auto& member = this->member("session");
    if (!may_be_several || !member.is_array()) {
      event_.session = number("session", false);
      return;
    }
    if (member.size() > kMostSessions) return fail("session has too many");
    into_.sessions_.reserve(member.size());
    for (const auto& each : member) {
      const auto id = as_number(each);
      if (!id || *id == 0) return fail("session has one that is none");
      into_.sessions_.push_back(*id);
    }
    event_.sessions = into_.sessions_;
  }

  void read_state(bool of_message) {
    event_.state = text("state", kMostText);
    if (!of_message) return;
    constexpr std::array kStates{core::SendState::kSent, core::SendState::kHeld,
                                 core::SendState::kLost};
    const auto* const place =
        std::find_if(kStates.begin(), kStates.end(),
                     [this](core::SendState each) { return to_string(each) == event_.state; });
    if (place == kStates.end()) return fail("state is none");
    event_.sent_state = *place;
  }

  const nlohmann::json& member(std::string_view name) {
    static const nlohmann::json none;
    const auto place = into_.params_.find(name);
    return place == into_.params_.end() ? none : *place;
  }

  static std::optional<std::uint64_t> as_number(const nlohmann::json& value) {
    if (!value.is_number_unsigned()) return {};
    const auto number = value.get<std::uint64_t>();
    return number <= kMostNumber ? std::optional{number} : std::nullopt;
  }

  std::uint64_t number(std::string_view name, bool may_be_zero) {
    const auto found = as_number(member(name));
    if (!found || (*found == 0 && !may_be_zero)) fail(std::string{name} + " is no number");
    return found.value_or(0);
  }

  bool flag(std::string_view name) {
    const auto& value = member(name);
    if (!value.is_boolean()) fail(std::string{name} + " is neither true nor false");
    return value.is_boolean() && value.get<bool>();
  }

  /// Lives as long as params_.
  std::string_view text(std::string_view name, std::size_t most) {
    const auto& value = member(name);
    if (!value.is_string()) {
      fail(std::string{name} + " is no string");
      return {};
    }
    const auto& found = value.get_ref<const std::string&>();
    if (found.size() > most) fail(std::string{name} + " is too long");
    return found;
  }

  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  PeerEvent& into_;
  Event& event_;
  std::string problem_;
};

Result<PeerEvent> PeerEvent::read(std::string_view line) {
  if (line.size() > kMostLine) return Error{"an event is too long"};
  auto parsed = rpc::parse(line);
  if (auto* failure = std::get_if<rpc::Failure>(&parsed)) return Error{std::move(failure->message)};
  auto& notification = std::get<rpc::Request>(parsed);
  if (!notification.id.empty()) return Error{"an event has no id"};
  if (!is_word(notification.method)) return Error{"that is the word of no event"};
  PeerEvent event;
  event.word_ = std::move(notification.method);
  event.params_ = std::move(notification.params);
  Reader reader{event};
  reader.read_head();
  const auto kind = event_kind_of(event.word_);
  if (kind && row_of(*kind).audience != Audience::kEverybody) {
    return Error{event.word_ + " is for nobody else"};
  }
  event.is_known_ = kind.has_value();
  if (kind) reader.read_members(*kind);
  if (!reader.problem().empty()) return Error{event.word_ + ": " + reader.problem()};
  if (!kind) {
    event.params_.erase("seq");
    event.params_.erase("time");
    event.body_ = event.params_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    event.body_ = event.params_.empty() ? std::string{} : "," + event.body_.substr(1);
    if (!event.body_.empty()) event.body_.pop_back();  // the brace that ends it
  }
  return event;
}

}  // namespace chatd::cluster
