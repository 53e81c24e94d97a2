#include "clients/clients.hpp"

#include <sys/random.h>

#include <string>
#include <utility>

#include "base/wall_time.hpp"
#include "events/event.hpp"

namespace chatd {

namespace {

void write_down(Journal& journal, const BanChange& change) {
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
  journal.add(event);
}

/// One that nobody else has drawn. A kernel that has none yet, shortly after its start, gives the
/// time in its place.
std::uint64_t random_number() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
    number = static_cast<std::uint64_t>(wall_now().time_since_epoch().count());
  }
  return number;
}

}  // namespace

Clients::Clients(io::Loop& loop, const Config& config, std::size_t max_sessions, Journal& journal,
                 Transcript* transcript, CrashStore* crash_store)
    : loop_{loop},
      journal_{journal},
      transcript_{transcript},
      doors_{loop,
             config.listen,
             {[this](Doors::Visitor visitor) { came(std::move(visitor)); },
              [&journal](const std::string& why) { journal.warn(why); }}},
      entrance_{loop,
                max_sessions,
                transcript,
                accounts_,
                {[&journal](const BanChange& change) { write_down(journal, change); },
                 [this](Accounts::Number newcomer, Accounts::Number full) {
                   return eviction_.make_room(newcomer, full);
                 }}},
      waiting_{loop,
               {[this](Doors::Visitor& visitor, bool last) { let_in(visitor, true, !last); }}},
      names_{config.names},
      connections_{
          loop,
          router_,
          accounts_,
          journal,
          doors_,
          stream_limits(config),
          [this](core::Slot slot, const Connections::Client& client) { closed(slot, client); }},
      router_{core_settings(config), transcript == nullptr ? 0 : transcript->opened().last_session,
              &connections_},
      eviction_{loop, router_, accounts_, connections_},
      sessions_{loop, router_, connections_},
      crash_records_{loop, router_, journal, *this, crash_store} {
  set_limits(config.limits);
  router_.set_lineage(random_number());
  if (transcript == nullptr) return;
  transcript->on_dropped([this](std::uint32_t origin, std::size_t events) {
    if (origin != store::kNoOrigin) accounts_.not_recorded(origin, events);
  });
}

void Clients::set_limits(const Config::Limits& limits) {
  entrance_.set_limits(limits);
  eviction_.set_limit(limits.memory);
}

Result<> Clients::listen(std::vector<UniqueFd> passed) {
  return doors_.listen(std::move(passed), router_.size() > 0);
}

Result<> Clients::apply(const Config& config) {
  if (auto applied = doors_.apply(config.listen); !applied) return applied;
  set_limits(config.limits);
  names_ = GivenNames{config.names};
  connections_.set_limits(stream_limits(config));
  router_.set_settings(core_settings(config));
  connections_.deliver();
  return {};
}

void Clients::came(Doors::Visitor visitor) {
  visitor.peer.learn_user(visitor.socket.get());
  let_in(visitor, false, true);
  if (!visitor.socket) return;
  if (waiting_.size() < entrance_.spare_descriptors() && waiting_.add(visitor)) return;
  let_in(visitor, true, false);
}

/// Or refuses it, unless it may wait: then it keeps its socket. `again`: it has waited already.
void Clients::let_in(Doors::Visitor& visitor, bool again, bool may_wait) {
  const auto answer = entrance_.admit(visitor.peer, again);
  if (!answer.obstacle.empty()) {
    if (may_wait && answer.may_pass) return;
    entrance_.refuse(answer);
    visitor.socket.reset();
    return;
  }
  auto slot =
      connections_.add(std::move(visitor.socket), {visitor.peer, visitor.listener, answer.account});
  if (!slot) {
    entrance_.turn_away(answer.account, slot.error().message);
    return;
  }
  router_.connect(*slot, visitor.dialect, loop_.now(), connections_.outbox(), visitor.room,
                  names_.of(visitor.peer));
  connections_.deliver();
  crash_records_.add_soon();
}

void Clients::closed(core::Slot slot, const Connections::Client& client) {
  entrance_.leave(client.account);
  crash_records_.closed(slot);
  if (stopped_ && connections_.size() == 0) std::exchange(stopped_, nullptr)();
}

void Clients::stop(std::function<void()> done) {
  doors_.close();
  waiting_.finish();
  router_.stop(loop_.now(), connections_.outbox());
  connections_.deliver();
  if (connections_.size() == 0) {
    done();
  } else {
    stopped_ = std::move(done);
  }
}

ClientStats Clients::stats() const {
  const auto& counters = router_.counters();
  const auto recorded = transcript_ == nullptr ? store::Counts{} : transcript_->counts();
  return {router_.size(),       counters.accepted,     entrance_.refused(),
          counters.messages_in, counters.messages_out, counters.delivered,
          counters.held,        counters.lost,         connections_.queued_bytes(),
          recorded.recorded,    recorded.lost};
}

}  // namespace chatd
