#include "operators/control.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/memory.hpp"
#include "base/protocol.hpp"
#include "base/text.hpp"
#include "events/event_json.hpp"
#include "operators/control_folder.hpp"
#include "operators/control_operator.hpp"
#include "operators/send_request.hpp"

namespace chatd {

namespace {

/// An operator's queue is filled with events again when no more than this waits.
constexpr std::size_t kLowBytes = 64UL * 1024;
/// One answer is always taken: requests are not read while more than kHighBytes wait.
constexpr std::size_t kHardBytes = kMaxControlAnswer;
/// Answers to lines that came together are written together, up to about so many bytes.
constexpr std::size_t kAnswersAtOnce = 32UL * 1024;
/// For questions that the transcript still has to answer when another process takes over.
constexpr Duration kAnswersLimit{1000};

void log_failure(const Error& error) {
  spdlog::error("{}", error.message);
}

}  // namespace

Control::Control(io::Loop& loop, Clients& clients, EventLog& log, const Config& config,
                 Methods::Hooks hooks, Transcript* transcript)
    : loop_{loop},
      clients_{clients},
      log_{log},
      transcript_{transcript},
      inbox_{clients, log, transcript},
      max_operators_{config.control.max_operators},
      methods_{loop, clients, log, std::move(hooks)},
      slow_clients_{loop, clients,
                    [this](io::StreamId id) {
                      if (operators_[id] && !operators_[id]->leaving) process(id);
                    }},
      patience_{loop, [this] { judge(); }},
      return_{loop,
              [this] {
                awaiting_ = false;
                count_away();  // with this the last word is the last again
                last_word_.reset();
                count_away();
                clients_.release_if([this](auto holder) { return !is_there(holder, nullptr); });
              }},
      refusals_{loop,
                [this] {
                  if (const auto line = refused_.overdue(loop_.now())) {
                    spdlog::warn(escaped(*line));
                  }
                }},
      turn_end_{loop, [this] { publish(); }},
      streams_{loop, *this, {kHighBytes, kLowBytes, kHardBytes}},
      flush_{loop, [this] { streams_.flush(); }} {}

Control::~Control() = default;

// ---- connections ----

Result<> Control::listen(const std::string& path, const std::string& group) {
  path_ = path;
  group_name_ = group;
  if (!group.empty()) {
    auto gid = find_group(group);
    if (!gid) return std::move(gid.error()).while_doing("control.group");
    group_ = static_cast<int>(*gid);
  }
  const std::string attempt = "open the control socket " + path;
  if (auto folder = prepare_control_folder(path, group_); !folder) {
    return std::move(folder.error()).while_doing(attempt);
  }
  auto acceptor = open_socket(path);
  if (!acceptor) return std::move(acceptor.error()).while_doing("open the control socket");
  acceptor_ = std::move(*acceptor);
  // Only if it is not so already: under systemd it is, and chown is forbidden.
  struct stat status {};
  const auto gid = static_cast<gid_t>(group_);
  if (group_ >= 0 && (stat(path.c_str(), &status) != 0 || status.st_gid != gid) &&
      chown(path.c_str(), static_cast<uid_t>(-1), gid) != 0) {
    return Error::from_errno("give " + path + " to the group " + group, errno);
  }
  spdlog::info("operators attach at {}", path);
  return {};
}

Result<> Control::reopen() {
  if (!acceptor_ || acceptor_->is_in_place()) return {};
  spdlog::warn("the control socket {} is not there any more", path_);
  auto before = std::move(acceptor_);
  // Not by reference: listen() keeps them.
  auto opened = listen(std::string{path_}, std::string{group_name_});
  if (!opened) acceptor_ = std::move(before);
  return opened;
}

/// That of an earlier process, if it is still at that path; or a new one.
Result<std::unique_ptr<io::Acceptor>> Control::open_socket(const std::string& path) {
  const io::Endpoint endpoint{"unix:" + path, 0};
  if (acceptor_ && acceptor_->endpoint() == endpoint) return std::move(acceptor_);
  acceptor_.reset();
  return io::Acceptor::listen(
      loop_, endpoint, 64,
      [this](UniqueFd socket, const sockaddr_storage&, socklen_t) { accepted(std::move(socket)); },
      log_failure, 0660);
}

void Control::finish_requests() {
  if (transcript_ != nullptr) (void)transcript_->drain(kAnswersLimit);
  std::vector<char> buffer(kMaxControlLine);
  bool questions = false;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving || streams_.queued_bytes(id) > kHighBytes) {
      continue;
    }
    const auto size = ::recv(streams_.descriptor(id), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) on_read(id, {buffer.data(), static_cast<std::size_t>(size)});
    if (operators_[id]->leaving) continue;
    if (slow_clients_.keep_waiting(id)) refuse_requests(id);
    questions = questions || operators_[id]->questions > 0;
  }
  if (questions) (void)transcript_->drain(kAnswersLimit);
}

