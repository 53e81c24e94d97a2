#include "clients/pages.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>
#include <variant>

#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::size_t kMostReason = 123;  ///< RFC 6455, 5.5
constexpr std::size_t kWelcomeBytes = 256;

}  // namespace

// ---- connections ----

void Pages::attach(core::Slot connection, Time now) {
  assert(!has_connection(connection));
  connections_[connection].hello_by = now + kHello;
  silent_.emplace(now + kHello, connection);
}

void Pages::take(core::Slot connection, std::string_view text, Time now, WallTime date) {
  const auto place = connections_.find(connection);
  if (place == connections_.end()) return;
  const auto session = place->second.session;
  const auto frame = page::parse(text);
  const auto* hello = std::get_if<page::Hello>(&frame);
  auto fault = page::Fault::kNotGreeted;
  if (const auto* wrong = std::get_if<page::Fault>(&frame)) {
    fault = *wrong;
  } else if (!session && hello != nullptr) {
    return greet(connection, *hello, now);
  } else if (session && hello != nullptr) {
    fault = page::Fault::kGreetedTwice;
  } else if (session) {
    if (sessions_.at(*session).page.tokens().newest_is_unsure()) {
      change_tokens(*session, [](PageTokens& tokens) { tokens.arrived(); });
    }
    if (const auto* said = std::get_if<page::Say>(&frame)) say(connection, *session, *said, date);
    if (const auto* seen = std::get_if<page::Seen>(&frame)) see(*session, seen->seq);
    if (std::holds_alternative<page::Ping>(frame)) send(connection, page::kPong);
    if (std::holds_alternative<page::Bye>(frame)) bye(connection, *session);
    return;
  }
  end(connection, kNotLetIn, page::to_string(fault), now);
}

void Pages::drained(core::Slot connection) {
  const auto place = connections_.find(connection);
  if (place == connections_.end()) return;
  place->second.waits = false;
  if (place->second.session) tell(*place->second.session);
}

void Pages::detach(core::Slot connection, Time now) {
  if (const auto session = forget(connection, now)) host_.went_away(*session);
}

void Pages::close_all(std::uint16_t code, std::string_view reason, Time now) {
  while (!connections_.empty()) end(connections_.begin()->first, code, reason, now);
}

void Pages::end(core::Slot connection, std::uint16_t code, std::string_view reason, Time now) {
  const auto session = forget(connection, now);
  host_.close(connection, code, prefix_of(reason, kMostReason));
  if (session) host_.went_away(*session);
}

std::optional<core::Slot> Pages::forget(core::Slot connection, Time now) {
  const auto place = connections_.find(connection);
  if (place == connections_.end()) return {};
  const auto slot = place->second.session;
  silent_.erase({place->second.hello_by, connection});
  connections_.erase(place);
  if (!slot) return {};
  Session& session = sessions_.at(*slot);
  session.page.left();
  session.connection.reset();
  session.lost_at = now;
  waiting_.emplace(now, *slot);
  return slot;
}

void Pages::send(core::Slot connection, std::string_view frame) {
  if (host_.send(connection, frame)) return;
  const auto place = connections_.find(connection);
  if (place != connections_.end()) place->second.waits = true;
}

void Pages::send_to_all(std::string_view frame) {
  std::vector<core::Slot> all;
  for (const auto& [slot, connection] : connections_) {
    if (connection.session) all.push_back(slot);
  }
  for (const auto slot : all) {
    if (has_connection(slot)) send(slot, frame);
  }
}

// ---- who comes ----

void Pages::greet(core::Slot connection, const page::Hello& frame, Time now) {
  Connection& greeted = connections_.at(connection);
  silent_.erase({greeted.hello_by, connection});
  greeted.hello_by = kNever;
  const auto known = by_token_.find(hashed(frame.resume));
  if (known == by_token_.end()) return begin(connection, now);
  const auto session = known->second;
  change_tokens(session, [hash = known->first](PageTokens& tokens) { tokens.used(hash); });
  resume(connection, session, frame);
}

void Pages::begin(core::Slot connection, Time now) {
  auto opened = host_.open_session(connection);
  if (!opened) {
    if (has_connection(connection)) end(connection, kNotLetIn, opened.error().message, now);
    return;
  }
  // Nobody could come back to it: there is no token yet.
  if (!has_connection(connection)) return host_.expired(*opened);
  const auto [place, is_new] = sessions_.try_emplace(*opened);
  assert(is_new);
  place->second.connection = connection;
  place->second.page.came(0);
  connections_.at(connection).session = *opened;
  welcome(connection, *opened, false);
}

