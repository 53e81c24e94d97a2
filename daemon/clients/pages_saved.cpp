// What one process leaves of its visitors' pages to the next.
#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "base/bytes.hpp"
#include "clients/pages.hpp"

namespace chatd {

void Pages::save(ByteWriter& out, Time now) const {
  out.flag(away_.has_value());
  if (away_) out.text(*away_);
  out.number<std::uint64_t>(silent_.size());
  for (const auto& [slot, connection] : connections_) {
    if (connection.session) continue;
    out.number(slot);
    out.time(connection.hello_by, now);
  }
  out.number<std::uint64_t>(sessions_.size());
  for (const auto& [slot, session] : sessions_) {
    out.number(slot);
    session.page.save(out);
    if (session.connection) {
      out.number(*session.connection);
    } else {
      out.time(session.lost_at, now);
    }
  }
}

Pages::Saved Pages::read(ByteReader& in, Time now) {
  Saved saved;
  if (in.flag()) saved.away_ = in.text();
  std::set<core::Slot> connections;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    const auto slot = in.number<core::Slot>();
    const auto hello_by = in.time(now);
    in.require(hello_by <= now + kHello && connections.insert(slot).second);
    in.require(saved.silent_.empty() || saved.silent_.rbegin()->first < slot);
    if (in.ok()) saved.silent_.emplace(slot, hello_by);
  }
  std::set<PageTokens::Hash> tokens;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    const auto slot = in.number<core::Slot>();
    in.require(saved.sessions_.empty() || saved.sessions_.rbegin()->first < slot);
    if (!in.ok()) break;
    const auto place = saved.sessions_.try_emplace(slot).first;
    Session& session = place->second;
    session.page.restore(in);
    if (session.page.is_there()) {
      session.connection = in.number<core::Slot>();
      in.require(connections.insert(*session.connection).second);
    } else {
      session.lost_at = in.time(now);
      in.require(session.lost_at <= now);
    }
    for (const auto& each : session.page.tokens().good()) in.require(tokens.insert(each).second);
  }
  for (const auto& [slot, session] : saved.sessions_) in.require(!connections.contains(slot));
  return saved;
}

bool Pages::Saved::add(core::Slot slot, Page page, Time now) {
  assert(!page.is_there());
  for (const auto& each : page.tokens().good()) {
    if (!tokens_.insert(each).second) return false;
  }
  Session& session = sessions_[slot];
  session.page = std::move(page);
  session.lost_at = now;
  return true;
}

void Pages::restore(Saved saved, const SlotNow& slot_now, Time now) {
  assert(connections_.empty() && sessions_.empty());
  away_ = std::move(saved.away_);
  for (const auto& [then, hello_by] : saved.silent_) {
    const auto slot = slot_now(then);
    if (!slot) continue;
    connections_[*slot].hello_by = hello_by;
    silent_.emplace(hello_by, *slot);
  }
  for (auto& [then, session] : saved.sessions_) {
    if (session.connection) session.connection = slot_now(*session.connection);
    const auto slot = slot_now(then);
    if (!slot) {
      if (session.connection) host_.close(*session.connection, kReplaced, "the session is gone");
      continue;
    }
    if (session.connection) {
      connections_[*session.connection].session = *slot;
    } else {
      session.page.left();
      session.lost_at = std::min(session.lost_at, now);
      waiting_.emplace(session.lost_at, *slot);
    }
    for (const auto& each : session.page.tokens().good()) by_token_.emplace(each, *slot);
    sessions_.emplace(*slot, std::move(session));
  }
  restored_at_ = now;
}

}  // namespace chatd
