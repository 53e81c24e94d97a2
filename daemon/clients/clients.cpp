#include "clients/clients.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace chatd {

namespace {

/// More memory than that is kept for the effects of the next turn only for a while.
constexpr std::size_t kMostRetained = 128UL * 1024;
/// Room for so many clients is made at a time: doubling would leave up to half unused.
constexpr std::size_t kGrowth = 1024;

}  // namespace

Clients::Clients(io::Loop& loop, const Config& config, std::size_t max_sessions, Journal& journal,
                 Transcript* transcript, CrashStore* crash_store)
    : loop_{loop},
      journal_{journal},
      transcript_{transcript},
      router_{core_settings(config), transcript == nullptr ? 0 : transcript->opened().last_session,
              this},
      entrance_{loop, max_sessions, transcript,
                [this](const BanChange& change) { ban_changed(change); }},
      crash_records_{loop, router_, journal, *this, crash_store},
      streams_{loop, *this, stream_limits(config)},
      timer_{loop, [this] { tick(); }},
      trim_{loop, [this] { release_memory(); }},
      doors_{loop,
             config.listen,
             {[this](Doors::Visitor visitor) { came(std::move(visitor)); },
              [this](const std::string& why) { warn(why); }}} {
  set_limits(config);
}

Clients::~Clients() = default;

// ---- listeners and limits ----

Result<> Clients::listen(std::vector<UniqueFd> passed) {
  return doors_.listen(std::move(passed), router_.size() > 0);
}

Result<> Clients::apply(const Config& config) {
  if (auto applied = doors_.apply(config.listen); !applied) return applied;
  set_limits(config);
  router_.set_settings(core_settings(config));
  deliver();
  return {};
}

void Clients::set_limits(const Config& config) {
  entrance_.set_limits(config.limits);
  streams_.set_limits(stream_limits(config));
}

void Clients::came(Doors::Visitor visitor) {
  if (entrance_.admit(visitor.peer)) return;
  auto id = streams_.adopt(std::move(visitor.socket));
  if (!id) {
    entrance_.turn_away(visitor.peer, id.error().message);
    return;
  }
  client_at(*id) = {visitor.peer, visitor.listener};
  router_.connect(*id, visitor.dialect, loop_.now(), outbox_);
  deliver();
  crash_records_.add_soon();
}

Clients::Client& Clients::client_at(io::StreamId id) {
  if (id >= clients_.size()) {
    if (id >= clients_.capacity()) clients_.reserve(id + kGrowth);
    clients_.resize(id + 1);
  }
  return clients_[id];
}

// ---- what clients do ----

void Clients::on_read(io::StreamId id, std::string_view bytes) {
  router_.receive(id, bytes, loop_.now(), outbox_);
  deliver();
}

void Clients::on_end(io::StreamId id) {
  router_.end_of_input(id, loop_.now(), outbox_);
  deliver();
}

void Clients::on_broken(io::StreamId id, int error) {
  const std::string reason = error == ECONNRESET ? "connection reset"
                             : error == ETIMEDOUT
                                 ? "connection timed out"
                                 : std::string{"connection broke: "} + std::strerror(error);
  clients_[id].gone = true;
  router_.broken(id, reason, unsent(id), loop_.now(), outbox_);
  deliver();
}

void Clients::on_drained(io::StreamId id) {
  if (relieved_) relieved_(id);
}

void Clients::on_closed(io::StreamId id, std::size_t unsent) {
  assert(!router_.has(id));
  const Client client = std::exchange(clients_[id], {});
  if (!client.gone && unsent > 0) {
    router_.lost_after_end(static_cast<std::uint32_t>(unsent));
    spdlog::warn("{} did not take its last {} messages", client.peer.to_string(), unsent);
  }
  entrance_.leave(client.peer);
  crash_records_.closed(id);
  trim_.session_gone();
  if (relieved_) relieved_(id);
  if (stopped_ && streams_.size() == 0) std::exchange(stopped_, nullptr)();
}

// ---- what operators want ----

void Clients::warn(std::string_view text) {
  Event event;
  event.kind = EventKind::kWarning;
  event.text = text;
  journal_.add(event);
}

Clients::Sent Clients::send(const core::Recipients& to, std::string_view text,
                            std::string_view by) {
  Sent sent;
  sent.receipt = router_.send(to, text, by, loop_.now(), outbox_);
  sent.congested = deliver();
  return sent;
}

core::Outcome Clients::bye(core::SessionId id, std::string_view by) {
  const auto outcome = router_.bye(id, by, loop_.now(), outbox_);
  deliver();
  return outcome;
}

bool Clients::is_parting(core::SessionId id) const {
  const core::Session* session = router_.find(id);
  return session != nullptr && session->state() == core::Session::State::kParting;
}

core::Outcome Clients::kick(core::SessionId id, std::string_view reason, std::string_view by) {
  const auto outcome = router_.kick(id, reason, by, loop_.now(), outbox_);
  deliver();
  return outcome;
}

core::Outcome Clients::name(core::SessionId id, std::string_view name, std::string_view by) {
  const auto outcome = router_.name(id, name, by, loop_.now(), outbox_);
  deliver();
  return outcome;
}

core::Outcome Clients::claim(core::SessionId id, core::Claim claim, bool force) {
  const auto outcome = router_.claim(id, std::move(claim), force, outbox_);
  deliver();
  return outcome;
}

core::Outcome Clients::release(core::SessionId id, std::string_view by) {
  const auto outcome = router_.release(id, by, outbox_);
  deliver();
  return outcome;
}