void Pages::resume(core::Slot connection, core::Slot slot, const page::Hello& frame) {
  Session& session = sessions_.at(slot);
  const auto older = std::exchange(session.connection, connection);
  if (older) connections_.erase(*older);
  waiting_.erase({session.lost_at, slot});
  session.lost_at = kNever;
  session.page.came(frame.seen);
  connections_.at(connection).session = slot;
  if (older) host_.close(*older, kElsewhere, "the session goes on elsewhere");
  if (connection_of(slot) == connection) host_.came_back(slot, connection);
  welcome(connection, slot, true);
}

void Pages::welcome(core::Slot connection, core::Slot session, bool resumed) {
  if (connection_of(session) != connection) return;
  tls::CleansedText token;
  change_tokens(session, [&token](PageTokens& tokens) { token = tokens.offer(); });
  std::string frame;
  frame.reserve(kWelcomeBytes);  // growing would leave copies behind
  const auto wait = std::chrono::floor<std::chrono::seconds>(settings_.resume);
  page::append_welcome(frame, {.resume = token.view(),
                               .resumed = resumed,
                               .wait = static_cast<std::uint64_t>(wait.count()),
                               .max_text = settings_.max_text});
  send(connection, frame);
  tls::cleanse(frame.data(), frame.size());
  if (away_ && connection_of(session) == connection) {
    frame.clear();
    page::append_away(frame, *away_);
    send(connection, frame);
  }
  tell(session);
}

template <class Change>
void Pages::change_tokens(core::Slot slot, Change change) {
  note(slot, sessions_.at(slot));
  PageTokens& tokens = sessions_.at(slot).page.tokens();
  for (const auto& each : tokens.good()) by_token_.erase(each);
  change(tokens);
  for (const auto& each : tokens.good()) by_token_.emplace(each, slot);
}

// ---- what is said ----

void Pages::say(core::Slot connection, core::Slot session, const page::Say& frame, WallTime date) {
  std::string answer;
  const auto saying = sessions_.at(session).page.asked(frame.id, answer);
  if (saying == Page::Saying::kTaken) return;
  if (saying == Page::Saying::kTakenAgain) return send(connection, answer);
  if (frame.text.size() > settings_.max_text) {
    page::append_refused(answer, frame.id, page::kTooLong);
    return send(connection, answer);
  }
  if (saying == Page::Saying::kFull || !host_.may_say(session)) {
    page::append_refused(answer, frame.id, page::kTooMuch);
    return send(connection, answer);
  }
  Session& speaker = sessions_.at(session);
  speaker.page.take(frame.id, frame.text, date);
  note(session, speaker);
  // Before it is said: an answer has a higher seq, and comes behind.
  tell(session);
  if (has_session(session)) host_.say(session, frame.text);
}

void Pages::see(core::Slot slot, std::uint64_t seq) {
  Session& session = sessions_.at(slot);
  session.page.see(seq);
  note(slot, session);
}

void Pages::bye(core::Slot connection, core::Slot session) {
  connections_.erase(connection);
  Session& ended = sessions_.at(session);
  ended.connection.reset();
  ended.page.see_told();
  forget_tokens(ended);
  std::string frame;
  page::append_bye(frame, {});
  (void)host_.send(connection, frame);
  host_.close(connection, kOver, {});
  host_.bye(session);  // while it is known here what is lost with it
  (void)take_out(session);
}

/// As far as there is room.
void Pages::tell(core::Slot slot) {
  std::string frame;
  for (;;) {
    Session* const session = find(slot);
    if (session == nullptr || !session->connection) return;
    const auto connection = *session->connection;
    if (connections_.at(connection).waits) return;
    frame.clear();
    if (!session->page.next(frame, settings_.show_operator)) return;
    send(connection, frame);
  }
}

bool Pages::has_room(core::Slot session, std::size_t bytes) const {
  const Session* const known = find(session);
  return known != nullptr && known->page.has_room(bytes, settings_.output_hard);
}

Pages::Written Pages::write(core::Slot session, Payload payload, WallTime date) {
  Session* const known = find(session);
  if (known == nullptr) return Written::kNoSession;
  if (!has_room(session, payload.size())) return Written::kFull;
  known->page.hear(std::move(payload), date);
  note(session, *known);
  tell(session);
  return Written::kKept;
}

