#include "clients/clients.hpp"

#include <sys/random.h>

#include <string>
#include <utility>

#include "base/wall_time.hpp"
#include "events/event.hpp"
#include "http/frame.hpp"

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

Accounts::Coming coming_by(const Listener& listener) {
  return listener.web == Listener::Web::kOff ? Accounts::Coming::kClient
                                             : Accounts::Coming::kVisitor;
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
      website_{config.web},
      entrance_{loop,
                max_sessions,
                transcript,
                accounts_,
                {[&journal](const BanChange& change) { write_down(journal, change); },
                 [this](Accounts::Number newcomer, Accounts::Number full) {
                   const auto is_within = [&](Accounts::Number account) {
                     while (account != full && account != Accounts::kNone) {
                       account = accounts_.wider(account);
                     }
                     return account == full;
                   };
                   return arrivals_.give_way(is_within) || eviction_.make_room(newcomer, full);
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
      arrivals_{loop, connections_, certificates_, website_, *this},
      pages_{loop,
             router_,
             connections_,
             config,
             {[this](core::Slot slot) { return may_begin(slot); },
              [this](core::Slot slot, const Listener& by) {
                connect(slot, by, core::DialectSetting::kWeb, loop_.now());
              },
              [this](const io::Peer& peer) { return entrance_.enter_away(peer); },
              [this](Accounts::Number account) { entrance_.leave_away(account); },
              [this](core::Slot slot) { return crash_records_.log_size(slot); }}},
      eviction_{loop, router_, accounts_, connections_},
      sessions_{loop, router_, connections_, pages_},
      crash_records_{loop, router_, journal, *this, &pages_.pages(), crash_store},
      certificates_day_{loop, [this] { look_at_certificates(); }} {
  connections_.set_late([this](core::Slot slot, std::string_view said) {
    auto by = doors_.configured(connections_.client(slot).listener);
    return by && arrivals_.take_back(slot, std::move(by), said);
  });
  set_limits(config.limits);
  router_.set_lineage(random_number());
  if (transcript == nullptr) return;
  transcript->on_dropped([this](std::uint32_t origin, std::size_t events) {
    if (origin != store::kNoOrigin) accounts_.not_recorded(origin, events);
  });
}

void Clients::look_at_certificates() {
  certificates_.renew_tickets(wall_now());
  for (const std::string& each : certificates_.warnings(wall_now())) journal_.warn(each);
  certificates_day_.start(std::chrono::hours{24});
}

void Clients::set_limits(const Config::Limits& limits) {
  entrance_.set_limits(limits);
  eviction_.set_limit(limits.memory);
}

Result<> Clients::listen(std::vector<UniqueFd> passed) {
  auto certificates =
      certificates_.load(doors_.wanted(), wall_now(), tls::Credentials::Outdated::kAccepted);
  if (certificates) {
    certificates_.use(std::move(*certificates));
  } else if (router_.size() == 0) {
    return std::move(certificates.error());
  } else {  // sessions that go on are worth more than this
    journal_.warn(certificates.error().message + "; nobody new comes in by TLS until a reload");
  }
  look_at_certificates();
  auto listening = doors_.listen(std::move(passed), router_.size() > 0);
  if (listening) arrivals_.start(doors_);
  return listening;
}

Result<> Clients::apply(const Config& config) {
  auto certificates =
      certificates_.load(config.listen, wall_now(), tls::Credentials::Outdated::kRefused);
  if (!certificates) return std::move(certificates.error());
  if (auto applied = doors_.apply(config.listen); !applied) return applied;
  certificates_.use(std::move(*certificates));
  website_.set(config.web);
  pages_.set_settings(config);
  set_limits(config.limits);
  names_ = GivenNames{config.names};
  look_at_certificates();
  connections_.set_limits(stream_limits(config));
  router_.set_settings(core_settings(config));
  connections_.deliver();
  return {};
}

void Clients::came(Doors::Visitor visitor) {
  visitor.peer.learn_user(visitor.socket.get());
  if (Arrivals::is_proxy(*visitor.configured, visitor.peer)) {
    // Whoever is behind it is admitted, or not, when it has said who that is.
    if (entrance_.spare_descriptors() == 0) {
      entrance_.refuse({Accounts::kNone, "there are no descriptors left"});
      return;
    }
    return enter(visitor, entrance_.readmit(visitor.peer), false);
  }
  let_in(visitor, false, true);
  if (!visitor.socket) return;
  if (waiting_.size() < entrance_.spare_descriptors() && waiting_.add(visitor)) return;
  let_in(visitor, true, false);
}

/// Or refuses it, unless it may wait: then it keeps its socket. `again`: it has waited already.
void Clients::let_in(Doors::Visitor& visitor, bool again, bool may_wait) {
  const auto answer = entrance_.admit(visitor.peer, coming_by(*visitor.configured), again);
  if (answer.obstacle.empty()) return enter(visitor, answer.account, answer.extra);
  if (may_wait && answer.may_pass) return;
  entrance_.refuse(answer);
  visitor.socket.reset();
}

/// It is charged already.
void Clients::enter(Doors::Visitor& visitor, Accounts::Number account, bool extra) {
  const Listener& by = *visitor.configured;
  const bool arrives = Arrivals::is_needed(by, visitor.peer);
  Connections::Client client{
      .peer = visitor.peer, .listener = visitor.listener, .extra = extra, .account = account};
  if (arrives) client.kind = Connections::Kind::kArrival;
  auto slot = connections_.add(std::move(visitor.socket), client);
  if (!slot) {
    entrance_.turn_away(account, slot.error().message);
  } else if (arrives) {
    arrivals_.add(*slot, visitor.configured);
  } else {
    begin(*slot, by, by.dialect, loop_.now());
  }
}

/// What goes through a cipher needs its state, which changes with each record and is secret. A page
/// comes by another connection.
bool Clients::outlives_crash(core::Slot slot) {
  if (connections_.client(slot).kind == Connections::Kind::kPageSession) return true;
  return connections_.has_stream(slot) && connections_.cipher(slot) == nullptr;
}

// ---- what they turn out to be ----

/// A session, which is to be delivered.
void Clients::connect(core::Slot slot, const Listener& by, core::DialectSetting dialect,
                      Time since) {
  router_.connect(slot, dialect, since, connections_.outbox(), by.room,
                  names_.of(connections_.client(slot).peer, connections_.way(slot).verified));
  crash_records_.add_soon();
}

void Clients::begin(core::Slot slot, const Listener& by, core::DialectSetting dialect, Time since) {
  connect(slot, by, dialect, since);
  connections_.deliver();
}

/// Why one that was let in may not have a session: its address was banned while it was found out
/// what it is, or it is not the visitor who is away, in whose place it has come.
std::string Clients::obstacle(core::Slot slot) {
  const auto& client = connections_.client(slot);
  std::string why = entrance_.banned(client.peer);
  if (why.empty() && client.extra) why = entrance_.lacks_session(client.account);
  return why;
}

bool Clients::may_begin(core::Slot slot) {
  const std::string why = obstacle(slot);
  turned_away(slot, why);
  return why.empty();
}

void Clients::pages(core::Slot slot, std::shared_ptr<const Listener> by, std::string_view said) {
  pages_.add(slot, std::move(by), said);
}

void Clients::chats(core::Slot slot, const Listener& by, core::DialectSetting dialect, Time since,
                    std::string_view said, bool over) {
  if (!may_begin(slot)) return connections_.dismiss(slot);
  begin(slot, by, dialect, since);
  if (said.empty() || !router_.has(slot)) return;
  connections_.hear(slot, said, over);
}

std::string Clients::proxied(core::Slot slot, const Listener& by, const io::Peer& peer) {
  // The place that it has is the one that it needs.
  const io::Peer proxy = connections_.client(slot).peer;
  entrance_.leave(connections_.client(slot).account);
  const auto answer = entrance_.admit(peer, coming_by(by));
  if (answer.obstacle.empty()) {
    connections_.set_peer(slot, peer, answer.account, answer.extra);
    return {};
  }
  accounts_.refused(answer.account);
  connections_.set_peer(slot, proxy, entrance_.readmit(proxy));
  return answer.obstacle;
}

void Clients::was_none(core::Slot slot, const std::string& why) {
  connections_.end_session(slot, why);
  crash_records_.closed(slot);
}

void Clients::answered(core::Slot slot) {
  entrance_.answered(connections_.client(slot).account);
}

void Clients::turned_away(core::Slot slot, const std::string& why) {
  if (!why.empty()) entrance_.count_refused(connections_.client(slot).account, why);
}

void Clients::closed(core::Slot slot, const Connections::Client& client) {
  if (client.kind == Connections::Kind::kPageSession) {
    pages_.released(slot, client.account);
  } else {
    entrance_.leave(client.account);
  }
  crash_records_.closed(slot);
  if (stopped_ && connections_.size() == 0) std::exchange(stopped_, nullptr)();
}

void Clients::stop(std::function<void()> done) {
  doors_.close();
  waiting_.finish();
  arrivals_.close();
  pages_.stop();
  router_.stop(loop_.now(), connections_.outbox());
  connections_.deliver();
  pages_.close(http::kGoingAway, "the daemon stops");
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
          arrivals_.requests(), recorded.recorded,     recorded.lost};
}

}  // namespace chatd
