// What one process leaves to the next: listeners, connections with what waits to be sent,
// and the sessions on them. Read as a whole before any of it is used.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/bytes.hpp"
#include "clients/clients.hpp"
#include "clients/descriptors.hpp"
#include "http/frame.hpp"

namespace chatd {

namespace {

/// Something may break when it is flushed, which is an event, and so on; not for ever.
constexpr int kFlushes = 8;
/// The first document that has connections of which nobody knows yet what they are.
constexpr std::uint32_t kWithArrivals = 10;

/// Whether nothing has gone to or from its client yet: see Connections::Kind::kSilent.
bool is_silent(const core::Session& session) {
  return !session.ended() && session.dialect() == core::Dialect::kUndecided &&
         session.last_activity() == session.connected_at();
}

}  // namespace

/// A client as it was written down, until it is gone on with.
struct Clients::SavedClient {
  std::uint32_t descriptor = 0;
  Connections::Client client;
  CrashRecords::Place place = 0;
  Connections::Saved connection;
  std::unique_ptr<core::Session> session;  ///< null: it has ended, the stream closes
  std::optional<Arrivals::Saved> arrival;
};

/// The session of a page, which comes to the next process by itself.
struct Clients::SavedPage {
  core::Slot slot = 0;  ///< in the former process
  CrashRecords::Place place = 0;
  Connections::Client client;
  Connections::Way way;
  std::unique_ptr<core::Session> session;
};

void Clients::save(ByteWriter& out, std::vector<int>& descriptors) {
  waiting_.finish();  // the next process knows connections, and nobody who waits for a place
  arrivals_.end_handshakes();
  pages_.close(http::kServiceRestart, "the daemon is replaced");
  connections_.end_unsaveable();
  for (int i = 0; i < kFlushes; ++i) connections_.flush_all();
  crash_records_.keep();  // whoever has ended meanwhile has no place any more
  const auto now = loop_.now();
  doors_.save(out, descriptors);
  const auto slots = connections_.slots();
  out.number<std::uint64_t>(slots.size());
  for (const auto slot : slots) {
    const auto& client = connections_.client(slot);
    client.peer.save(out);
    out.number(client.listener);
    out.number(crash_records_.place(slot));
    out.number(append_descriptor(descriptors, connections_.save(slot, out)));
    out.flag(router_.has(slot));
    if (router_.has(slot)) router_.at(slot).save(out, now, journal_.held_messages());
    const bool arrives = client.kind == Connections::Kind::kArrival;
    out.flag(arrives);
    if (arrives) arrivals_.save(slot, out);
  }
  save_pages(out, now);
  certificates_.save(out);
  out.number(arrivals_.requests());
  router_.save(out);
  entrance_.save(out);
}

void Clients::save_pages(ByteWriter& out, Time now) {
  const auto slots = pages_.sessions();
  out.number<std::uint64_t>(slots.size());
  for (const auto slot : slots) {
    const auto& client = connections_.client(slot);
    const auto& way = connections_.way(slot);
    out.number(slot);
    client.peer.save(out);
    out.number(client.listener);
    out.number(crash_records_.place(slot));
    for (const auto* text : {&way.verified, &way.via, &way.tls}) out.text(*text);
    router_.at(slot).save(out, now, journal_.held_messages());
  }
  pages_.save(out, now);
}

bool Clients::restore(ByteReader& in, std::vector<UniqueFd>& descriptors) {
  const auto now = loop_.now();
  const auto names = doors_.restore(in, descriptors);
  std::vector<SavedClient> clients;
  std::vector<bool> used(descriptors.size(), false);
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    SavedClient& saved = clients.emplace_back();
    saved.client.peer = io::Peer::read(in);
    saved.client.listener = in.number<Doors::Index>();
    saved.place = in.number<CrashRecords::Place>();
    saved.connection = Connections::read(in);
    saved.descriptor = in.number<std::uint32_t>();
    in.require(saved.client.listener < names.size());
    in.require(saved.descriptor < descriptors.size() && descriptors[saved.descriptor] &&
               !used[saved.descriptor]);
    if (in.flag()) {
      saved.session = core::Session::restore(in, now);
      in.require(saved.session && saved.session->ended() == saved.connection.stream.closing);
      in.require(saved.session && saved.session->dialect() != core::Dialect::kWeb);
    }
    if (in.version() >= kWithArrivals && in.flag()) saved.arrival = Arrivals::read(in, now);
    const bool is_one = static_cast<bool>(saved.session) != saved.arrival.has_value();
    in.require(is_one || (!saved.session && saved.connection.stream.closing));
    if (in.ok()) used[saved.descriptor] = true;
  }
  std::vector<SavedPage> pages;
  PageSockets::Saved pages_then;
  if (in.version() >= kWithArrivals) {
    for (auto count = in.count(); count > 0 && in.ok(); --count) {
      SavedPage& saved = pages.emplace_back();
      saved.slot = in.number<core::Slot>();
      saved.client.peer = io::Peer::read(in);
      saved.client.listener = in.number<Doors::Index>();
      saved.place = in.number<CrashRecords::Place>();
      for (auto* text : {&saved.way.verified, &saved.way.via, &saved.way.tls}) *text = in.text();
      saved.session = core::Session::restore(in, now);
      in.require(saved.session && saved.session->dialect() == core::Dialect::kWeb);
      in.require(saved.client.listener < names.size());
    }
    pages_then = PageSockets::read(in, now);
    std::set<core::Slot> slots;
    for (const SavedPage& saved : pages) {
      in.require(pages_then.has_session(saved.slot) && slots.insert(saved.slot).second);
    }
    certificates_.restore(in);
    arrivals_.go_on_from(in.number<std::uint64_t>());
  }
  router_.restore(in);
  const auto entrance = Entrance::read(in);
  if (!in.ok()) return false;