void Pages::closed(core::Slot session, std::string_view farewell, std::uint16_t code) {
  auto gone = take_out(session);
  if (!gone || !gone->connection) return;
  const auto connection = *gone->connection;
  connections_.erase(connection);
  std::string frame;
  while (gone->page.next(frame, settings_.show_operator)) {
    (void)host_.send(connection, frame);
    frame.clear();
  }
  if (code == kStops) return host_.close(connection, code, "the daemon stops");
  page::append_bye(frame, farewell);
  (void)host_.send(connection, frame);
  host_.close(connection, code, {});
}

/// Nobody comes back to it.
void Pages::forget_tokens(Session& session) {
  for (const auto& each : session.page.tokens().good()) by_token_.erase(each);
}

std::optional<Pages::Session> Pages::take_out(core::Slot session) {
  auto known = sessions_.extract(session);
  if (!known) return {};
  forget_tokens(known.mapped());
  waiting_.erase({known.mapped().lost_at, session});
  return std::move(known.mapped());
}

std::uint32_t Pages::unseen(core::Slot session) const {
  const Session* const known = find(session);
  return known == nullptr ? 0 : known->page.unseen();
}

// ---- operators ----

void Pages::away(std::string_view text) {
  if (away_ == text) return;
  away_ = text;
  std::string frame;
  page::append_away(frame, text);
  send_to_all(frame);
}

void Pages::here() {
  if (!away_) return;
  away_.reset();
  send_to_all(page::kHere);
}

void Pages::writing(core::Slot session, std::string_view operator_name) {
  const auto connection = connection_of(session);
  if (!connection || connections_.at(*connection).waits) return;
  std::string frame;
  page::append_writing(frame, settings_.show_operator ? operator_name : std::string_view{});
  send(*connection, frame);
}

// ---- time ----

Time Pages::deadline() const {
  Time first = restored_at_;
  if (!silent_.empty()) first = std::min(first, silent_.begin()->first);
  if (!waiting_.empty()) first = std::min(first, waiting_.begin()->first + settings_.resume);
  return first;
}

void Pages::tick(Time now) {
  if (restored_at_ <= now) {
    restored_at_ = kNever;
    for (const auto session : sessions()) tell(session);
  }
  while (!silent_.empty() && silent_.begin()->first <= now) {
    end(silent_.begin()->second, kNotLetIn, page::to_string(page::Fault::kLate), now);
  }
  while (!waiting_.empty() && waiting_.begin()->first + settings_.resume <= now) {
    const auto session = waiting_.begin()->second;
    forget_tokens(sessions_.at(session));
    host_.expired(session);  // while it is known here what is lost with it
    (void)take_out(session);
  }
}

// ---- what changes ----

void Pages::watch(core::Slot session) {
  sessions_.at(session).watched = true;
}

void Pages::note(core::Slot slot, Session& session) {
  if (session.watched && !std::exchange(session.noted, true)) changed_.push_back(slot);
}

void Pages::changes_seen() {
  for (const core::Slot slot : changed_) {
    if (Session* const session = find(slot)) session->noted = false;
  }
  changed_.clear();
}

// ---- what there is ----

const Page* Pages::page(core::Slot session) const {
  const Session* const known = find(session);
  return known == nullptr ? nullptr : &known->page;
}

Pages::Session* Pages::find(core::Slot session) {
  const auto place = sessions_.find(session);
  return place == sessions_.end() ? nullptr : &place->second;
}

const Pages::Session* Pages::find(core::Slot session) const {
  const auto place = sessions_.find(session);
  return place == sessions_.end() ? nullptr : &place->second;
}

std::optional<core::Slot> Pages::connection_of(core::Slot session) const {
  const Session* const known = find(session);
  return known == nullptr ? std::nullopt : known->connection;
}

std::optional<core::Slot> Pages::session_of(core::Slot connection) const {
  const auto place = connections_.find(connection);
  return place == connections_.end() ? std::nullopt : place->second.session;
}

std::vector<core::Slot> Pages::sessions() const {
  std::vector<core::Slot> all;
  all.reserve(sessions_.size());
  for (const auto& [slot, session] : sessions_) all.push_back(slot);
  return all;
}

std::size_t Pages::memory(core::Slot session) const {
  const Session* const known = find(session);
  return known == nullptr ? 0 : sizeof *known - sizeof known->page + known->page.memory();
}

}  // namespace chatd
