#include "clients/clients.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/memory.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

/// After so many sessions have gone, or one for which much waited, what they used is given
/// back to the system: the C library keeps it otherwise. Not at once, for that takes
/// milliseconds and they often go together.
constexpr std::size_t kTrimAfter = 1000;
constexpr Duration kTrimDelay{1000};
/// More than that is kept for the next turn only while there are some.
constexpr std::size_t kMostRetained = 128UL * 1024;
/// How often a listener that could not be opened is tried again.
constexpr Duration kTryListener{1000};
/// Room for so many clients is made at a time: doubling would leave up to half unused.
constexpr std::size_t kGrowth = 1024;

}  // namespace

Clients::Clients(io::Loop& loop, const Config& config, std::size_t max_sessions, Journal& journal,
                 Transcript* transcript, Lifeboat* lifeboat)
    : loop_{loop},
      config_{config},
      max_sessions_{max_sessions},
      journal_{journal},
      transcript_{transcript},
      router_{core_settings(config), transcript == nullptr ? 0 : transcript->opened().last_session,
              this},
      lifeboat_{lifeboat},
      board_{loop, [this] { board(); }},
      records_{loop, [this] { keep_records(); }},
      streams_{loop, *this, stream_limits(config)},
      flush_{loop, [this] { streams_.flush(); }},
      timer_{loop, [this] { tick(); }},
      refusals_{loop,
                [this] {
                  if (const auto line = refused_.overdue(loop_.now())) spdlog::warn(*line);
                }},
      ban_end_{loop, [this] { expire_bans(); }},
      try_missing_{loop, [this] { open_missing(); }},
      trim_{loop, [this] {
              closed_since_trim_ = 0;
              release_memory();
            }} {
  set_limits();
  if (transcript != nullptr) {
    bans_.replace(transcript->opened().bans, loop.now(), wall_now());
    ban_end_.start_at(bans_.deadline());
  }
}

Clients::~Clients() = default;

void Clients::set_limits() {
  admission_.set_limits(std::min(config_.limits.sessions, max_sessions_),
                        config_.limits.sessions_per_address);
  streams_.set_limits(stream_limits(config_));
}

// ---- listeners ----

Result<std::unique_ptr<Clients::Door>> Clients::open(const Listener& listener,
                                                     std::span<io::Acceptor* const> leaving) {
  auto door = std::make_unique<Door>();
  door->listener = listener;
  auto finished = finish(
      *door, io::Acceptor::listen(loop_, listener.endpoint, listener.backlog, on_accept(*door),
                                  log_failure, io::Acceptor::kUnixMode, leaving));
  if (!finished) return std::move(finished.error());
  return door;
}

/// A socket of the service manager, with what listen() says of those.
Result<std::unique_ptr<Clients::Door>> Clients::take(UniqueFd passed) {
  auto door = std::make_unique<Door>();
  auto finished =
      finish(*door, io::Acceptor::adopt(loop_, std::move(passed), on_accept(*door), log_failure));
  if (!finished) return std::move(finished.error()).while_doing("a socket of the service manager");
  door->listener.endpoint = door->acceptor->endpoint();
  return door;
}

void Clients::log_failure(const Error& error) {
  spdlog::error("{}", error.message);
}

io::Acceptor::AcceptCallback Clients::on_accept(const Door& door) {
  return [this, &door](UniqueFd socket, const sockaddr_storage& peer, socklen_t length) {
    accepted(door, std::move(socket), peer, length);
  };
}

Result<> Clients::finish(Door& door, Result<std::unique_ptr<io::Acceptor>> acceptor) {
  if (!acceptor) return std::move(acceptor.error());
  door.acceptor = std::move(*acceptor);
  door.name = door.acceptor->endpoint().to_string();
  door.name_index = listener_name(door.name);
  return {};
}

