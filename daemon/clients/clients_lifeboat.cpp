// The server's part of what outlives a crash: which sessions are in the lifeboat, what is
// written down of them before anything of a turn is sent, and how the next process goes
// on with them.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "clients/clients.hpp"
#include "clients/clients_saved.hpp"

namespace chatd {

namespace {

/// A visit that is shorter than that costs nothing.
constexpr Duration kBoardAge{1000};
/// So many descriptors go into the store at once; the manager does other things, too.
constexpr int kBoardAtOnce = 64;
constexpr Duration kBoardPause{20};
/// Of what clients said and what is held for them, the most that is kept in a record.
constexpr std::size_t kMostText = 512;

std::int64_t milliseconds(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

// ---- the process that may end at any time ----

/// At the end of each turn, before anything is sent: a client that got something is never
/// ahead of its record.
void Clients::keep_records() {
  if (lifeboat_ == nullptr) return;
  for (const core::Slot slot : router_.changed()) {
    auto& place = clients_[slot].place;
    if (place == 0) continue;
    if (router_.has(slot)) {
      lifeboat_->write(place, record_of(slot));
    } else {
      lifeboat_->leave(std::exchange(place, 0));
      board_soon();  // there is room for another
    }
  }
  router_.changes_seen();
  if (recorded_seq_ != journal_.last_seq()) record_head();
}

void Clients::record_head() {
  recorded_seq_ = journal_.last_seq();
  record_.clear();
  record_.number(journal_.last_seq());
  record_.number<std::uint64_t>(router_.size());
  router_.save(record_, kMostText);
  record_.number(refused_.count());
  lifeboat_->write_head(record_.bytes());
}

/// With the time of the clock, which is the same in every process until the machine is
/// started anew.
std::string_view Clients::record_of(core::Slot slot) {
  const auto now = loop_.now();
  record_.clear();
  record_.number(milliseconds(now));
  clients_[slot].peer.save(record_);
  record_.text(listener_names_[clients_[slot].listener]);
  router_.at(slot).save(record_, now, journal_.held_messages(), kMostText);
  return record_.bytes();
}

/// All of them, when they have just come from another process.
void Clients::record_all() {
  if (lifeboat_ == nullptr) return;
  for (core::Slot slot = 0; slot < clients_.size(); ++slot) {
    const auto place = clients_[slot].place;
    if (place != 0 && router_.has(slot)) lifeboat_->write(place, record_of(slot));
  }
  record_head();
  board_soon();
}

void Clients::board_soon() {
  if (lifeboat_ == nullptr || !lifeboat_->has_room() || std::exchange(boarding_, true)) return;
  board_.start(kBoardAge);
}

/// The oldest go first.
void Clients::board() {
  boarding_ = false;
  lifeboat_->tidy();
  const auto oldest = loop_.now() - kBoardAge;
  int count = 0;
  bool soon = !lifeboat_->is_tidy();
  bool later = false;
  for (const core::Session* session : router_.sessions()) {
    if (soon || !lifeboat_->has_room()) break;
    const auto slot = session->slot();
    if (clients_[slot].place != 0) continue;
    if (session->connected_at() > oldest) {
      later = true;
      continue;
    }
    const auto record = record_of(slot);
    if (record.size() > service::RecordFile::kMaxRecord) {
      later = true;
      continue;
    }
    const auto place = lifeboat_->board(session->id(), streams_.share(slot), record);
    if (place != 0) {
      clients_[slot].place = place;
      router_.watch(slot);
    }
    soon = place == 0 || ++count == kBoardAtOnce;
  }
  if (!soon && !later) return;
  boarding_ = true;
  board_.start(soon ? kBoardPause : kBoardAge);
}

// ---- the process that comes ----

std::unique_ptr<Clients::SavedClient> Clients::read_record(const std::string& record) {
  ByteReader in{record};
  auto saved = std::make_unique<SavedClient>();
  const Time written{Duration{in.number<std::int64_t>()}};
  in.require(written <= loop_.now() && written > Time{});
  saved->client.peer = Peer::read(in);
  const auto listener = in.text();
  if (!in.ok()) return nullptr;
  saved->session = core::Session::restore(in, written);
  if (!saved->session || !in.finished()) return nullptr;
  saved->client.listener = listener_name(std::string{listener});
  saved->stream.paused = saved->session->waits_to_be_read();
  saved->stream.ended = saved->session->state() == core::Session::State::kAsking;
  return saved;
}

void Clients::rescue(const Lifeboat::Saved& saved, std::vector<service::KeptSession> connections) {
  ByteReader head{saved.head};
  (void)head.number<Seq>();
  const auto before = head.number<std::uint64_t>();
  router_.restore(head);
  refused_.go_on_from(head.number<std::uint64_t>());
  for (const auto& [place, record] : saved.sessions) {
    if (!head.finished()) break;
    auto client = read_record(record);
    if (!client) continue;
    const auto connection = std::find_if(
        connections.begin(), connections.end(),
        [&](const auto& kept) { return kept.session == client->session->id() && kept.socket; });
    if (connection == connections.end()) continue;  // it has gone meanwhile
    client->client.place = place;
    restore_client(std::move(*client), std::move(connection->socket));
  }
  router_.lose_missing();
  std::vector<UniqueFd> rest;
  for (auto& kept : connections) {
    if (kept.socket) rest.push_back(std::move(kept.socket));
  }
  dismiss(std::move(rest));
  warn("chatd had ended without warning, and goes on with " + std::to_string(router_.size()) +
       " of " + std::to_string(before) + " sessions");
  record_all();
}

}  // namespace chatd
