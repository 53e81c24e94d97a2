#include "clients/arrivals.hpp"

#include <algorithm>
#include <cassert>
#include <vector>

#include "base/bytes.hpp"
#include "base/names.hpp"
#include "clients/tls_cipher.hpp"
#include "tls/channel.hpp"

namespace chatd {

namespace {

using Finding = Reception::Finding;

/// When so many were here at once, their memory is worth giving back.
constexpr std::size_t kCrowd = 1000;

/// So many are looked at, the oldest, for one that may give way.
constexpr std::size_t kLookedAt = 256;

/// After which it is asked again whether one is silent of whom something was unread.
constexpr Duration kAskedAgain{100};

/// What is said to who is refused; each is a line for a person or a script.
constexpr std::string_view kTlsOnly = "This port speaks TLS only.\n";
constexpr std::string_view kHttpOnly = "This port is for browsers only.\n";
constexpr std::string_view kNoHttp2 =
    "HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

std::string to_string(const tls::PeerFacts& facts) {
  std::string text = facts.version == tls::Version::kTls13 ? "TLSv1.3" : "TLSv1.2";
  if (!facts.cipher.empty()) text += ' ' + std::string{facts.cipher};
  return text;
}

std::string refused_words(Finding finding) {
  switch (finding) {
    case Finding::kNoTls:
      return std::string{kTlsOnly};
    case Finding::kNoHttp:
      return std::string{kHttpOnly};
    case Finding::kHttp2:
      return std::string{kNoHttp2};
    default:
      return {};
  }
}

}  // namespace

Arrivals::Arrivals(io::Loop& loop, Connections& connections, const Certificates& certificates,
                   const Website& website, Host& host)
    : loop_{loop},
      connections_{connections},
      certificates_{certificates},
      website_{website},
      host_{host},
      timer_{loop, [this] { tick(); }},
      next_handshakes_{loop, [this] { begin_handshakes(); }} {
  connections.set_audience(Connections::Kind::kArrival, *this);
}

// ---- who comes ----

bool Arrivals::is_proxy(const Listener& listener, const io::Peer& peer) {
  return std::any_of(listener.proxy_from.begin(), listener.proxy_from.end(),
                     [&](const io::Network& network) { return network.contains(peer); });
}

bool Arrivals::is_needed(const Listener& listener, const io::Peer& peer) {
  return listener.dialect == core::DialectSetting::kAuto || !listener.tls.pairs.empty() ||
         listener.web != Listener::Web::kOff || is_proxy(listener, peer);
}

Reception::Rules Arrivals::rules(core::Slot slot, const Arrival& arrival) const {
  const Listener& by = *arrival.by;
  Reception::Rules rules;
  rules.tls = !arrival.secure && !by.tls.pairs.empty();
  rules.tls_required = rules.tls && by.tls.required;
  rules.web = by.web != Listener::Web::kOff;
  rules.web_only = by.web == Listener::Web::kOnly;
  rules.known = by.dialect != core::DialectSetting::kAuto;
  rules.browser = is_browser(slot, arrival);
  return rules;
}

bool Arrivals::is_browser(core::Slot slot, const Arrival& arrival) const {
  const auto& client = connections_.client(slot);
  return arrival.by->web != Listener::Web::kOff &&
         speakers_.has(client.peer, client.listener, loop_.now());
}

void Arrivals::add(core::Slot slot, std::shared_ptr<const Listener> by) {
  Arrival& arrival = arrivals_[slot];
  arrival.by = std::move(by);
  arrival.since = loop_.now();
  oldest_.emplace(arrival.since, slot);
  crowd_ = std::max(crowd_, arrivals_.size());
  auto rules = this->rules(slot, arrival);
  rules.proxy = is_proxy(*arrival.by, connections_.client(slot).peer);
  arrival.reception.emplace(rules, loop_.now());
  act(slot);
}

bool Arrivals::take_back(core::Slot slot, std::shared_ptr<const Listener> by,
                         std::string_view said) {
  Arrival arrival;
  arrival.by = std::move(by);
  arrival.secure = connections_.cipher(slot) != nullptr;
  arrival.since = loop_.now();
  arrival.reception.emplace(rules(slot, arrival), loop_.now());
  switch (arrival.reception->take(said, loop_.now())) {
    case Finding::kTls:
      host_.was_none(slot, "it speaks TLS");
      break;
    case Finding::kHttp:
      host_.was_none(slot, "it speaks HTTP");
      break;
    default:
      return false;
  }
  connections_.become(slot, Connections::Kind::kArrival);
  oldest_.emplace(arrival.since, slot);
  arrivals_.emplace(slot, std::move(arrival));
  act(slot);
  return true;
}

void Arrivals::file(core::Slot slot, Time deadline) {
  Arrival& arrival = at(slot);
  if (arrival.deadline == deadline) return;
  deadlines_.erase({arrival.deadline, slot});
  arrival.deadline = deadline;
  if (deadline != kNever) deadlines_.emplace(deadline, slot);
  timer_.start_at(deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

void Arrivals::tick() {
  // One in any case: where there is much to do, each turn is long before this.
  for (bool first = true; !deadlines_.empty() && deadlines_.begin()->first <= loop_.now();
       first = false) {
    if (!first && loop_.turn_is_long()) break;
    const core::Slot slot = deadlines_.begin()->second;
    Arrival& arrival = at(slot);
    switch (arrival.stage) {
      case Stage::kReception:
        if (connections_.has_unread(slot)) {  // then it is not silent
          file(slot, loop_.now() + kAskedAgain);
          break;
        }
        // A browser may open this one before it sends its first request by another.
        if (is_browser(slot, arrival)) arrival.reception->learn_browser();
        (void)arrival.reception->tick(loop_.now());
        act(slot);
        break;
      case Stage::kQueue:
      case Stage::kHandshake:
        leave(slot, "its TLS handshake takes too long");
        break;
      case Stage::kHead:
        leave(slot, "its HTTP request takes too long");
        break;
    }
  }
  timer_.start_at(deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

// ---- what comes of them ----

void Arrivals::on_read(core::Slot slot, std::string_view bytes) {
  Arrival& arrival = at(slot);
  switch (arrival.stage) {
    case Stage::kReception:
      (void)arrival.reception->take(bytes, loop_.now());
      act(slot);
      break;
    case Stage::kQueue:  // it was on its way when reading was paused
      (void)arrival.reception->take(bytes, loop_.now());
      break;
    case Stage::kHandshake:  // text comes behind on_secured() alone
      assert(false);
      break;
    case Stage::kHead:
      read_head(slot, bytes);
      break;
  }
}

void Arrivals::on_end(core::Slot slot) {
  Arrival& arrival = at(slot);
  arrival.over = true;
  switch (arrival.stage) {
    case Stage::kReception:
      (void)arrival.reception->end(loop_.now());
      act(slot);
      break;
    case Stage::kQueue:
    case Stage::kHandshake:
    case Stage::kHead:
      leave(slot, {});
      break;
  }
}

void Arrivals::on_gone(core::Slot slot) {
  forget(slot);
}

/// Does what follows from what is known of one in Stage::kReception.
void Arrivals::act(core::Slot slot) {
  Arrival& arrival = at(slot);
  Reception& reception = *arrival.reception;
  const ProxyReader* const proxy = reception.proxy();
  const bool proxied = proxy != nullptr && proxy->state() == ProxyReader::State::kWhole;
  if (proxied && !proxy->header().local && !learn_from_proxy(slot)) return;
  switch (const Finding finding = reception.finding()) {
    case Finding::kNone:
      file(slot, reception.deadline());
      break;
    case Finding::kChat:
      chat(slot);
      break;
    case Finding::kTls:
      queue(slot);
      break;
    case Finding::kHttp: {
      const auto& client = connections_.client(slot);
      speakers_.add(client.peer, client.listener, loop_.now());
      arrival.stage = Stage::kHead;
      arrival.head = std::make_unique<http::RequestHead>();
      file(slot, loop_.now() + kPatience);
      const auto before = std::move(arrival.reception);
      read_head(slot, before->bytes());
      break;
    }
    case Finding::kHealth:
      leave(slot, {});
      break;
    case Finding::kNoProxy: {
      std::string why{refusal_of(finding)};
      if (proxy != nullptr && proxy->state() == ProxyReader::State::kRefused) {
        why = "its header of the PROXY protocol " + std::string{to_string(proxy->fault())};
      }
      leave(slot, why);
      break;
    }
    case Finding::kOldTls:
    case Finding::kHttp2:
    case Finding::kNoTls:
    case Finding::kNoHttp:
      leave(slot, std::string{refusal_of(finding)}, refused_words(finding));
      break;
  }
}

/// Once, when the header is whole. False: it has left.
bool Arrivals::learn_from_proxy(core::Slot slot) {
  Connections::Way way = connections_.way(slot);
  if (!way.via.empty()) return true;
  const ProxyHeader header = at(slot).reception->proxy()->header();
  way.via = connections_.client(slot).peer.to_string();
  if (header.tls) {
    way.tls = header.tls->version;
    const bool is_good = header.tls->name.size() <= 64 && fault_of_name(header.tls->name).empty();
    if (header.tls->verified && is_good) way.verified = header.tls->name;
  }
  connections_.set_way(slot, std::move(way));
  // Whoever is behind the proxy has come now: it does not give way to itself in there.
  Arrival& arrival = at(slot);
  oldest_.erase({arrival.since, slot});
  arrival.since = loop_.now();
  oldest_.emplace(arrival.since, slot);
  // Where the proxy does not say, it is the one who has come.
  const io::Peer peer = header.source.value_or(connections_.client(slot).peer);
  if (const std::string why = host_.proxied(slot, *arrival.by, peer); !why.empty()) {
    leave(slot, why);
    return false;
  }
  return true;
}

void Arrivals::chat(core::Slot slot) {
  const Arrival arrival = std::move(at(slot));
  forget(slot);
  const std::string_view said = arrival.reception->bytes();
  connections_.become(slot, said.empty() && !arrival.over ? Connections::Kind::kSilent
                                                          : Connections::Kind::kSession);
  host_.chats(slot, *arrival.by, arrival.by->dialect, arrival.since, said, arrival.over);
}

/// `words` are for it, `why` for the log; an empty one is nothing to speak of.
void Arrivals::leave(core::Slot slot, const std::string& why, std::string_view words) {
  forget(slot);
  if (!words.empty()) connections_.tell(slot, words);
  connections_.dismiss(slot);
  host_.turned_away(slot, why);
}

void Arrivals::forget(core::Slot slot) {
  restored_.erase(slot);
  const auto place = arrivals_.find(slot);
  if (place == arrivals_.end()) return;
  const auto stage = place->second.stage;
  const Time begun = place->second.begun;
  deadlines_.erase({place->second.deadline, slot});
  oldest_.erase({place->second.since, slot});
  arrivals_.erase(place);
  if (arrivals_.empty()) give_back_memory();
  if (stage == Stage::kQueue) leave_queue(slot);
  if (stage == Stage::kHandshake) handshake_over(slot, begun);
}

/// Nobody is here.
void Arrivals::give_back_memory() {
  if (std::exchange(crowd_, 0) < kCrowd) return;
  arrivals_ = std::pmr::unordered_map<core::Slot, Arrival>{&memory_};  // its buckets
  memory_.release();
}

bool Arrivals::give_way(const std::function<bool(Accounts::Number account)>& may_be_asked) {
  std::size_t left = kLookedAt;
  for (const auto& [since, slot] : oldest_) {
    if (since + kNew > loop_.now() || left-- == 0) break;
    if (!may_be_asked(connections_.client(slot).account)) continue;
    leave(slot, "gave way to another client");
    return true;
  }
  return false;
}

void Arrivals::close() {
  while (!oldest_.empty()) leave(oldest_.begin()->second, {});
}

// ---- TLS ----

/// Of those that shake hands each takes some 50 KB, and up to a millisecond of the loop.
void Arrivals::queue(core::Slot slot) {
  Arrival& arrival = at(slot);
  arrival.stage = Stage::kQueue;
  file(slot, loop_.now() + kPatience);
  connections_.pause(slot);
  const auto account = payer(slot);
  auto& queue = queues_[account];
  queue.push_back(slot);
  if (queue.size() == 1 && may_begin(account)) turns_.push_back(account);
  begin_handshakes();
}

bool Arrivals::may_begin(Accounts::Number account) const {
  const auto busy = handshakes_of_.find(account);
  return busy == handshakes_of_.end() || busy->second < kMostOfOne;
}

std::set<std::pair<Time, core::Slot>>::const_iterator Arrivals::slowest() const {
  if (queues_.empty()) return handshakes_.end();
  if (handshakes_.size() >= kMostHandshakes) return handshakes_.begin();
  return std::ranges::find_if(
      handshakes_, [&](const auto& each) { return queues_.contains(payer(each.second)); });
}

/// As far as there is room for more; a few, for the turn is there for others as well.
void Arrivals::begin_handshakes() {
  for (std::size_t begun = 0;;) {
    while (handshakes_.size() < kMostHandshakes && !turns_.empty()) {
      if (begun == kBegunAtOnce) return next_handshakes_.start(Duration{0});
      ++begun;
      begin_next_handshake();
    }
    const auto slow = slowest();
    if (slow == handshakes_.end()) return;
    const auto [since, slot] = *slow;
    if (since + kNew > loop_.now()) return next_handshakes_.start_at(since + kNew);
    leave(slot, "its TLS handshake gave way to another");
  }
}

void Arrivals::begin_next_handshake() {
  const auto account = turns_.front();
  turns_.pop_front();
  auto& queue = queues_.at(account);
  const core::Slot slot = queue.front();
  queue.pop_front();
  if (queue.empty()) queues_.erase(account);
  shake_hands(slot);
  // It counts by now, or is over.
  if (queues_.contains(account) && may_begin(account) &&
      std::ranges::find(turns_, account) == turns_.end()) {
    turns_.push_back(account);
  }
}

void Arrivals::shake_hands(core::Slot slot) {
  Arrival& arrival = at(slot);
  auto credentials = certificates_.of(*arrival.by);
  if (!credentials) {  // a reload has taken them away
    leave(slot, "there is no certificate any more");
    return;
  }
  arrival.stage = Stage::kHandshake;
  arrival.begun = loop_.now();
  handshakes_.emplace(arrival.begun, slot);
  ++handshakes_of_[payer(slot)];
  const auto before = std::move(arrival.reception);
  connections_.resume(slot);
  // Everything may happen in there.
  connections_.secure(slot, std::make_unique<TlsCipher>(tls::Channel{std::move(credentials)}),
                      before->bytes());
}

/// It has succeeded, or has been given up.
void Arrivals::handshake_over(core::Slot slot, Time begun) {
  handshakes_.erase({begun, slot});
  const auto account = payer(slot);
  const auto busy = handshakes_of_.find(account);
  assert(busy != handshakes_of_.end());
  if (busy->second-- == kMostOfOne && queues_.contains(account)) turns_.push_back(account);
  if (busy->second == 0) handshakes_of_.erase(busy);
  // Not from here: this may be inside of another's callback.
  if (!queues_.empty()) next_handshakes_.start(Duration{0});
}

/// It waits for a handshake no longer.
void Arrivals::leave_queue(core::Slot slot) {
  const auto account = payer(slot);
  const auto place = queues_.find(account);
  if (place == queues_.end() || std::erase(place->second, slot) == 0) return;  // its turn had come
  if (!place->second.empty()) return;
  queues_.erase(place);
  std::erase(turns_, account);
}

void Arrivals::on_secured(core::Slot slot) {
  Arrival& arrival = at(slot);
  auto& cipher = static_cast<TlsCipher&>(*connections_.cipher(slot));
  Connections::Way way = connections_.way(slot);
  way.tls = to_string(cipher.channel().peer());
  const std::string& name = cipher.channel().peer().client_name;
  if (!name.empty()) way.verified = name;  // else it is what a proxy says
  connections_.set_way(slot, std::move(way));
  cipher.forget_peer();
  arrival.secure = true;
  arrival.stage = Stage::kReception;
  handshake_over(slot, arrival.begun);
  arrival.reception.emplace(rules(slot, arrival), loop_.now());
  act(slot);
}

void Arrivals::on_insecure(core::Slot slot) {
  leave(slot, connections_.cipher(slot)->failure());
}

// ---- HTTP ----

void Arrivals::read_head(core::Slot slot, std::string_view bytes) {
  Arrival& arrival = at(slot);
  http::RequestHead& head = *arrival.head;
  if (head.take(bytes) == http::RequestHead::State::kMore) return;
  auto answer = website_.answer(head, wall_now());
  const auto by = arrival.by;
  if (answer.kind == Website::Kind::kAnswered) {
    ++requests_;
    const bool is_refused = head.state() == http::RequestHead::State::kRefused;
    const std::string why =
        is_refused ? "its HTTP request " + std::string{to_string(head.fault())} : "";
    if (!is_refused) host_.answered(slot);
    leave(slot, why, answer.bytes);
    return;
  }
  const bool is_page = answer.kind == Website::Kind::kPage;
  forget(slot);
  connections_.become(slot, is_page ? Connections::Kind::kPage : Connections::Kind::kSession);
  connections_.tell(slot, answer.bytes);
  if (is_page) {
    host_.pages(slot, by, bytes);
  } else {
    host_.chats(slot, *by, core::DialectSetting::kWebSocket, loop_.now(), bytes, false);
  }
}

// ---- another process in place of this one ----

void Arrivals::end_handshakes() {
  std::vector<core::Slot> all;
  for (const auto& [slot, arrival] : arrivals_) {
    if (arrival.stage == Stage::kQueue || arrival.stage == Stage::kHandshake) all.push_back(slot);
  }
  for (const core::Slot slot : all) leave(slot, {});
}

void Arrivals::save(core::Slot slot, ByteWriter& out) const {
  const Arrival& arrival = arrivals_.at(slot);
  assert(arrival.stage == Stage::kReception || arrival.stage == Stage::kHead);
  const auto now = loop_.now();
  const bool is_head = arrival.stage == Stage::kHead;
  out.flag(is_head);
  out.flag(arrival.secure);
  out.flag(is_browser(slot, arrival));
  out.time(arrival.since, now);
  out.time(arrival.deadline, now);
  out.flag(!is_head && arrival.reception->awaits_proxy());
  ByteWriter rest;
  if (is_head) {
    arrival.head->save(rest);
  } else {
    arrival.reception->save(rest, now);
  }
  out.text(rest.bytes());
}

Arrivals::Saved Arrivals::read(ByteReader& in, Time now) {
  Saved saved;
  saved.is_head = in.flag();
  saved.secure = in.flag();
  saved.is_browser = in.flag();
  saved.since = in.time(now);
  saved.deadline = in.time(now);
  saved.awaits_proxy = in.flag();
  saved.rest = in.text();
  saved.version = in.version();
  in.require(saved.since <= now && !(saved.is_head && saved.awaits_proxy));
  return saved;
}

void Arrivals::restore(core::Slot slot, Saved saved) {
  restored_.emplace(slot, std::move(saved));
}

void Arrivals::start(const Doors& doors) {
  for (auto& [slot, saved] : std::exchange(restored_, {})) {
    auto by = doors.configured(connections_.client(slot).listener);
    if (!by) {
      connections_.dismiss(slot);
      continue;
    }
    Arrival& arrival = arrivals_[slot];
    arrival.by = std::move(by);
    arrival.secure = saved.secure;
    arrival.since = saved.since;
    oldest_.emplace(arrival.since, slot);
    ByteReader in{saved.rest, saved.version};
    if (saved.is_head) {
      arrival.stage = Stage::kHead;
      arrival.head = std::make_unique<http::RequestHead>();
      arrival.head->restore(in);
      file(slot, saved.deadline);
    } else {
      auto rules = this->rules(slot, arrival);
      rules.proxy = saved.awaits_proxy;
      rules.browser = rules.browser || saved.is_browser;
      arrival.reception.emplace(rules, loop_.now());
      arrival.reception->restore(in, loop_.now());
    }
    if (!in.finished()) {
      leave(slot, "the former process has left it in pieces");
    } else if (!saved.is_head) {
      act(slot);
    }
  }
}

}  // namespace chatd
