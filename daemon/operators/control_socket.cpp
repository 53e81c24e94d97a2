#include "operators/control_socket.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "base/memory.hpp"
#include "base/protocol.hpp"
#include "operators/rpc.hpp"

namespace chatd {

namespace {

/// A connection's queue is filled with events again when no more than this waits.
constexpr std::size_t kLowBytes = 64UL * 1024;
/// There is always room for one answer: requests are not read while more than kHighBytes wait.
constexpr std::size_t kHardBytes = kMaxControlAnswer;
/// For one who leaves, or has to, to take what waits. A stop waits for that, too.
constexpr Duration kPatience{2000};
/// Answers to lines that came together are written together, up to about so many bytes.
constexpr std::size_t kAnswersAtOnce = 32UL * 1024;

static_assert(kMaxControlLine == 1024UL * 1024, "two sentences below say 1 MiB");

}  // namespace

ControlSocket::ControlSocket(io::Loop& loop, Connections& clients, ConnectionListener& listener)
    : loop_{loop},
      listener_{listener},
      slow_clients_{loop, clients,
                    [this](OperatorId id) {
                      if (has(id)) process(id);
                    }},
      streams_{loop, *this, {kHighBytes, kLowBytes, kHardBytes, kPatience, kPatience}} {}

ControlSocket::~ControlSocket() = default;

// ---- who comes ----

Result<OperatorId> ControlSocket::adopt(UniqueFd socket) {
  auto id = streams_.adopt(std::move(socket));
  if (!id) {
    spdlog::error("cannot serve an operator: {}", id.error().message);
    return id;
  }
  if (*id >= connections_.size()) connections_.resize(*id + 1);
  assert(!connections_[*id]);
  connections_[*id] = std::make_unique<Connection>();
  connections_[*id]->number = ++last_number_;
  return id;
}

Result<> ControlSocket::admit(UniqueFd socket, const std::string& user, bool is_own) {
  auto id = adopt(std::move(socket));
  if (!id) return std::move(id.error());
  ++count_;
  listener_.on_connected(*id, user, is_own);
  return {};
}

void ControlSocket::refuse(UniqueFd socket, std::string_view answer) {
  auto id = adopt(std::move(socket));
  if (!id) return;
  at(*id).leaving = true;
  (void)streams_.write(*id, Payload::uncounted(answer));
  streams_.close(*id);
}

// ---- who goes ----

void ControlSocket::leave(OperatorId id, std::string_view why) {
  Connection& self = at(id);
  if (std::exchange(self.leaving, true)) return;
  assert(count_ > 0);
  if (!self.answers.empty()) (void)streams_.write(id, Payload::uncounted(self.answers));
  self.pending.clear();
  self.answers.clear();
  slow_clients_.forget(id);
  --count_;
  streams_.close(id);
  listener_.on_left(id, why);
  loop_.turn_again();  // this may be the end of a turn, and an event may have to go out
}

void ControlSocket::on_end(io::StreamId id) {
  Connection& self = at(id);
  self.ended = true;
  // What it asked for before is done first, if it has to wait; see must_wait().
  if (!self.leaving && !must_wait(id) && !self.put_off && self.deferred == 0) leave(id, "");
}

void ControlSocket::on_broken(io::StreamId id, int) {
  leave(id, "");
}

/// Nobody is told what an operator that has left took of its last answers.
void ControlSocket::on_clear(io::StreamId) {}

void ControlSocket::on_closed(io::StreamId id, std::size_t) {
  leave(id, "");
  connections_[id].reset();
  if (stopped_ && streams_.size() == 0) std::exchange(stopped_, nullptr)();
}

void ControlSocket::stop(std::function<void()> done) {
  for (OperatorId id = 0; id < connections_.size(); ++id) {
    if (has(id)) leave(id, "");
  }
  assert(count_ == 0);
  if (streams_.size() == 0) {
    done();
  } else {
    stopped_ = std::move(done);
  }
}

bool ControlSocket::has(OperatorId id) const {
  return id < connections_.size() && connections_[id] && !connections_[id]->leaving;
}

std::vector<OperatorId> ControlSocket::all() const {
  std::vector<OperatorId> ids;
  for (OperatorId id = 0; id < connections_.size(); ++id) {
    if (has(id)) ids.push_back(id);
  }
  return ids;
}

// ---- lines ----

void ControlSocket::on_read(io::StreamId id, std::string_view bytes) {
  Connection& self = at(id);
  if (self.leaving) return;
  self.pending += bytes;
  process(id);
}

void ControlSocket::process(OperatorId id) {
  Connection& self = at(id);
  if (self.processing) return;  // a client may have room again in the middle of a line
  self.processing = true;
  std::string input = std::exchange(self.pending, {});
  std::size_t done = 0;
  while (!self.leaving && !must_wait(id)) {
    const auto end = input.find('\n', done);
    const auto size = std::min(end, input.size()) - done;
    if (size > kMaxControlLine) {
      std::string answer;
      rpc::append_failure(answer, {"null", rpc::kInvalidRequest, "a line may have at most 1 MiB"});
      write(id, answer);
      leave(id, "sent a line of more than 1 MiB");
      break;
    }
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view{input}.substr(done, size);
    done = end + 1;
    listener_.on_line(id, line, self.answers);
    if (!self.leaving && self.answers.size() > kAnswersAtOnce) write(id, {});
    if (!self.leaving && loop_.turn_is_long() && done < input.size()) {
      put_off(id);
      break;
    }
  }
  self.processing = false;
  if (self.leaving) return;
  if (done < input.size()) self.pending = input.erase(0, done);
  write(id, {});
  if (self.leaving) return;
  if (must_wait(id) || self.put_off) {
    streams_.pause(id);
  } else if (self.ended) {
    if (self.deferred == 0) leave(id, "");
  } else {
    streams_.resume(id);
  }
}

/// The rest of its requests waits for the next turn: others want to be served as well.
void ControlSocket::put_off(OperatorId id) {
  if (std::exchange(at(id).put_off, true)) return;
  put_off_.push_back(id);
  loop_.turn_again();
}

void ControlSocket::go_on() {
  const auto put_off = std::exchange(put_off_, {});
  for (const OperatorId id : put_off) {
    if (!has(id) || !std::exchange(at(id).put_off, false)) continue;
    process(id);
  }
}

/// An operator is not listened to while it does not read the answers, and for as
/// long as a client that it writes to cannot keep up.
bool ControlSocket::must_wait(OperatorId id) const {
  return slow_clients_.keep_waiting(id) || streams_.queued_bytes(id) > kHighBytes;
}

void ControlSocket::on_drained(io::StreamId id) {
  if (!has(id)) return;
  listener_.on_drained(id);
  if (has(id)) process(id);
  loop_.turn_again();  // what it wanted may be an event, and those of this turn are out
}

// ---- bytes for them ----

void ControlSocket::write(OperatorId id, std::string_view bytes) {
  assert(has(id));
  std::string& answers = at(id).answers;
  answers += bytes;
  if (answers.empty()) return;
  // No client gives way to what operators ask for.
  const bool queued{streams_.write(id, Payload::uncounted(answers))};
  empty_out(answers, 2 * kAnswersAtOnce);
  if (!queued) leave(id, "did not read");
}

void ControlSocket::send(OperatorId id, Payload events) {
  assert(has(id));
  if (!streams_.write(id, std::move(events))) leave(id, "did not read");
}

std::optional<ControlSocket::Deferred> ControlSocket::defer(OperatorId id,
                                                            std::string_view request) {
  assert(has(id) && !request.empty());
  Connection& self = at(id);
  if (self.deferred == kMaxDeferred) return {};
  ++self.deferred;
  return Deferred{id, self.number, std::string{request}};
}

void ControlSocket::answer(const Deferred& deferred, std::string_view line) {
  const auto id = deferred.id;
  if (!has(id) || at(id).number != deferred.connection) return;
  assert(at(id).deferred > 0);
  --at(id).deferred;
  write(id, line);
  if (has(id)) process(id);  // it may have waited to leave
}

// ---- the end of this process ----

bool ControlSocket::finish_requests() {
  std::vector<char> buffer(kMaxControlLine);
  bool has_deferred = false;
  for (OperatorId id = 0; id < connections_.size(); ++id) {
    if (!has(id)) continue;
    if (streams_.queued_bytes(id) <= kHighBytes) {
      const auto size = ::recv(streams_.descriptor(id), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size > 0) on_read(id, {buffer.data(), static_cast<std::size_t>(size)});
      while (has(id) && std::exchange(at(id).put_off, false)) process(id);
      if (has(id) && slow_clients_.keep_waiting(id)) refuse_requests(id);
    }
    has_deferred = has_deferred || (has(id) && at(id).deferred > 0);
  }
  return has_deferred;
}

/// An operator who waits for a slow client is told which of its requests were not done.
void ControlSocket::refuse_requests(OperatorId id) {
  std::string_view rest = at(id).pending;
  std::string answers;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    auto parsed = rpc::parse(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (const auto* failure = std::get_if<rpc::Failure>(&parsed)) {
      rpc::append_failure(answers, *failure);
    } else if (auto& request = std::get<rpc::Request>(parsed); !request.id.empty()) {
      rpc::append_failure(
          answers, {std::move(request.id), rpc::kReplaced,
                    "not done: another process takes over just now; attach again and ask it"});
    }
  }
  at(id).pending = std::string{rest};
  write(id, answers);
}

}  // namespace chatd
