// The server's part of what one process leaves to the next: listeners, connections
// with what waits to be sent, and the sessions on them. Read as a whole before any of
// it is used.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "clients/clients.hpp"
#include "clients/clients_saved.hpp"

namespace chatd {

namespace {

/// Something may break when it is flushed, which is an event, and so on; not for ever.
constexpr int kFlushes = 8;

/// The descriptor at that place, if nobody has taken it.
UniqueFd descriptor_at(std::vector<UniqueFd>& descriptors, std::uint32_t place) {
  return place < descriptors.size() ? std::move(descriptors[place]) : UniqueFd{};
}

}  // namespace

void Clients::save(ByteWriter& out, std::vector<int>& descriptors) {
  for (int i = 0; i < kFlushes; ++i) streams_.flush();
  const auto place_of = [&](int fd) {
    descriptors.push_back(fd);
    return static_cast<std::uint32_t>(descriptors.size() - 1);
  };
  const auto now = loop_.now();

  out.flag(passed_);
  out.number<std::uint64_t>(doors_.size());
  for (const auto& door : doors_) {
    out.text(door->listener.endpoint.address);
    out.number(door->listener.endpoint.port);
    out.number(place_of(door->acceptor->descriptor()));
    door->acceptor->save(out);
  }

  out.number<std::uint64_t>(listener_names_.size());
  for (const auto& name : listener_names_) out.text(name);

  std::vector<io::StreamId> alive;
  for (io::StreamId id = 0; id < clients_.size(); ++id) {
    if (streams_.exists(id)) alive.push_back(id);
  }
  out.number<std::uint64_t>(alive.size());
  for (const auto id : alive) {
    clients_[id].peer.save(out);
    out.number(clients_[id].listener);
    out.number(clients_[id].place);
    out.number(place_of(streams_.save(id, out)));
    out.flag(router_.has(id));
    if (router_.has(id)) router_.at(id).save(out, now, journal_.held_messages());
  }
  router_.save(out);
  save_bans(out);
  out.number(refused_.count());
}

bool Clients::restore(ByteReader& in, std::vector<UniqueFd>& descriptors) {
  const auto now = loop_.now();
  passed_ = in.flag();
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    auto door = std::make_unique<Door>();
    door->listener.endpoint.address = in.text();
    door->listener.endpoint.port = in.number<std::uint16_t>();
    auto socket = descriptor_at(descriptors, in.number<std::uint32_t>());
    auto acceptor =
        io::Acceptor::restore(loop_, std::move(socket), in, on_accept(*door), log_failure);
    // One that cannot be used is opened anew by listen(), or reported.
    if (acceptor && in.ok() && finish(*door, std::move(acceptor))) {
      restored_.push_back(std::move(door));
    }
  }

  std::vector<std::string> names;
  for (auto count = in.count(); count > 0 && in.ok(); --count) names.emplace_back(in.text());

  std::vector<SavedClient> clients;
  std::vector<bool> used(descriptors.size(), false);
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    SavedClient& saved = clients.emplace_back();
    saved.client.peer = Peer::read(in);
    saved.client.listener = in.number<std::uint16_t>();
    saved.client.place = in.number<Lifeboat::Place>();
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
  const auto bans = read_bans(in);
  const auto refused = in.number<std::uint64_t>();
  if (!in.ok()) return false;
  refused_.go_on_from(refused);
  bans_.replace(bans, now, wall_now());
  ban_end_.start_at(bans_.deadline());

  if (lifeboat_ != nullptr) (void)lifeboat_->take_saved();  // this is newer
  for (auto& client : clients) {
    client.client.listener = listener_name(names[client.client.listener]);
    auto socket = std::move(descriptors[client.descriptor]);
    restore_client(std::move(client), std::move(socket));
  }
  deliver();
  record_all();
  return true;
}

void Clients::restore_client(SavedClient saved, UniqueFd socket) {
  auto id = streams_.restore(std::move(socket), std::move(saved.stream));
  if (!id) {
    spdlog::error("a connection is lost: {}", id.error().message);
    return;
  }
  client_at(*id) = saved.client;
  Lifeboat::Place& place = client_at(*id).place;
  admission_.readmit(saved.client.peer);
  const auto session = saved.session ? saved.session->id() : 0;
  if (place != 0 && (lifeboat_ == nullptr || !lifeboat_->goes_on_with(place, session))) place = 0;
  if (!saved.session) return;
  if (!router_.adopt(*id, std::move(saved.session))) {
    streams_.close(*id);
    return;
  }
  journal_.adopt(router_.at(*id));
  if (place != 0) router_.watch(*id);
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
    admission_.readmit(client_at(*id).peer);
    streams_.close(*id);
  }
}

/// The door of an earlier process that was configured so.
std::unique_ptr<Clients::Door> Clients::restored_door(const io::Endpoint& endpoint) {
  const auto place = std::find_if(restored_.begin(), restored_.end(), [&](const auto& door) {
    return door && door->listener.endpoint == endpoint;
  });
  return place == restored_.end() ? nullptr : std::move(*place);
}

}  // namespace chatd