void Clients::release_if(const std::function<bool(std::string_view holder)>& gone) {
  router_.release_if(gone, outbox_);
  deliver();
}

std::string_view Clients::claimed_by(core::SessionId id) const {
  const core::Session* session = router_.find(id);
  return session == nullptr || session->claim() == nullptr
             ? std::string_view{}
             : std::string_view{session->claim()->holder};
}

void Clients::operator_changed(std::string_view name, std::string_view state,
                               std::string_view text) {
  Event event;
  event.kind = EventKind::kOperator;
  event.name = name;
  event.state = state;
  event.text = text;
  journal_.add(event);
}

void Clients::set_away(std::optional<core::Away> away) {
  if (away) {
    router_.set_away(std::move(*away));
  } else {
    router_.end_away();
  }
}

void Clients::ban_changed(const BanChange& change) {
  const auto address = change.network.to_string();
  std::string until;
  Event event;
  event.kind = EventKind::kUnbanned;
  if (change.ban != nullptr) {
    event.kind = EventKind::kBanned;
    if (change.ban->until != kNever) append_rfc3339(until, change.ban->until_date);
  }
  event.address = address;
  event.until = until;
  event.operator_name = change.by;
  journal_.add(event);
}

std::vector<core::SessionId> Clients::sessions_in(const Network& network) const {
  std::vector<core::SessionId> all;
  for (const core::Session* session : router_.sessions()) {
    if (network.contains(clients_[session->slot()].peer)) all.push_back(session->id());
  }
  return all;
}

std::vector<SessionInfo> Clients::sessions() {
  const auto now = loop_.now();
  dates_.set(now, wall_now());
  std::vector<SessionInfo> all;
  for (const core::Session* session : router_.sessions()) {
    const Client& client = clients_[session->slot()];
    all.push_back({session->id(), session->name(), client.peer.to_string(),
                   doors_.name(client.listener), to_string(session->dialect()),
                   to_string(session->state()), dates_.of(session->connected_at()),
                   (now - session->last_activity()).count(), session->unread(), session->held(),
                   claimed_by(session->id())});
  }
  return all;
}

ClientStats Clients::stats() const {
  const auto& counters = router_.counters();
  const auto recorded = transcript_ == nullptr ? store::Counts{} : transcript_->counts();
  return {router_.size(),          counters.accepted,  entrance_.refused(), counters.messages_in,
          counters.messages_out,   counters.delivered, counters.held,       counters.lost,
          streams_.queued_bytes(), recorded.recorded,  recorded.lost};
}

std::uint64_t Clients::sent_bytes(core::Slot slot) const {
  return router_.has(slot) ? streams_.sent_bytes(slot) : 0;
}

// ---- effects ----

/// Returns the slots that it has filled beyond output_soft.
std::vector<core::Slot> Clients::deliver() {
  std::vector<core::Slot> congested;
  for (const auto& [slot] : outbox_.aborts()) abort(slot);
  for (const auto& [slot, bytes] : outbox_.writes()) {
    const auto weight = bytes.weight();
    if (clients_[slot].gone) {  // since an earlier one was not taken
      router_.lost_after_end(weight);
      continue;
    }
    if (streams_.write(slot, bytes)) {
      if (streams_.queued_bytes(slot) > streams_.limits().high_bytes) congested.push_back(slot);
      continue;
    }
    if (!router_.has(slot)) {  // its last words; it closes anyway
      router_.lost_after_end(weight);
      continue;
    }
    // Nobody had asked whether there is room for it: a greeting, or what was held.
    router_.broken(slot, core::does_not_read(router_.settings()), unsent(slot) + weight,
                   loop_.now(), outbox_);
    abort(slot);
  }
  for (const auto& flow : outbox_.flows()) {
    if (!router_.has(flow.slot)) continue;
    if (flow.reading) {
      streams_.resume(flow.slot);
    } else {
      streams_.pause(flow.slot);
    }
  }
  for (const auto& close : outbox_.closes()) {
    if (!clients_[close.slot].gone) streams_.close(close.slot);
  }
  write_down_events();
  outbox_.clear();
  if (retained_bytes() > kMostRetained) trim_.soon();
  timer_.start_at(router_.deadline());
  return congested;
}

/// The client does not read: what waits for it is lost.
void Clients::abort(core::Slot slot) {
  assert(!router_.has(slot));
  clients_[slot].gone = true;
  streams_.abort(slot);
  trim_.soon();
}

bool Clients::has_room(core::Slot slot, std::size_t bytes) {
  return streams_.has_room(slot, bytes);
}

std::uint32_t Clients::unsent(core::Slot slot) const {
  return static_cast<std::uint32_t>(streams_.unsent(slot));
}

/// The memory that is kept between turns for the effects of the next.
std::size_t Clients::retained_bytes() const {
  return outbox_.retained_bytes() + journal_.retained_bytes();
}

void Clients::release_memory() {
  outbox_.release_memory();
  journal_.release_memory();
}

void Clients::write_down_events() {
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
    journal_.add(event, time);
  }
}

void Clients::tick() {
  router_.tick(loop_.now(), outbox_);
  deliver();
}

const std::string& Clients::listener(core::Slot slot) const {
  return doors_.name(clients_[slot].listener);
}

void Clients::stop(std::function<void()> done) {
  doors_.close();
  router_.stop(loop_.now(), outbox_);
  deliver();
  if (streams_.size() == 0) {
    done();
  } else {
    stopped_ = std::move(done);
  }
}

}  // namespace chatd