  entrance_.restore(entrance);
  crash_records_.discard_old();
  for (auto& saved : clients) {
    saved.client.listener = doors_.index_of(names[saved.client.listener]);
    auto socket = take_descriptor(descriptors, saved.descriptor);
    restore_client(std::move(saved), std::move(socket));
  }
  for (auto& saved : pages) {
    saved.client.listener = doors_.index_of(names[saved.client.listener]);
  }
  restore_pages(std::move(pages), std::move(pages_then));
  connections_.deliver();
  crash_records_.write_all();
  return true;
}

/// `said` knows them by their former slots.
void Clients::restore_pages(std::vector<SavedPage> pages, PageSockets::Saved said) {
  std::unordered_map<core::Slot, core::Slot> slots;
  for (auto& saved : pages) {
    const core::Slot slot = connections_.add_page_session(saved.client);
    connections_.set_way(slot, std::move(saved.way));
    if (router_.adopt(slot, std::move(saved.session))) {
      journal_.adopt(router_.at(slot));
      slots.emplace(saved.slot, slot);
    } else {
      connections_.forget_page_session(slot);
    }
  }
  pages_.restore(
      std::move(said),
      [&slots](core::Slot then) -> std::optional<core::Slot> {
        const auto place = slots.find(then);
        if (place == slots.end()) return {};
        return place->second;
      },
      loop_.now());
  for (const auto& saved : pages) {
    const auto slot = slots.find(saved.slot);
    if (slot == slots.end() || !pages_.pages().has_session(slot->second)) continue;
    crash_records_.adopt(slot->second, saved.place);
  }
}

void Clients::restore_after_crash(const CrashStore::Records& records,
                                  std::vector<service::KeptSession> connections) {
  CrashRecords::Totals before;
  const bool understood = CrashRecords::read_head(records.head, router_, before);
  entrance_.add_refused(before.refused);
  std::vector<SavedPage> pages;
  PageSockets::Saved said;
  for (const auto& [place, record, log] : records.sessions) {
    if (!understood) break;
    auto saved = CrashRecords::read(record, loop_.now());
    if (!saved) continue;
    const Connections::Client client_then{.peer = saved->peer,
                                          .listener = doors_.index_of(saved->listener)};
    if (saved->session->dialect() == core::Dialect::kWeb) {
      auto page = log ? Page::from_log(*log) : std::nullopt;
      if (saved->session->ended() || !page || !said.add(place, std::move(*page), loop_.now())) {
        spdlog::error("session {} is lost: the crash record of its page cannot be used",
                      saved->session->id());
        continue;
      }
      // In place of the former slot, which nobody knows.
      pages.push_back(
          {place, place, client_then, std::move(saved->way), std::move(saved->session)});
      continue;
    }
    const auto connection = std::find_if(
        connections.begin(), connections.end(),
        [&](const auto& kept) { return kept.session == saved->session->id() && kept.socket; });
    if (connection == connections.end()) continue;  // it has gone meanwhile
    SavedClient client;
    client.client = client_then;
    client.place = place;
    client.connection.way = std::move(saved->way);
    client.connection.stream.paused = saved->session->waits_to_be_read();
    client.connection.stream.ended = saved->session->state() == core::Session::State::kAsking;
    client.connection.stream.closing = saved->session->ended();
    client.session = std::move(saved->session);
    restore_client(std::move(client), std::move(connection->socket));
  }
  restore_pages(std::move(pages), std::move(said));
  router_.lose_missing();
  std::vector<UniqueFd> rest;
  for (auto& kept : connections) {
    if (kept.socket) rest.push_back(std::move(kept.socket));
  }
  dismiss(std::move(rest));
  journal_.warn("chatd had ended without warning, and goes on with " +
                std::to_string(router_.size()) + " of " + std::to_string(before.sessions) +
                " sessions");
  crash_records_.write_all();
}

void Clients::restore_client(SavedClient saved, UniqueFd socket) {
  saved.client.peer.learn_user(socket.get());  // an earlier version did not ask
  saved.client.account = entrance_.readmit(saved.client.peer);
  if (saved.arrival) saved.client.kind = Connections::Kind::kArrival;
  saved.client.extra = saved.arrival.has_value();  // perhaps: nobody has written it down
  if (!saved.session && !saved.arrival) saved.client.kind = Connections::Kind::kLeaving;
  if (saved.session && is_silent(*saved.session)) saved.client.kind = Connections::Kind::kSilent;
  auto slot = connections_.restore(std::move(socket), std::move(saved.connection), saved.client);
  if (!slot) {
    spdlog::error("a connection is lost: {}", slot.error().message);
    entrance_.leave(saved.client.account);
    return;
  }
  if (saved.arrival) arrivals_.restore(*slot, std::move(*saved.arrival));
  if (!saved.session) return;
  if (saved.session->is_left_out()) accounts_.asks(saved.client.account, saved.session->id());
  if (!router_.adopt(*slot, std::move(saved.session))) {
    connections_.dismiss(*slot);
    return;
  }
  journal_.adopt(router_.at(*slot));
  crash_records_.adopt(*slot, saved.place);
}

void Clients::dismiss(std::vector<UniqueFd> connections) {
  for (auto& socket : connections) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const bool known =
        ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0;
    if (!known && errno == ENOTSOCK) continue;
    io::Peer peer = known ? io::Peer{address, length} : io::Peer{};
    peer.learn_user(socket.get());
    const auto account = entrance_.readmit(peer);
    const auto slot = connections_.add(std::move(socket), {.peer = peer, .account = account});
    if (slot) {
      connections_.dismiss(*slot);
    } else {
      entrance_.leave(account);
    }
  }
}

}  // namespace chatd
