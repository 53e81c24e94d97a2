#include "operators/control_socket.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "base/memory.hpp"
#include "base/protocol.hpp"
#include "base/text.hpp"
#include "operators/control_folder.hpp"
#include "operators/rpc.hpp"

namespace chatd {

namespace {

/// A connection's queue is filled with events again when no more than this waits.
constexpr std::size_t kLowBytes = 64UL * 1024;
/// One answer is always taken: requests are not read while more than kHighBytes wait.
constexpr std::size_t kHardBytes = kMaxControlAnswer;
/// Answers to lines that came together are written together, up to about so many bytes.
constexpr std::size_t kAnswersAtOnce = 32UL * 1024;

static_assert(kMaxControlLine == 1024UL * 1024, "two sentences below say 1 MiB");

}  // namespace

ControlSocket::ControlSocket(io::Loop& loop, Clients& clients, ConnectionListener& listener,
                             std::size_t max_operators)
    : loop_{loop},
      listener_{listener},
      door_{loop, [this](UniqueFd socket) { accepted(std::move(socket)); }},
      max_operators_{max_operators},
      slow_clients_{loop, clients,
                    [this](OperatorId id) {
                      if (has(id)) process(id);
                    }},
      refusals_{loop,
                [this] {
                  if (const auto line = refused_.overdue(loop_.now())) {
                    spdlog::warn(escaped(*line));
                  }
                }},
      streams_{loop, *this, {kHighBytes, kLowBytes, kHardBytes}} {}

ControlSocket::~ControlSocket() = default;

// ---- who comes ----

void ControlSocket::accepted(UniqueFd socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return;
  const bool welcome = door_.lets_in(socket.get(), peer.uid, peer.gid);
  const bool room = count_ < max_operators_;
  const std::string user = user_name(peer.uid);
  auto id = admit(std::move(socket), user, false);
  if (!id) return;
  if (!welcome) {
    refuse(*id, rpc::kNotAllowed,
           "user " + user +
               " is not allowed here: not root, not the daemon's user, not in control.group");
  } else if (!room) {
    refuse(*id, rpc::kLimit, "the limit of operators is reached (control.max_operators)");
  }
}

Result<> ControlSocket::attach(UniqueFd socket) {
  auto id = admit(std::move(socket), user_name(geteuid()), true);
  if (!id) return std::move(id.error());
  return {};
}

Result<OperatorId> ControlSocket::admit(UniqueFd socket, const std::string& user, bool is_own) {
  auto id = streams_.adopt(std::move(socket));
  if (!id) {
    spdlog::error("cannot take an operator: {}", id.error().message);
    return id;
  }
  if (*id >= connections_.size()) connections_.resize(*id + 1);
  assert(!connections_[*id]);
  connections_[*id] = std::make_unique<Connection>();
  connections_[*id]->number = ++last_number_;
  ++count_;
  listener_.on_connected(*id, user, is_own);
  return id;
}

void ControlSocket::refuse(OperatorId id, int code, const std::string& reason) {
  if (const auto line = refused_.refused(reason, loop_.now())) spdlog::warn(escaped(*line));
  refusals_.start_at(refused_.deadline());
  std::string line;
  rpc::append_failure(line, {"null", code, reason});
  write(id, line);
  leave(id, "");
}

// ---- who goes ----

void ControlSocket::leave(OperatorId id, std::string_view why) {
  Connection& self = *connections_[id];
  if (std::exchange(self.leaving, true)) return;
  if (!self.answers.empty()) (void)streams_.write(id, Payload{self.answers});
  self.pending.clear();
  self.answers.clear();
  slow_clients_.forget(id);
  --count_;
  streams_.close(id);
  listener_.on_left(id, why);
  loop_.turn_again();  // this may be the end of a turn, with an event still to go out
}

void ControlSocket::on_end(io::StreamId id) {
  Connection& self = *connections_[id];
  self.ended = true;
  // What it asked for before is done first, if it has to wait; see must_wait().
  if (!self.leaving && !must_wait(id) && self.deferred == 0) leave(id, "");
}

void ControlSocket::on_broken(io::StreamId id, int) {
  leave(id, "");
}

void ControlSocket::on_closed(io::StreamId id, std::size_t) {
  leave(id, "");
  connections_[id].reset();
  if (empty_ && streams_.size() == 0) std::exchange(empty_, nullptr)();
}

void ControlSocket::when_empty(std::function<void()> done) {
  if (streams_.size() == 0) {
    done();
  } else {
    empty_ = std::move(done);
  }
}

bool ControlSocket::has(OperatorId id) const {
  return id < connections_.size() && connections_[id] && !connections_[id]->leaving;
}

// ---- lines ----

void ControlSocket::on_read(io::StreamId id, std::string_view bytes) {
  if (connections_[id]->leaving) return;
  connections_[id]->pending += bytes;
  process(id);
}

void ControlSocket::process(OperatorId id) {
  Connection& self = *connections_[id];
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
  }
  self.processing = false;
  if (self.leaving) return;
  if (done < input.size()) self.pending = input.erase(0, done);
  write(id, {});
  if (self.leaving) return;
  if (must_wait(id)) {
    streams_.pause(id);
  } else if (self.ended) {
    if (self.deferred == 0) leave(id, "");
  } else {
    streams_.resume(id);
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
  std::string& answers = connections_[id]->answers;
  answers += bytes;
  if (answers.empty()) return;
  const bool taken{streams_.write(id, Payload{answers})};
  empty_out(answers, 2 * kAnswersAtOnce);
  if (!taken) leave(id, "did not read");
}

void ControlSocket::send(OperatorId id, Payload events) {
  if (!streams_.write(id, std::move(events))) leave(id, "did not read");
}

bool ControlSocket::can_defer(OperatorId id) const {
  return connections_[id]->deferred < kMaxDeferred;
}

ControlSocket::Deferred ControlSocket::defer(OperatorId id, std::string_view request) {
  assert(has(id) && can_defer(id));
  ++connections_[id]->deferred;
  return {id, connections_[id]->number, std::string{request}};
}

void ControlSocket::answer(const Deferred& deferred, std::string_view line) {
  const auto id = deferred.id;
  if (!has(id) || connections_[id]->number != deferred.connection) return;
  assert(connections_[id]->deferred > 0);
  --connections_[id]->deferred;
  write(id, line);
  if (has(id)) process(id);  // it may have waited to leave
}

bool ControlSocket::has_deferred() const {
  return std::any_of(connections_.begin(), connections_.end(), [](const auto& connection) {
    return connection && !connection->leaving && connection->deferred > 0;
  });
}

// ---- the end of this process ----

void ControlSocket::finish_requests() {
  std::vector<char> buffer(kMaxControlLine);
  for (OperatorId id = 0; id < connections_.size(); ++id) {
    if (!has(id) || streams_.queued_bytes(id) > kHighBytes) continue;
    const auto size = ::recv(streams_.descriptor(id), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) on_read(id, {buffer.data(), static_cast<std::size_t>(size)});
    if (has(id) && slow_clients_.keep_waiting(id)) refuse_requests(id);
  }
}

/// Whoever waits for a slow client is told what of it was not done.
void ControlSocket::refuse_requests(OperatorId id) {
  std::string_view rest = connections_[id]->pending;
  std::string answers;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    auto parsed = rpc::parse(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (const auto* failure = std::get_if<rpc::Failure>(&parsed)) {
      rpc::append_failure(answers, *failure);
    } else if (auto& request = std::get<rpc::Request>(parsed); !request.id.empty()) {
      rpc::append_failure(answers, {std::move(request.id), rpc::kReplaced,
                                    "not done: the daemon is just being replaced; try again"});
    }
  }
  connections_[id]->pending = std::string{rest};
  write(id, answers);
}

}  // namespace chatd
