// What clients of a room hear of each other: each line behind the name of who said it, escaped, so
// that nobody can forge another's, and what operators say stays the only text without a name.
#include <algorithm>
#include <utility>

#include "base/names.hpp"
#include "base/text.hpp"
#include "core/router.hpp"

namespace chatd::core {

namespace {

constexpr std::size_t kLongestName = 32;
/// Those who have no name yet are called by their number.
constexpr std::string_view kGuest = "guest-";

/// Appends each line of `text` behind `prefix`.
void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
  while (true) {
    const auto end = text.find('\n');
    if (!out.empty()) out += '\n';
    out += prefix;
    append_escaped(out, text.substr(0, end));
    if (end == std::string_view::npos || end + 1 == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

/// What is wrong with a name that a client wishes; empty: nothing.
std::string fault_of(std::string_view name) {
  if (name.empty()) return "a name is missing: /name NAME";
  if (name.size() > kLongestName) return "a name has at most 32 bytes";
  if (const auto fault = fault_of_name(name); !fault.empty()) return "a name " + std::string{fault};
  if (name.find_first_of("<>*") != std::string_view::npos) return "a name has none of <, > and *";
  const bool is_number = name.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number || name == "all" || name.starts_with(kGuest)) return "that name means something";
  return {};
}

/// What the others of its room see. A name that was given to it, and would look like what the room
/// itself says, is not for them.
std::string name_in_room(const Session& session) {
  const auto name = session.name();
  const bool misleads =
      name.find_first_of("<>*") != std::string_view::npos || name.starts_with(kGuest);
  return name.empty() || misleads ? std::string{kGuest} + std::to_string(session.id())
                                  : std::string{name};
}

}  // namespace

void Router::News::wish(Session& session, std::string_view name, Context& context) {
  add_messages(session, context);  // under the name that it had
  const auto before = name_in_room(session);
  tell_name(session, before, rename(session, name, context), context);
}

void Router::News::lose(Session& session, Context& context) {
  const auto before = name_in_room(session);
  router_.rename(session, {});
  Event& event = context.outbox.add(EventKind::kNamed, session.id());
  event.slot = session.slot();
  event.automatic = true;
  tell_name(session, before, {}, context);
}

/// It hears what it is called now, or what is against that (`fault`), and the others hear the
/// former.
void Router::News::tell_name(Session& session, const std::string& before, const std::string& fault,
                             Context& context) {
  const bool is_named = fault.empty();
  if (!context.gone && session.hears_room()) {
    const auto answer = "* " + (is_named ? "you are " + name_in_room(session) + " now" : fault);
    Outgoing message{answer, 0};
    if (!router_.has_room(session, message, context)) {
      router_.give_up(session, context);
      return;
    }
    session.hear(message, context);
  }
  if (is_named && session.presence() == Session::Presence::kThere) {
    append_lines(text_, "* ", before + " is " + name_in_room(session) + " now");
  }
}

/// Gives the session the name that it wishes. Returns what is against it; empty: nothing.
std::string Router::News::rename(Session& session, std::string_view name, Context& context) {
  if (auto fault = fault_of(name); !fault.empty()) return fault;
  const auto& members = router_.rooms_.members(session.room());
  const bool taken = std::any_of(members.begin(), members.end(), [&](Slot slot) {
    return slot != session.slot() && is_same_name(name_in_room(*router_.slots_[slot]), name);
  });
  if (taken) return "somebody is called " + std::string{name} + " already";
  // What it was given stays given, though it wishes the same.
  if (is_same_name(session.name(), name) && !session.has_wished_name()) return {};
  router_.rename(session, name, true);
  const auto kept = context.outbox.keep(name);
  Event& event = context.outbox.add(EventKind::kNamed, session.id());
  event.slot = session.slot();
  event.text = kept;
  return {};
}

void Router::News::add_messages(Session& session, const Context& context) {
  const auto& events = context.outbox.events();
  for (; next_event_ < events.size(); ++next_event_) {
    const Event& event = events[next_event_];
    if (event.kind != EventKind::kMessage || event.session != session.id()) continue;
    if (session.presence() == Session::Presence::kUnseen) {
      append_lines(text_, "* ", name_in_room(session) + " has come");
      session.set_presence(Session::Presence::kThere);
    }
    append_lines(text_, "<" + name_in_room(session) + "> ", context.outbox.text(event.text));
  }
}

std::string& Router::News::finish(Session& session, const Context& context) {
  if (router_.stopping_) {
    text_.clear();
    return text_;
  }
  add_messages(session, context);
  if (session.ended() && session.presence() == Session::Presence::kThere) {
    append_lines(text_, "* ", name_in_room(session) + " has left");
    session.set_presence(Session::Presence::kLeft);
  }
  return text_;
}

void Router::pass_on(Rooms::Number room, Slot from, const std::string& news, Time now,
                     Outbox& outbox) {
  Outgoing message{news, 0};
  std::vector<Slot> deaf;
  for (const Slot slot : rooms_.members(room)) {
    if (slot == from) continue;
    Session& session = *slots_[slot];
    if (!session.hears_room()) continue;
    Context work{settings_, now, outbox, reading_, counters_, outbox.writes().size()};
    if (has_room(session, message, work)) {
      session.hear(message, work);
      follow_up(session);
    } else {
      deaf.push_back(slot);
    }
  }
  // Each of these is news for the others, too.
  for (const Slot slot : deaf) {
    if (!has(slot)) continue;
    with(slot, now, outbox, [this](Session& session, Context& work) { give_up(session, work); });
  }
}

}  // namespace chatd::core
