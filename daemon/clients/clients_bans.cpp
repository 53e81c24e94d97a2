// The server's part of bans: who is refused, what operators hear of it, and where it is
// kept. Sessions that are there already stay: whoever bans is told which they are.
#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "clients/clients.hpp"

namespace chatd {

bool Clients::ban(const Network& network, Duration length, std::string_view by) {
  Bans::Ban ban;
  ban.since = wall_now();
  ban.operator_name = by;
  if (length > Duration{0}) {
    ban.until = loop_.now() + length;
    ban.until_date = ban.since + length;
  }
  std::string until;
  if (ban.until != kNever) append_rfc3339(until, ban.until_date);
  if (!bans_.add(network, std::move(ban))) return false;
  const auto address = network.to_string();
  Event event;
  event.kind = EventKind::kBanned;
  event.address = address;
  event.until = until;
  event.operator_name = by;
  journal_.add(event);
  bans_changed();
  return true;
}

bool Clients::unban(const Network& network, std::string_view by) {
  if (!bans_.remove(network)) return false;
  say_unbanned(network, by);
  bans_changed();
  return true;
}

void Clients::expire_bans() {
  const auto over = bans_.expire(loop_.now());
  for (const Network& network : over) say_unbanned(network, {});
  bans_changed();
}

void Clients::say_unbanned(const Network& network, std::string_view by) {
  const auto address = network.to_string();
  Event event;
  event.kind = EventKind::kUnbanned;
  event.address = address;
  event.operator_name = by;
  journal_.add(event);
}

void Clients::bans_changed() {
  if (transcript_ != nullptr) transcript_->set_bans(bans_.kept());
  ban_end_.start_at(bans_.deadline());
}

std::vector<core::SessionId> Clients::sessions_in(const Network& network) const {
  std::vector<core::SessionId> all;
  for (const core::Session* session : router_.sessions()) {
    if (network.contains(clients_[session->slot()].peer)) all.push_back(session->id());
  }
  return all;
}

void Clients::save_bans(ByteWriter& out) const {
  const auto kept = bans_.kept();
  out.number<std::uint64_t>(kept.size());
  for (const store::Ban& ban : kept) {
    out.text(ban.address);
    out.number(ban.until_ms);
    out.number(ban.since_ms);
    out.text(ban.operator_name);
  }
}

std::vector<store::Ban> Clients::read_bans(ByteReader& in) {
  std::vector<store::Ban> kept;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    store::Ban& ban = kept.emplace_back();
    ban.address = in.text();
    ban.until_ms = in.number<std::int64_t>();
    ban.since_ms = in.number<std::int64_t>();
    ban.operator_name = in.text();
  }
  return kept;
}

}  // namespace chatd