Result<> Clients::listen(std::vector<UniqueFd> passed) {
  assert(doors_.empty());
  if (!passed.empty()) {
    passed_ = true;
    restored_.clear();
  }
  const auto add = [this](Result<std::unique_ptr<Door>> door) -> Result<> {
    if (door) {
      doors_.push_back(std::move(*door));
      return {};
    }
    doors_.clear();
    return std::move(door.error());
  };
  for (UniqueFd& socket : passed) {
    if (auto added = add(take(std::move(socket))); !added) return added;
  }
  if (passed_) {
    for (auto& door : restored_) doors_.push_back(std::move(door));
    serve_passed(config_.listen);
  }
  std::vector<std::unique_ptr<Door>> known;
  for (const Listener& listener : config_.listen) {
    if (!passed_) known.push_back(restored_door(listener.endpoint));
  }
  restored_.clear();  // first of all: a new address may overlap with one that is wanted no more
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Listener& listener = config_.listen[i];
    if (known[i]) {
      known[i]->acceptor->set_backlog(listener.backlog);
      known[i]->listener = listener;
      doors_.push_back(std::move(known[i]));
    } else if (auto door = open(listener); door || router_.size() == 0) {
      if (auto added = add(std::move(door)); !added) return added;
    } else {
      // Sessions of the process before this one are worth more than it.
      spdlog::error("goes on without a listener, and tries again: {}", door.error().message);
      warn(door.error().message);
      missing_.push_back(listener);
      try_missing_.start(kTryListener);
    }
  }
  for (const auto& door : doors_) spdlog::info("listening on {}", door->name);
  return {};
}

/// The sockets are the service manager's, the configuration says how their clients
/// speak.
void Clients::serve_passed(const std::vector<Listener>& listeners) {
  for (const auto& door : doors_) door->listener.dialect = core::DialectSetting::kAuto;
  for (const Listener& listener : listeners) {
    const auto place = std::find_if(doors_.begin(), doors_.end(), [&](const auto& door) {
      return door->listener.endpoint == listener.endpoint;
    });
    if (place != doors_.end()) {
      (*place)->listener.dialect = listener.dialect;
    } else if (listener != Listener{}) {  // nobody has asked for the one of the defaults
      spdlog::warn("{} is not listened on: the service manager passes the sockets",
                   listener.endpoint.to_string());
    }
  }
}

std::vector<int> Clients::passed() const {
  std::vector<int> all;
  for (const auto& door : doors_) {
    if (passed_) all.push_back(door->acceptor->descriptor());
  }
  return all;
}

std::vector<std::string> Clients::addresses() const {
  std::vector<std::string> all;
  for (const auto& door : doors_) all.push_back(door->name);
  return all;
}

void Clients::open_missing() {
  std::erase_if(missing_, [this](const Listener& listener) {
    auto door = open(listener);
    if (!door) return false;
    spdlog::info("listening on {}", (*door)->name);
    doors_.push_back(std::move(*door));
    return true;
  });
  if (!missing_.empty()) try_missing_.start(kTryListener);
}

