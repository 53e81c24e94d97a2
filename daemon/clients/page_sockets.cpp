#include "clients/page_sockets.hpp"

#include <string>
#include <utility>

#include "base/wall_time.hpp"
#include "core/session.hpp"
#include "http/frame.hpp"

namespace chatd {

namespace {

/// JSON may write a character of one byte as six, and there is something around the text.
constexpr std::size_t kMostEscaped = 6;
constexpr std::size_t kAround = 1024;

Pages::Settings settings_of(const Config& config) {
  Pages::Settings settings;
  settings.resume = config.web.resume;
  settings.max_text = config.session.max_message;
  settings.output_hard = config.limits.output_hard;
  settings.show_operator = config.web.show_operator;
  return settings;
}

}  // namespace

PageSockets::PageSockets(io::Loop& loop, core::Router& router, Connections& connections,
                         const Config& config, Callbacks callbacks)
    : loop_{loop},
      router_{router},
      connections_{connections},
      callbacks_{std::move(callbacks)},
      pages_{*this, settings_of(config)},
      timer_{loop, [this] { tick(); }} {
  set_settings(config);
  connections.set_audience(Connections::Kind::kPage, *this);
  connections.set_page_sessions(*this);
}

void PageSockets::set_settings(const Config& config) {
  pages_.set_settings(settings_of(config));
  max_frame_ = config.session.max_message * kMostEscaped + kAround;
  set_timer();
}

// ---- connections ----

void PageSockets::add(core::Slot slot, std::shared_ptr<const Listener> by, std::string_view said) {
  sockets_[slot].by = std::move(by);
  pages_.attach(slot, loop_.now());
  if (said.empty()) {
    done();
  } else {
    on_read(slot, said);
  }
}

void PageSockets::on_read(core::Slot slot, std::string_view bytes) {
  std::string pong;
  for (;;) {
    const auto place = sockets_.find(slot);  // what came before may have ended it
    if (place == sockets_.end()) break;
    if (!place->second.reader.next(bytes, {max_frame_, false}, event_)) break;
    hear(slot, event_, pong);
  }
  if (!pong.empty() && sockets_.contains(slot)) (void)connections_.tell(slot, pong);
  done();
}

void PageSockets::hear(core::Slot slot, const http::WebSocketEvent& event, std::string& pong) {
  using Kind = http::WebSocketEvent::Kind;
  switch (event.kind) {
    case Kind::kText:
      pages_.take(slot, event.bytes, loop_.now(), wall_now());
      break;
    case Kind::kPing:
      // One answer for all that one read brings is enough (RFC 6455, 5.5.3); for each, so many tiny
      // ones could wait that they take far more memory than they have bytes.
      pong.clear();
      http::append_pong(pong, event.bytes);
      break;
    case Kind::kClose:
      end(slot, event.code, {});
      break;
    case Kind::kFault:
      end(slot, event.code, "it " + std::string{to_string(event.fault)});
      break;
    case Kind::kPong:
    case Kind::kBinary:
      break;
  }
}

void PageSockets::on_end(core::Slot slot) {
  pages_.detach(slot, loop_.now());
  sockets_.erase(slot);
  connections_.dismiss(slot);
  done();
}

void PageSockets::on_insecure(core::Slot slot) {
  on_end(slot);
}

/// Perhaps inside of a delivery.
void PageSockets::on_gone(core::Slot slot) {
  pages_.detach(slot, loop_.now());
  sockets_.erase(slot);
  set_timer();
}

/// The connection ends; the session waits for its page.
void PageSockets::end(core::Slot slot, std::uint16_t code, std::string_view reason) {
  pages_.detach(slot, loop_.now());
  close(slot, code, reason);
}

void PageSockets::close(core::Slot connection, std::uint16_t code, std::string_view reason) {
  if (sockets_.erase(connection) == 0) return;
  std::string frame;
  http::append_close(frame, code, reason);
  // Nothing of it is heard any more, not even that this was too much.
  connections_.become(connection, Connections::Kind::kLeaving);
  (void)connections_.tell(connection, frame);
  connections_.dismiss(connection);
}

bool PageSockets::send(core::Slot connection, std::string_view json) {
  if (!sockets_.contains(connection)) return true;
  std::string frame;
  frame.reserve(json.size() + http::kMostFrameHead);
  http::append_text(frame, json);
  return connections_.tell(connection, frame);
}

void PageSockets::close(std::uint16_t code, std::string_view reason) {
  pages_.close_all(code, reason, loop_.now());
  done();
}

// ---- sessions ----

Result<core::Slot> PageSockets::open_session(core::Slot connection) {
  const auto by = sockets_.at(connection).by;
  if (!callbacks_.may_begin(connection)) return Error{"there is no place for another visitor"};
  const Connections::Client client = connections_.client(connection);
  const core::Slot slot = connections_.add_page_session(client);
  connections_.set_way(slot, connections_.way(connection));
  callbacks_.on_session(slot, *by);
  return slot;
}

bool PageSockets::write(core::Slot slot, Payload payload) {
  // One that has ended just now takes all, and nothing counts any more.
  return pages_.write(slot, std::move(payload), wall_now()) != Pages::Written::kFull;
}

/// The core has ended it.
void PageSockets::closed(core::Slot slot, std::string_view words, bool at_once) {
  const auto connection = pages_.connection_of(slot);
  pages_.closed(slot, words, stopping_ ? Pages::kStops : Pages::kOver);
  // Memory that is wanted back is not kept for a page that does not read.
  if (at_once && connection && connections_.is_congested(*connection)) {
    connections_.drop(*connection);
  }
}

std::size_t PageSockets::payload_bytes(core::Slot slot) const {
  const Page* const page = pages_.page(slot);
  return page == nullptr ? 0 : page->payload_bytes();
}

std::size_t PageSockets::kept_bytes(core::Slot slot) const {
  const auto connection = pages_.connection_of(slot);
  const auto socket = connection ? sockets_.find(*connection) : sockets_.end();
  const auto unfinished = socket == sockets_.end() ? 0 : socket->second.reader.kept_bytes();
  return pages_.memory(slot) - payload_bytes(slot) + unfinished + callbacks_.kept_outside(slot);
}

bool PageSockets::may_say(core::Slot session) {
  return router_.has(session) && router_.may_say(session, loop_.now());
}

void PageSockets::say(core::Slot session, std::string_view text) {
  router_.say(session, text, loop_.now(), connections_.outbox());
  connections_.deliver();
}

void PageSockets::bye(core::Slot session) {
  router_.end_of_input(session, loop_.now(), connections_.outbox());
  connections_.deliver();
}

void PageSockets::expired(core::Slot session) {
  bye(session);
}

void PageSockets::came_back(core::Slot session, core::Slot connection) {
  const auto before = connections_.client(session).account;
  const Connections::Client& client = connections_.client(connection);
  connections_.set_peer(session, client.peer, client.account);
  // What is verified is who is there now, not who has begun.
  connections_.set_way(session, connections_.way(connection));
  if (waiting_.erase(session) > 0) callbacks_.on_return(before);
}

void PageSockets::went_away(core::Slot session) {
  waiting_.insert(session);
  const io::Peer peer = connections_.client(session).peer;
  connections_.set_peer(session, peer, callbacks_.on_wait(peer));
}

void PageSockets::released(core::Slot slot, Accounts::Number account) {
  if (waiting_.erase(slot) > 0) callbacks_.on_return(account);
}

void PageSockets::restore(Saved saved, const Pages::SlotNow& slot_now, Time now) {
  pages_.restore(std::move(saved), slot_now, now);
  for (const core::Slot session : pages_.sessions()) went_away(session);
  done();
}

// ---- time ----

void PageSockets::tick() {
  pages_.tick(loop_.now());
  done();
}

/// What the core wants done of what has happened.
void PageSockets::done() {
  connections_.deliver();
  set_timer();
}

}  // namespace chatd
