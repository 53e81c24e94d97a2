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
  Client client;
  CrashRecords::Place place = 0;
  io::SavedStream stream;
  std::unique_ptr<core::Session> session;  ///< null: it has ended, the stream closes
};

void Clients::save(ByteWriter& out, std::vector<int>& descriptors) {
  for (int i = 0; i < kFlushes; ++i) flush();
  crash_records_.keep();  // whoever has ended meanwhile has no place any more
  const auto now = loop_.now();
  doors_.save(out, descriptors);
  std::vector<io::StreamId> alive;
  for (io::StreamId id = 0; id < clients_.size(); ++id) {
    if (streams_.exists(id)) alive.push_back(id);
  }
  out.number<std::uint64_t>(alive.size());
  for (const auto id : alive) {
    clients_[id].peer.save(out);
    out.number(clients_[id].listener);
    out.number(crash_records_.place(id));
    out.number(append_descriptor(descriptors, streams_.save(id, out)));
    out.flag(router_.has(id));
    if (router_.has(id)) router_.at(id).save(out, now, journal_.held_messages());
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
    saved.client.peer = Peer::read(in);
    saved.client.listener = in.number<Doors::Index>();
    saved.place = in.number<CrashRecords::Place>();
    saved.stream = io::SavedStream::read(in);
    saved.descriptor = in.number<std::uint32_t>();
    in.require(saved.client.listener < names.size());
    in.require(saved.descriptor < descriptors.size() && descriptors[saved.descriptor] &&
               !used[saved.descriptor]);
    if (in.flag()) {
      saved.session = core::Session::restore(in, now);
      in.require(saved.session && !saved.stream.closing);
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
  deliver();
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
    client.client = {saved->peer, doors_.index_of(saved->listener)};
    client.place = place;
    client.stream.paused = saved->session->waits_to_be_read();
    client.stream.ended = saved->session->state() == core::Session::State::kAsking;
    client.session = std::move(saved->session);
    restore_client(std::move(client), std::move(connection->socket));
  }
  router_.lose_missing();
  std::vector<UniqueFd> rest;
  for (auto& kept : connections) {
    if (kept.socket) rest.push_back(std::move(kept.socket));
  }
  dismiss(std::move(rest));
  warn("chatd had ended without warning, and goes on with " + std::to_string(router_.size()) +
       " of " + std::to_string(before.sessions) + " sessions");
  crash_records_.write_all();
}

void Clients::restore_client(SavedClient saved, UniqueFd socket) {
  auto id = streams_.restore(std::move(socket), std::move(saved.stream));
  if (!id) {
    spdlog::error("a connection is lost: {}", id.error().message);
    return;
  }
  client_at(*id) = saved.client;
  entrance_.readmit(saved.client.peer);
  if (!saved.session) return;
  if (!router_.adopt(*id, std::move(saved.session))) {
    streams_.close(*id);
    return;
  }
  journal_.adopt(router_.at(*id));
  crash_records_.adopt(*id, saved.place);
}

void Clients::dismiss(std::vector<UniqueFd> connections) {
  for (auto& socket : connections) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const bool known =
        ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0;
    if (!known && errno == ENOTSOCK) continue;
    auto id = streams_.adopt(std::move(socket));
    if (!id) continue;
    client_at(*id) = {known ? Peer{address, length} : Peer{}, 0};
    entrance_.readmit(client_at(*id).peer);
    streams_.close(*id);
  }
}

}  // namespace chatd