Result<> Clients::apply(const Config& config) {
  std::vector<const Listener*> added;
  std::vector<bool> kept(doors_.size(), false);
  std::vector<std::pair<std::size_t, const Listener*>> changed;
  if (passed_) {
    if (config.listen != config_.listen) serve_passed(config.listen);
    kept.assign(doors_.size(), true);
  }
  for (const Listener& listener : config.listen) {
    if (passed_) break;
    std::size_t same = 0;
    while (same < doors_.size() &&
           (kept[same] || doors_[same]->listener.endpoint != listener.endpoint)) {
      ++same;
    }
    if (same < doors_.size() && doors_[same]->acceptor->is_in_place()) {
      kept[same] = true;
      changed.emplace_back(same, &listener);
      continue;
    }
    if (same < doors_.size()) spdlog::warn("{} is not there any more", doors_[same]->name);
    added.push_back(&listener);
  }
  std::vector<io::Acceptor*> leaving;
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    if (!kept[i]) leaving.push_back(doors_[i]->acceptor.get());
  }
  std::vector<std::unique_ptr<Door>> opened;
  for (const Listener* listener : added) {
    auto door = open(*listener, leaving);
    if (!door) return std::move(door.error());
    opened.push_back(std::move(*door));
  }
  // Nothing can fail from here on.
  missing_.clear();
  for (const auto& [index, listener] : changed) {
    Door& door = *doors_[index];
    if (door.listener.backlog != listener->backlog) door.acceptor->set_backlog(listener->backlog);
    door.listener = *listener;
  }
  for (std::size_t i = doors_.size(); i-- > 0;) {
    if (kept[i]) continue;
    spdlog::info("no longer listening on {}", doors_[i]->name);
    doors_.erase(doors_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (auto& door : opened) {
    spdlog::info("listening on {}", door->name);
    doors_.push_back(std::move(door));
  }
  config_ = config;
  set_limits();
  router_.set_settings(core_settings(config));
  deliver();
  return {};
}

void Clients::accepted(const Door& door, UniqueFd socket, const sockaddr_storage& address,
                       socklen_t length) {
  const Peer peer{address, length};
  if (const auto banned = bans_.match(peer)) {
    refuse("its address is banned (" + banned->to_string() + ")");
    return;
  }
  switch (admission_.admit(peer)) {
    case Admission::Answer::kYes:
      break;
    case Admission::Answer::kTooMany:
      refuse("there are as many sessions as may be");
      return;
    case Admission::Answer::kTooManyFromAddress:
      refuse("there are as many sessions from its address as may be");
      return;
  }
  auto id = streams_.adopt(std::move(socket));
  if (!id) {
    admission_.leave(peer);
    refuse(id.error().message);
    return;
  }
  client_at(*id) = {peer, door.name_index};
  router_.connect(*id, door.listener.dialect, loop_.now(), outbox_);
  deliver();
  board_soon();
}

Clients::Client& Clients::client_at(io::StreamId id) {
  if (id >= clients_.size()) {
    if (id >= clients_.capacity()) clients_.reserve(id + kGrowth);
    clients_.resize(id + 1);
  }
  return clients_[id];
}

void Clients::refuse(const std::string& reason) {
  if (const auto line = refused_.refused(reason, loop_.now())) spdlog::warn(*line);
  refusals_.start_at(refused_.deadline());
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
  admission_.leave(client.peer);
  if (client.place != 0) {
    lifeboat_->leave(client.place);
    board_soon();
  }
  if (++closed_since_trim_ == kTrimAfter) trim_.start(kTrimDelay);
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

std::vector<SessionInfo> Clients::sessions() {
  const auto now = loop_.now();
  dates_.set(now, wall_now());
  std::vector<SessionInfo> all;
  for (const core::Session* session : router_.sessions()) {
    const Client& client = clients_[session->slot()];
    all.push_back({session->id(), session->name(), client.peer.to_string(),
                   listener_names_[client.listener], to_string(session->dialect()),
                   to_string(session->state()), dates_.of(session->connected_at()),
                   (now - session->last_activity()).count(), session->unread(), session->held(),
                   claimed_by(session->id())});
  }
  return all;
}

ClientStats Clients::stats() const {
  const auto& counters = router_.counters();
  const auto recorded = transcript_ == nullptr ? store::Counts{} : transcript_->counts();
  return {router_.size(),          counters.accepted,  refused_.count(), counters.messages_in,
          counters.messages_out,   counters.delivered, counters.held,    counters.lost,
          streams_.queued_bytes(), recorded.recorded,  recorded.lost};
}

std::uint64_t Clients::sent_bytes(core::Slot slot) const {
  return router_.has(slot) ? streams_.sent_bytes(slot) : 0;
}

// ---- effects ----

/// Returns whom it has filled beyond output_soft.
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
  if (retained_bytes() > kMostRetained) trim_.start(kTrimDelay);
  timer_.start_at(router_.deadline());
  return congested;
}

/// The client does not read: what waits for it is lost.
void Clients::abort(core::Slot slot) {
  assert(!router_.has(slot));
  clients_[slot].gone = true;
  streams_.abort(slot);
  trim_.start(kTrimDelay);
}

bool Clients::has_room(core::Slot slot, std::size_t bytes) {
  return streams_.has_room(slot, bytes);
}

std::uint32_t Clients::unsent(core::Slot slot) const {
  return static_cast<std::uint32_t>(streams_.unsent(slot));
}

/// What is kept between turns for the effects of the next.
std::size_t Clients::retained_bytes() const {
  return outbox_.retained_bytes() + journal_.retained_bytes();
}

void Clients::release_memory() {
  outbox_.release_memory();
  journal_.release_memory();
  give_back_heap();
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
      event.listener = listener_names_[clients_[each.slot].listener];
    }
    journal_.add(event, time);
  }
}

void Clients::tick() {
  router_.tick(loop_.now(), outbox_);
  deliver();
}

std::uint16_t Clients::listener_name(const std::string& name) {
  const auto place = std::find(listener_names_.begin(), listener_names_.end(), name);
  const auto index = static_cast<std::uint16_t>(place - listener_names_.begin());
  if (place == listener_names_.end()) listener_names_.push_back(name);
  return index;
}

void Clients::stop(std::function<void()> done) {
  missing_.clear();
  doors_.clear();
  router_.stop(loop_.now(), outbox_);
  deliver();
  if (streams_.size() == 0) {
    done();
  } else {
    stopped_ = std::move(done);
  }
}

}  // namespace chatd
