// What one process leaves to the next: listeners, connections with what waits to be sent,
// and the sessions on them. Read as a whole before any of it is used.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "clients/clients.hpp"
#include "clients/descriptors.hpp"

namespace chatd {

namespace {

/// Something may break when it is flushed, which is an event, and so on; not for ever.
constexpr int kFlushes = 8;

}  // namespace

/// A client as it was written down, until it is gone on with.
struct Clients::SavedClient {
  std::uint32_t descriptor = 0;
  Connections::Client client;
  CrashRecords::Place place = 0;
  io::SavedStream stream;
  std::unique_ptr<core::Session> session;  ///< null: it has ended, the stream closes
};

void Clients::save(ByteWriter& out, std::vector<int>& descriptors) {
  waiting_.finish();  // the next process knows sessions, and nobody who is to become one
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
  }
  router_.save(out);
  entrance_.save(out);
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
    saved.stream = io::SavedStream::read(in);
    saved.descriptor = in.number<std::uint32_t>();
    in.require(saved.client.listener < names.size());
    in.require(saved.descriptor < descriptors.size() && descriptors[saved.descriptor] &&
               !used[saved.descriptor]);
    if (in.flag()) {
      saved.session = core::Session::restore(in, now);
      in.require(saved.session && saved.session->ended() == saved.stream.closing);
    } else {
      in.require(saved.stream.closing);
    }
    if (in.ok()) used[saved.descriptor] = true;
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
  connections_.deliver();
  crash_records_.write_all();
  return true;
}

void Clients::restore_after_crash(const CrashStore::Records& records,
                                  std::vector<service::KeptSession> connections) {
  CrashRecords::Totals before;
  const bool understood = CrashRecords::read_head(records.head, router_, before);
  entrance_.add_refused(before.refused);
  for (const auto& [place, record] : records.sessions) {
    if (!understood) break;
    auto saved = CrashRecords::read(record, loop_.now());
    if (!saved) continue;
    const auto connection = std::find_if(
        connections.begin(), connections.end(),
        [&](const auto& kept) { return kept.session == saved->session->id() && kept.socket; });
    if (connection == connections.end()) continue;  // it has gone meanwhile
    SavedClient client;
    client.client = {saved->peer, doors_.index_of(saved->listener), Accounts::kNone};
    client.place = place;
    client.stream.paused = saved->session->waits_to_be_read();
    client.stream.ended = saved->session->state() == core::Session::State::kAsking;
    client.stream.closing = saved->session->ended();
    client.session = std::move(saved->session);
    restore_client(std::move(client), std::move(connection->socket));
  }
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
  auto slot = connections_.restore(std::move(socket), std::move(saved.stream), saved.client);
  if (!slot) {
    spdlog::error("a connection is lost: {}", slot.error().message);
    entrance_.leave(saved.client.account);
    return;
  }
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
    const auto slot = connections_.add(std::move(socket), {peer, 0, account});
    if (slot) {
      connections_.dismiss(*slot);
    } else {
      entrance_.leave(account);
    }
  }
}

}  // namespace chatd