/// Whoever waits for a slow client is told what of it was not done.
void Control::refuse_requests(io::StreamId id) {
  std::string_view rest = operators_[id]->pending;
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
  operators_[id]->pending = std::string{rest};
  write(id, answers);
}

int Control::save(ByteWriter& out) {
  publish();
  streams_.flush();
  acceptor_->save(out);
  return acceptor_->descriptor();
}

void Control::restore(UniqueFd socket, ByteReader& in) {
  auto acceptor = io::Acceptor::restore(
      loop_, std::move(socket), in,
      [this](UniqueFd operators, const sockaddr_storage&, socklen_t) {
        accepted(std::move(operators));
      },
      log_failure);
  if (acceptor) acceptor_ = std::move(*acceptor);
}

/// Root, this user, and the members of control.group.
bool Control::allowed(int socket, unsigned uid, unsigned gid) const {
  if (uid == 0 || uid == geteuid()) return true;
  if (group_ < 0) return false;
  if (gid == static_cast<unsigned>(group_)) return true;
  std::vector<gid_t> groups(1024);
  auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) {
    if (errno != ERANGE) return false;
    groups.resize(bytes / sizeof(gid_t));
  }
  groups.resize(bytes / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), static_cast<gid_t>(group_)) != groups.end();
}

void Control::accepted(UniqueFd socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return;
  const bool welcome = allowed(socket.get(), peer.uid, peer.gid);
  const bool room = count_ < max_operators_;
  const std::string user = user_name(peer.uid);
  auto id = admit(std::move(socket), usual_name(user));
  if (!id || (welcome && room)) return;
  const std::string reason =
      welcome ? "there are as many operators as may be (control.max_operators)"
              : "user " + user +
                    " is not allowed here: not root, not the daemon's user, not in "
                    "control.group";
  if (const auto line = refused_.refused(reason, loop_.now())) {
    spdlog::warn(escaped(*line));
  }
  refusals_.start_at(refused_.deadline());
  std::string line;
  rpc::append_failure(line, {"null", welcome ? rpc::kLimit : rpc::kNotAllowed, reason});
  write(*id, line);
  leave(*id, "");
}

Result<> Control::attach(UniqueFd socket) {
  auto id = admit(std::move(socket), unique_name(user_name(geteuid()), nullptr));
  if (!id) return std::move(id.error());
  return {};
}

Result<io::StreamId> Control::admit(UniqueFd socket, std::string name) {
  auto id = streams_.adopt(std::move(socket));
  if (!id) {
    spdlog::error("cannot take an operator: {}", id.error().message);
    return id;
  }
  if (*id >= operators_.size()) operators_.resize(*id + 1);
  operators_[*id] = std::make_unique<Operator>();
  operators_[*id]->number = ++last_number_;
  operators_[*id]->name = std::move(name);
  ++count_;
  return id;
}

/// Says goodbye to an operator: it gets what is queued for it, then an end of file.
void Control::leave(io::StreamId id, std::string_view why) {
  Operator& self = *operators_[id];
  if (std::exchange(self.leaving, true)) return;
  if (self.subscribed) inbox_.left();
  if (!self.answers.empty()) (void)streams_.write(id, Payload{self.answers});
  self.pending.clear();
  self.answers.clear();
  slow_clients_.forget(id);
  --count_;
  streams_.close(id);
  const std::string name = std::exchange(self.name, {});
  if (!why.empty()) spdlog::warn("detached operator {}: {}", escaped(name), why);
  if (self.greeted) clients_.operator_changed(name, "detached");
  has_gone(name);
  count_away();
  loop_.turn_again();  // this may be the end of a turn, with an event still to go out
}

