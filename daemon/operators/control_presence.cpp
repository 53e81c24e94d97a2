// Which operators are there: what they are called, who is away, and who is waited for after
// all had to leave. With what an operator asks about its own connection.
#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "base/protocol.hpp"
#include "base/version.hpp"
#include "events/event_json.hpp"
#include "operators/control.hpp"
#include "operators/control_operator.hpp"

namespace chatd {

namespace {

/// Of what is said for an operator who is away: an original client reads it at once.
constexpr std::size_t kMaxAway = core::kOriginalRead;
/// How long the claims of operators wait who had to leave.
constexpr Duration kReturn{10'000};

}  // namespace

// ---- names ----

bool Control::is_there(std::string_view name, const Operator* except) const {
  return std::any_of(operators_.begin(), operators_.end(), [&](const auto& other) {
    return other && other.get() != except && other->name == name;
  });
}

/// `wish`, or with a number if it is taken; with one in any case if it may not be `itself`.
std::string Control::unique_name(std::string_view wish, const Operator* self, bool itself) const {
  std::string name{wish};
  for (int number = 2; !itself || is_there(name, self); ++number) {
    name = std::string{wish} + "-" + std::to_string(number);
    itself = true;
  }
  return name;
}

/// For one who has not said who it is. That somebody must come back to a name is not known
/// to it.
std::string Control::usual_name(const std::string& user) const {
  std::string name = unique_name(user, nullptr);
  while (awaiting_ && clients_.claims_while_there(name)) name = unique_name(name, nullptr, false);
  return name;
}

/// The name that `self` asks for. A connection that has done nothing under that name yet
/// gives way: operators who come back, all at once, are who they were.
std::string Control::take_name(std::string_view wish, const Operator& self) {
  for (const auto& other : operators_) {
    if (!other || other.get() == &self || !other->unheard || other->name != wish) continue;
    other->name = unique_name(wish, other.get(), false);
  }
  return unique_name(wish, &self);
}

void Control::await_return() {
  awaiting_ = true;
  last_word_ = clients_.away_before();
  return_.start(kReturn);
}

/// No operator has that name any more: what it claimed while it was there is free.
void Control::has_gone(std::string_view name) {
  if (awaiting_ || name.empty()) return;
  clients_.release_if([name](auto holder) { return holder == name; });
}

// ---- what an operator asks about its own connection ----

void Control::hello(io::StreamId id, rpc::Params& params, Reply& reply) {
  const auto wish = params.text_or("name", {});
  check_name(params, wish);
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  const std::string name = wish.empty() ? self.name : take_name(wish, self);
  if (name != self.name) {
    const std::string before = std::exchange(self.name, name);
    if (std::exchange(self.greeted, false)) clients_.operator_changed(before, "detached");
    has_gone(before);
  }
  if (!std::exchange(self.greeted, true)) {
    clients_.operator_changed(self.name, "attached");
    if (!self.away.empty()) clients_.operator_changed(self.name, "away", self.away);
  }
  count_away();
  std::string result = "{\"version\":\"" + std::string{kVersion} +
                       "\",\"protocol\":" + std::to_string(kProtocolVersion) + ",\"operator\":";
  append_json_string(result, self.name);
  result += ",\"seq\":" + std::to_string(log_.last_seq());
  result += ",\"unread\":" + std::to_string(inbox_.unread());
  result += ",\"attended\":" + std::to_string(inbox_.attended()) + "}";
  reply.result(result);
}

void Control::subscribe(io::StreamId id, rpc::Params& params, Reply& reply) {
  const bool replay = params.has("since");
  const auto since = params.number_or("since", 0);
  const bool watch = params.flag("watch");
  if (!reply.accept(params)) return;
  publish();  // "from now on" means after what has happened already
  Operator& self = *operators_[id];
  if (self.leaving) return;
  reply.result("{\"seq\":" + std::to_string(log_.sealed_seq()) + "}");
  write(id, std::exchange(reply.out, {}));
  if (!std::exchange(self.subscribed, true)) inbox_.came();
  self.watching = watch;
  count_away();
  self.fetch = 0;
  self.live = !replay || since >= log_.sealed_seq();
  self.cursor = since;
  if (!self.live) catch_up(id);
}

void Control::away(io::StreamId id, rpc::Params& params, Reply& reply) {
  const auto text = params.text("text");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    params.fail("text must say something");
  } else if (text.size() > kMaxAway) {
    params.fail("text must have at most 1024 bytes, as much as an original client reads at once");
  }
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  if (self.away != text) {
    self.away = text;
    self.away_since = ++last_number_;
    clients_.operator_changed(self.name, "away", text);
    count_away();
  }
  reply.result("{}");
}

void Control::back(io::StreamId id, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  if (!std::exchange(self.away, {}).empty()) {
    clients_.operator_changed(self.name, "back");
    last_word_.reset();
    count_away();
  }
  reply.result("{}");
}

/// Everybody is away if all who listen, and could answer, are. What is said is what the
/// last one to go has said. With nobody there, nobody is away. Operators who had to leave
/// come back in any order: until then, who was the last of them is known.
void Control::count_away() {
  Operator* last = nullptr;
  bool is_back = false;
  for (const auto& each : operators_) {
    if (!each || each->leaving || each->watching) continue;
    if (each->away.empty() && each->subscribed) {
      clients_.set_away({});
      return;
    }
    if (each->away.empty() || is_back) continue;
    is_back = last_word_ == core::Away{each->away, each->name};
    if (is_back || last == nullptr || each->away_since > last->away_since) last = each.get();
  }
  if (last == nullptr || (last_word_ && !is_back)) {
    clients_.set_away({});
    return;
  }
  if (is_back) last->away_since = ++last_number_;
  clients_.set_away(core::Away{last->away, last->name});
}

}  // namespace chatd
