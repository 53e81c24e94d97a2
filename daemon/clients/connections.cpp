#include "clients/connections.hpp"

#include <spdlog/spdlog.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/wall_time.hpp"
#include "core/session.hpp"
#include "events/event.hpp"

namespace chatd {

namespace {

/// More memory than that is kept for the effects of the next turn only for a while.
constexpr std::size_t kMostRetained = 128UL * 1024;
/// Room for so many clients is made at a time: doubling would leave up to half unused.
constexpr std::size_t kGrowth = 1024;
/// With so many bytes of events no more is read from clients in a turn: operators get it in order,
/// and what comes next is not to wait long behind it.
constexpr std::size_t kHeardInTurn = 256UL * 1024;
/// So much is read at once of a client that had to wait. It becomes up to six times as long in the
/// events.
constexpr std::size_t kReadAtOnce = 16UL * 1024;
/// So many sessions do what is due before the clock is asked whether the turn is long.
constexpr std::size_t kTickedAtOnce = 32;

std::string why_it_broke(int error) {
  if (error == ECONNRESET) return "connection reset";
  if (error == ETIMEDOUT) return "connection timed out";
  return std::string{"connection broke: "} + std::strerror(error);
}

}  // namespace

Connections::Connections(io::Loop& loop, core::Router& router, Accounts& accounts, Journal& journal,
                         const Doors& doors, io::StreamLimits limits, Closed on_closed)
    : loop_{loop},
      router_{router},
      accounts_{accounts},
      journal_{journal},
      doors_{doors},
      closed_{std::move(on_closed)},
      reading_{accounts,
               [this](core::Slot slot, Accounts::Number account) {
                 if (clients_[slot].account == account) streams_.put_off(slot);
               }},
      streams_{loop, *this, limits},
      timer_{loop, [this] { tick(); }},
      reading_timer_{loop, [] {}},  // a turn is all that is needed
      trim_{loop, [this] { release_memory(); }} {}

Result<core::Slot> Connections::add(UniqueFd socket, const Client& client) {
  auto id = streams_.adopt(std::move(socket));
  if (id) remember(*id, client);
  return id;
}

void Connections::remember(core::Slot slot, const Client& client) {
  if (slot >= clients_.size()) {
    if (slot >= clients_.capacity()) clients_.reserve(slot + kGrowth);
    clients_.resize(slot + 1);
  }
  clients_[slot] = client;
  clients_[slot].way = Ways::kBare;
}

/// There is nobody at that slot any more. Returns who it was.
Connections::Client Connections::forget(core::Slot slot) {
  ways_.give_back(std::exchange(clients_[slot].way, Ways::kBare));
  return std::exchange(clients_[slot], {});
}

void Connections::hear(core::Slot slot, std::string_view bytes, bool over) {
  const auto id = router_.at(slot).id();
  router_.receive(slot, bytes, loop_.now(), outbox_);
  deliver();
  if (!over || !router_.has(slot) || router_.at(slot).id() != id || router_.at(slot).ended())
    return;
  router_.end_of_input(slot, loop_.now(), outbox_);
  deliver();
}

bool Connections::tell(core::Slot slot, std::string_view bytes) {
  if (clients_[slot].gone) return false;
  if (streams_.write(slot, Payload{bytes, 0})) return !is_congested(slot);
  Audience* const audience = audience_of(slot);
  drop(slot);
  if (audience != nullptr) audience->on_gone(slot);
  return false;
}

void Connections::end_session(core::Slot slot, std::string_view reason) {
  router_.broken(slot, reason, 0, loop_.now(), outbox_);
  deliver();
}

core::Slot Connections::add_page_session(const Client& client) {
  const core::Slot slot = streams_.reserve();
  remember(slot, client);
  clients_[slot].kind = Kind::kPageSession;
  return slot;
}

void Connections::forget_page_session(core::Slot slot) {
  (void)forget(slot);
  streams_.release(slot);
}

void Connections::end_page_session(core::Slot slot, std::string_view words, bool at_once) {
  if (clients_[slot].gone) return;
  clients_[slot].gone = true;
  const auto lost = page_sessions_->unsent(slot);
  page_sessions_->closed(slot, words, at_once);
  ended_page_sessions_.push_back(slot);
  if (router_.has(slot)) {
    // Not say_closed(): this is a part of deliver(), which would do all of it a second time.
    router_.closed(slot, lost, loop_.now(), outbox_);
  } else {
    router_.lost_after_end(slot, lost);
  }
}

/// Not before the end of the turn: what else is to be done for the slot may stand in the same
/// delivery.
void Connections::release_page_sessions() {
  for (const core::Slot slot : std::exchange(ended_page_sessions_, {})) {
    const Client client = forget(slot);
    trim_.session_gone();
    if (relieved_) relieved_(slot);
    streams_.release(slot);
    closed_(slot, client);
  }
}

void Connections::dismiss(core::Slot slot) {
  become(slot, Kind::kLeaving);
  if (!clients_[slot].gone) (void)streams_.close(slot);
}

void Connections::drop(core::Slot slot) {
  become(slot, Kind::kLeaving);
  clients_[slot].gone = true;
  streams_.abort(slot);
}

void Connections::set_peer(core::Slot slot, const io::Peer& peer, Accounts::Number account,
                           bool extra) {
  clients_[slot].peer = peer;
  clients_[slot].account = account;
  clients_[slot].extra = extra;
}

void Connections::set_way(core::Slot slot, Way way) {
  const auto before = std::exchange(clients_[slot].way, ways_.take(std::move(way)));
  ways_.give_back(before);
}

std::vector<core::Slot> Connections::slots() const {
  std::vector<core::Slot> all;
  for (core::Slot slot = 0; slot < clients_.size(); ++slot) {
    if (streams_.exists(slot)) all.push_back(slot);
  }
  return all;
}

void Connections::give_up_closing() {
  for (const core::Slot slot : slots()) {
    if (!router_.has(slot) || router_.at(slot).ended()) streams_.abort(slot);
  }
}

const std::string& Connections::listener(core::Slot slot) const {
  return doors_.name(clients_[slot].listener);
}

std::uint64_t Connections::sent_bytes(core::Slot slot) const {
  return router_.has(slot) && !is_page_session(slot) ? streams_.sent_bytes(slot) : 0;
}

bool Connections::has_room(core::Slot slot, std::size_t bytes) {
  if (is_page_session(slot)) return page_sessions_->has_room(slot, bytes);
  return streams_.has_room(slot, bytes);
}

std::uint32_t Connections::unsent(core::Slot slot) const {
  if (is_page_session(slot)) return page_sessions_->unsent(slot);
  return static_cast<std::uint32_t>(streams_.unsent(slot));
}

// ---- what clients do ----

bool Connections::may_read(io::StreamId id) {
  const auto account = clients_[id].account;
  const auto now = loop_.now();
  const bool at_once = reading_.empty() && !slowly_ && !has_heard_enough() &&
                       accounts_.may_read_at(account, now) <= now && !loop_.turn_is_long();
  if (!at_once) reading_.add(id, account, now);
  return at_once;
}

/// In this turn.
bool Connections::has_heard_enough() const {
  return journal_.unsealed_bytes() >= kHeardInTurn;
}

void Connections::read_waiting(bool slowly) {
  slowly_ = slowly;
  const auto now = loop_.now();
  // One is read however long this turn was: those before it may all be long.
  bool first = true;
  for (;;) {
    if (!first && (loop_.turn_is_long() || has_heard_enough())) break;
    const auto slot = reading_.next(now, slowly);
    if (!slot) break;
    first = false;
    streams_.read(*slot, kReadAtOnce);
  }
  if (!reading_.empty()) loop_.turn_again();
  reading_timer_.start_at(reading_.next_at());
}

void Connections::on_read(io::StreamId id, std::string_view bytes) {
  read_bytes_ += bytes.size();
  accounts_.read(clients_[id].account, bytes.size(), loop_.now());
  if (Audience* const audience = audience_of(id)) {
    audience->on_read(id, bytes);
    return;
  }
  if (clients_[id].kind == Kind::kSilent) {
    become(id, Kind::kSession);
    if (late_ && late_(id, bytes)) return;
  }
  router_.receive(id, bytes, loop_.now(), outbox_);
  deliver();
}

void Connections::on_end(io::StreamId id) {
  if (Audience* const audience = audience_of(id)) {
    audience->on_end(id);
    return;
  }
  router_.end_of_input(id, loop_.now(), outbox_);
  deliver();
}

void Connections::on_broken(io::StreamId id, int error) {
  clients_[id].gone = true;
  if (Audience* const audience = audience_of(id)) {
    become(id, Kind::kLeaving);
    audience->on_gone(id);
    return;
  }
  router_.broken(id, why_it_broke(error), unsent(id), loop_.now(), outbox_);
  deliver();
}

void Connections::on_secured(io::StreamId id) {
  trim_.handshake_over();
  if (Audience* const audience = audience_of(id)) audience->on_secured(id);
}

/// What a session has said until then counts. It cannot be told anything more, but why.
void Connections::on_insecure(io::StreamId id) {
  if (Audience* const audience = audience_of(id)) {
    audience->on_insecure(id);
    return;
  }
  const std::string why = streams_.cipher(id)->failure();
  clients_[id].gone = true;
  router_.broken(id, why, unsent(id), loop_.now(), outbox_);
  deliver();
  (void)streams_.close(id);
}

void Connections::on_drained(io::StreamId id) {
  if (Audience* const audience = audience_of(id)) audience->on_drained(id);
  if (relieved_) relieved_(id);
}

void Connections::on_clear(io::StreamId id) {
  if (router_.has(id)) say_closed(id, 0);
}

void Connections::on_closed(io::StreamId id, std::size_t unsent) {
  if (Audience* const audience = audience_of(id)) {
    become(id, Kind::kLeaving);
    audience->on_gone(id);
  }
  const auto lost = static_cast<std::uint32_t>(clients_[id].gone ? 0 : unsent);
  if (router_.has(id)) {
    say_closed(id, lost);
  } else {
    router_.lost_after_end(id, lost);
  }
  assert(!router_.has(id));
  const Client client = forget(id);
  trim_.session_gone();
  if (relieved_) relieved_(id);
  closed_(id, client);
}

/// What was written to it before its end has arrived, but for `lost` messages.
void Connections::say_closed(core::Slot slot, std::uint32_t lost) {
  router_.closed(slot, lost, loop_.now(), outbox_);
  deliver();
}

// ---- what the core wants done ----

std::vector<core::Slot> Connections::deliver() {
  std::vector<core::Slot> congested;
  for (const auto& [slot] : outbox_.aborts()) abort(slot);
  for (const auto& each : outbox_.writes()) {
    if (write(each)) congested.push_back(each.slot);
  }
  for (const auto& flow : outbox_.flows()) {
    if (!router_.has(flow.slot) || is_page_session(flow.slot)) continue;
    if (flow.reading) {
      streams_.resume(flow.slot);
    } else {
      streams_.pause(flow.slot);
    }
  }
  for (const auto& each : outbox_.closes()) close(each);
  write_down_events();
  outbox_.clear();
  if (outbox_.retained_bytes() + journal_.retained_bytes() > kMostRetained) trim_.soon();
  timer_.start_at(router_.deadline());
  return congested;
}

/// Whether more waits for its client now than output_soft.
bool Connections::write(const core::Write& write) {
  const auto& [slot, bytes] = write;
  const auto weight = bytes.weight();
  if (clients_[slot].gone) {  // since an earlier one was not taken
    router_.lost_after_end(slot, weight);
    return false;
  }
  if (auto& kind = clients_[slot].kind; kind == Kind::kSilent) kind = Kind::kSession;
  if (is_page_session(slot)) {
    if (page_sessions_->write(slot, bytes)) return false;
  } else if (streams_.write(slot, bytes)) {
    return is_congested(slot);
  }
  if (!router_.has(slot) || router_.at(slot).ended()) {  // its last words; it closes anyway
    router_.lost_after_end(slot, weight);
    return false;
  }
  // Nobody had asked whether there is room for it: a greeting, or what was held.
  router_.broken(slot, core::does_not_read(router_.settings()), unsent(slot) + weight, loop_.now(),
                 outbox_);
  abort(slot);
  return false;
}

void Connections::close(const core::Close& close) {
  const auto slot = close.slot;
  if (clients_[slot].gone) return;
  if (is_page_session(slot)) return end_page_session(slot, close.last_words.view(), false);
  if (close.at_once) (void)streams_.discard_queue(slot);
  if (!close.last_words.empty()) (void)streams_.write(slot, close.last_words);
  const bool clear = streams_.close(slot);
  if (clear && router_.has(slot)) router_.closed(slot, 0, loop_.now(), outbox_);
}

/// The client does not read: what waits for it is lost.
void Connections::abort(core::Slot slot) {
  assert(!router_.has(slot));
  if (is_page_session(slot)) return end_page_session(slot, {}, true);
  clients_[slot].gone = true;
  streams_.abort(slot);
  trim_.soon();
}

void Connections::write_down_events() {
  if (outbox_.events().empty()) return;
  const auto time = wall_now();
  std::string address;
  for (const core::Event& each : outbox_.events()) {
    Event event = event_of(each, outbox_);
    if (each.kind == EventKind::kConnected || each.kind == EventKind::kDisconnected) {
      address = clients_[each.slot].peer.to_string();
      event.address = address;
      event.listener = listener(each.slot);
    }
    if (each.kind == EventKind::kConnected) {
      const Way& way = this->way(each.slot);
      event.verified = way.verified;
      event.via = way.via;
      event.tls = way.tls;
    }
    charge(each, event);
    journal_.add(event, time);
  }
}

/// What a client does is charged to its origin; what an operator does, to nobody.
void Connections::charge(const core::Event& event, Event& line) {
  switch (event.kind) {
    case EventKind::kConnected:
    case EventKind::kMessage:
    case EventKind::kAsking:
    case EventKind::kDisconnected:
      break;
    case EventKind::kNamed:
      if (event.operator_name.size > 0) return;
      break;
    default:
      return;
  }
  const auto account = clients_[event.slot].account;
  line.origin = account;
  if (event.kind == EventKind::kMessage) accounts_.said(account, 1);
  if (event.kind == EventKind::kAsking) accounts_.asks(account, event.session);
  if (event.kind == EventKind::kDisconnected) accounts_.asks_no_more(account, event.session);
  if (journal_.is_recording()) accounts_.recorded(account, 1);
}

void Connections::tick() {
  const auto has_unread = [this](core::Slot slot) { return this->has_unread(slot); };
  do {
    router_.tick(loop_.now(), outbox_, kTickedAtOnce, has_unread);
    deliver();
  } while (router_.deadline() <= loop_.now() && !loop_.turn_is_long());
}

/// The memory that is kept between turns for the effects of the next.
void Connections::release_memory() {
  outbox_.release_memory();
  journal_.release_memory();
}

}  // namespace chatd