void Control::on_end(io::StreamId id) {
  Operator& self = *operators_[id];
  self.ended = true;
  // What it asked for before is done first, if it has to wait; see must_wait().
  if (!self.leaving && !must_wait(id) && self.questions == 0) leave(id, "");
}

void Control::on_broken(io::StreamId id, int) {
  leave(id, "");
}

void Control::on_closed(io::StreamId id, std::size_t) {
  if (!operators_[id]->leaving) leave(id, "");
  operators_[id].reset();
  if (stopped_ && streams_.size() == 0) std::exchange(stopped_, nullptr)();
}

void Control::stop(std::function<void()> done) {
  acceptor_.reset();
  publish();
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (operators_[id]) leave(id, "");
  }
  publish();
  if (streams_.size() == 0) {
    done();
  } else {
    stopped_ = std::move(done);
  }
}

// ---- requests ----

void Control::on_read(io::StreamId id, std::string_view bytes) {
  if (operators_[id]->leaving) return;
  operators_[id]->pending += bytes;
  process(id);
}

void Control::process(io::StreamId id) {
  Operator& self = *operators_[id];
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
    process_line(id, line);
  }
  self.processing = false;
  if (self.leaving) return;
  if (done < input.size()) self.pending = input.erase(0, done);
  write(id, {});
  if (self.leaving) return;
  if (must_wait(id)) {
    streams_.pause(id);
  } else if (self.ended) {
    if (self.questions == 0) leave(id, "");
  } else {
    streams_.resume(id);
  }
}

/// An operator is not listened to while it does not read the answers, and for as
/// long as a client that it writes to cannot keep up.
bool Control::must_wait(io::StreamId id) {
  return slow_clients_.keep_waiting(id) || streams_.queued_bytes(id) > kHighBytes;
}

void Control::process_line(io::StreamId id, std::string_view line) {
  Reply reply;
  operators_[id]->unheard = false;
  if (const auto send = read_send_request(line)) {
    reply.id = send->id;
    core::Recipients to{send->everyone, {}};
    if (!send->everyone) to.sessions.push_back(send->to);
    methods_.send_to({operators_[id]->name, count_}, to, !send->everyone, send->text, reply);
  } else {
    process_request(id, line, reply);
  }
  slow_clients_.written_by(id);
  if (operators_[id]->leaving) return;
  operators_[id]->answers += reply.out;
  if (operators_[id]->answers.size() > kAnswersAtOnce) write(id, {});
}

void Control::process_request(io::StreamId id, std::string_view line, Reply& reply) {
  auto parsed = rpc::parse(line);
  if (const auto* failure = std::get_if<rpc::Failure>(&parsed)) {
    rpc::append_failure(reply.out, *failure);
    return;
  }
  auto& request = std::get<rpc::Request>(parsed);
  reply.id = request.id;
  rpc::Params params{request.params};
  if (request.method == "hello") {
    hello(id, params, reply);
  } else if (request.method == "subscribe") {
    subscribe(id, params, reply);
  } else if (request.method == "away") {
    away(id, params, reply);
  } else if (request.method == "back") {
    back(id, params, reply);
  } else if (request.method == "history" || request.method == "search") {
    question(id, request.method, params, reply);
  } else if (!methods_.call(request.method, {operators_[id]->name, count_}, params, reply)) {
    reply.fail(rpc::kMethodNotFound, "no such method: " + request.method);
  }
}

/// Queues the answers that are at hand, and `bytes` behind them.
void Control::write(io::StreamId id, std::string_view bytes) {
  std::string& answers = operators_[id]->answers;
  answers += bytes;
  if (answers.empty()) return;
  const bool taken{streams_.write(id, Payload{answers})};
  empty_out(answers, 2 * kAnswersAtOnce);
  if (!taken) leave(id, "did not read");
}

}  // namespace chatd
