#include "control.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "control_folder.hpp"
#include "core/text.hpp"
#include "event_json.hpp"
#include "send_request.hpp"

namespace chatd {

namespace {

/// Up to here an operator's queue is filled with events; the rest stays in the log.
constexpr std::size_t kHighBytes = 256UL * 1024;
constexpr std::size_t kLowBytes = 64UL * 1024;
/// Together with the queue: 1 MiB may wait for an operator.
constexpr std::size_t kMaxBehind = 1024UL * 1024 - kHighBytes;
/// One answer is always taken: requests are not read while more than kHighBytes
/// wait. The largest is the list of all sessions.
constexpr std::size_t kHardBytes = 64UL * 1024 * 1024;
/// Events of the transcript are taken in pages of about this size.
constexpr std::size_t kPageBytes = 128UL * 1024;
/// Messages in an answer of history or search, if it is not said how many, and at most.
constexpr std::uint64_t kUsualMessages = 50;
constexpr std::uint64_t kMaxMessages = 1000;
/// Of one operator that wait for the transcript; its other requests go on meanwhile.
constexpr std::size_t kMaxQuestions = 16;
/// Answers to lines that came together are written together, up to about so many bytes.
constexpr std::size_t kAnswersAtOnce = 32UL * 1024;
/// How long an operator for whom that much waits may take nothing.
constexpr Duration kPatience{1000};
/// Of what is said for an operator who is away: an original client reads it at once.
constexpr std::size_t kMaxAway = core::kOriginalRead;
/// How long the claims of operators wait who had to leave.
constexpr Duration kReturn{10'000};
/// For questions that the transcript still has to answer when another process takes over.
constexpr Duration kAnswersLimit{1000};
/// How long an operator waits for a client that takes nothing, once: with what a turn takes
/// nobody is kept waiting for more than 10 ms. See give_up_on_stalled().
constexpr Duration kStall{5};

void log_failure(const Error& error) {
  spdlog::error("{}", error.message);
}

}  // namespace

/// An operator's wait for a client that cannot keep up.
struct Control::Wait {
  core::Slot slot;
  std::uint64_t taken;  ///< bytes that it had taken
  Time until;           ///< by then it must have taken more
};

struct Control::Operator {
  std::uint64_t number;  ///< its own, unlike that of its stream
  std::string name;
  std::string pending;   ///< bytes that are not processed yet
  std::string answers;   ///< to the lines that are being worked on; one write for all
  bool greeted = false;  ///< it said hello, so that others heard of it
  bool unheard = true;   ///< it has done nothing yet: its name can still be another
  bool subscribed = false;
  bool watching = false;         ///< it only looks on, and is no reason to wait for an answer
  std::string away;              ///< what is said for it while it is away; empty: it is not
  std::uint64_t away_since = 0;  ///< counts up
  bool live = false;             ///< has every event up to the last sealed one in its queue
  bool leaving = false;
  bool ended = false;         ///< it will send no more
  bool processing = false;    ///< a line of it is being worked on
  core::Seq cursor = 0;       ///< the last event that was queued for it, unless live
  std::uint64_t fetch = 0;    ///< the number of the page that it waits for, if any
  std::size_t questions = 0;  ///< that the transcript has not answered yet
  std::size_t behind = 0;     ///< bytes that the log has gone on since it was not live
  bool suspected = false;     ///< of not reading: too much waits for it
  std::uint64_t taken = 0;    ///< bytes that it had taken when it was looked at last
  std::vector<Wait> waits_for;
};

Control::Control(io::Loop& loop, Server& server, EventLog& log, const Config& config,
                 Methods::Hooks hooks, Transcript* transcript)
    : loop_{loop},
      server_{server},
      log_{log},
      transcript_{transcript},
      inbox_{server, log, transcript},
      max_operators_{config.control.max_operators},
      methods_{loop, server, log, std::move(hooks)},
      stall_{loop, [this] { give_up_on_stalled(); }},
      patience_{loop, [this] { judge(); }},
      return_{loop,
              [this] {
                awaiting_ = false;
                count_away();  // with this the last word is the last again
                last_word_.reset();
                count_away();
                server_.release_if([this](auto holder) { return !is_there(holder, nullptr); });
              }},
      refusals_{loop,
                [this] {
                  if (const auto line = refused_.overdue(loop_.now())) {
                    spdlog::warn(core::escaped(*line));
                  }
                }},
      turn_end_{loop, [this] { publish(); }},
      streams_{loop, *this, {kHighBytes, kLowBytes, kHardBytes}} {
  server_.on_relieved([this](core::Slot slot) { relieved(slot); });
}

Control::~Control() {
  server_.on_relieved(nullptr);
}

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
    if (!operators_[id]->waits_for.empty()) refuse_requests(id);
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
    spdlog::warn(core::escaped(*line));
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

bool Control::is_there(std::string_view name, const Operator* except) const {
  return std::any_of(operators_.begin(), operators_.end(), [&](const auto& other) {
    return other && other.get() != except && other->name == name;
  });
}

/// `wish`, or with a number if it is taken; with one in any case if it may not be `itself`.
std::string Control::unique_name(std::string_view wish, const Operator* self, bool itself) const {
  std::string name{wish};
  for (int number = 2; !itself || is_there(name, self); ++number) {
    name = std::string{wish} + "-" + std::to_string(number);
    itself = true;
  }
  return name;
}

/// For one who has not said who it is. That somebody must come back to a name is not known
/// to it.
std::string Control::usual_name(const std::string& user) const {
  std::string name = unique_name(user, nullptr);
  while (awaiting_ && server_.claims_while_there(name)) name = unique_name(name, nullptr, false);
  return name;
}

/// The name that `self` asks for. A connection that has done nothing under that name yet
/// gives way: operators who come back, all at once, are who they were.
std::string Control::take_name(std::string_view wish, const Operator& self) {
  for (const auto& other : operators_) {
    if (!other || other.get() == &self || !other->unheard || other->name != wish) continue;
    other->name = unique_name(wish, other.get(), false);
  }
  return unique_name(wish, &self);
}

void Control::await_return() {
  awaiting_ = true;
  last_word_ = server_.away_before();
  return_.start(kReturn);
}

/// No operator has that name any more: what it claimed while it was there is free.
void Control::has_gone(std::string_view name) {
  if (awaiting_ || name.empty()) return;
  server_.release_if([name](auto holder) { return holder == name; });
}

/// Says goodbye to an operator: it gets what is queued for it, then an end of file.
void Control::leave(io::StreamId id, std::string_view why) {
  Operator& self = *operators_[id];
  if (std::exchange(self.leaving, true)) return;
  if (self.subscribed) inbox_.left();
  if (!self.answers.empty()) (void)streams_.write(id, Payload{self.answers});
  self.pending.clear();
  self.answers.clear();
  self.waits_for.clear();
  --count_;
  streams_.close(id);
  const std::string name = std::exchange(self.name, {});
  if (!why.empty()) spdlog::warn("detached operator {}: {}", core::escaped(name), why);
  if (self.greeted) server_.operator_changed(name, "detached");
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
  if (self.processing) return;  // relieved() may come in the middle of a line
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
  return !operators_[id]->waits_for.empty() || streams_.queued_bytes(id) > kHighBytes;
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
  wait_for_congested(id);
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
  answers.clear();
  if (answers.capacity() > 2 * kAnswersAtOnce) std::string{}.swap(answers);
  if (!taken) leave(id, "did not read");
}

/// The clients that this operator has just written to may have to be waited for. Not
/// those that were waited for in vain and have taken nothing since.
void Control::wait_for_congested(io::StreamId id) {
  for (const core::Slot slot : server_.take_congested()) {
    const auto taken = server_.sent_bytes(slot);
    const auto deaf = deaf_.find(slot);
    if (deaf != deaf_.end() && deaf->second == taken) continue;
    if (deaf != deaf_.end()) deaf_.erase(deaf);
    // What came before in this turn may have taken longer than the client is given.
    operators_[id]->waits_for.push_back({slot, taken, loop_.update_now() + kStall});
    if (!stalling_) stall_.start(kStall);
    stalling_ = true;
  }
}

/// A client that operators wrote to has room again, or has gone.
void Control::relieved(core::Slot slot) {
  deaf_.erase(slot);
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving) continue;
    auto& waits = operators_[id]->waits_for;
    const auto gone = std::erase_if(waits, [&](const Wait& wait) { return wait.slot == slot; });
    if (gone > 0 && waits.empty()) process(id);
  }
}

/// A client that takes nothing at all does not hold up an operator: what is written
/// to it fills its queue up to the hard limit, and then it is closed. One that takes
/// some is waited for.
void Control::give_up_on_stalled() {
  stalling_ = false;
  auto next = kNever;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving) continue;
    auto& waits = operators_[id]->waits_for;
    if (waits.empty()) continue;
    std::erase_if(waits, [&](Wait& wait) {
      if (wait.until > loop_.now()) return false;
      const auto taken = server_.sent_bytes(wait.slot);
      const bool deaf = std::exchange(wait.taken, taken) == taken;
      if (deaf) deaf_[wait.slot] = taken;
      wait.until = loop_.now() + kStall;
      return deaf;
    });
    if (waits.empty()) process(id);
    if (!operators_[id] || operators_[id]->leaving) continue;
    for (const Wait& wait : operators_[id]->waits_for) next = std::min(next, wait.until);
  }
  stalling_ = next != kNever;
  stall_.start_at(next);
}

// ---- events ----

/// At the end of each turn: what happened in it goes to everybody who is live.
void Control::publish() {
  std::uint32_t count = 0;
  const Payload lines = log_.seal(count);
  if (lines.empty()) return;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving || !operators_[id]->subscribed) continue;
    Operator& self = *operators_[id];
    if (self.live && streams_.queued_bytes(id) > kHighBytes) {
      self.live = false;
      self.cursor = log_.sealed_seq() - count;
      self.behind = 0;
    }
    if (self.live) {
      if (!streams_.write(id, lines)) leave(id, "did not read");
      continue;
    }
    self.behind += lines.size();
    if (self.behind > kMaxBehind && !std::exchange(self.suspected, true)) {
      self.taken = streams_.sent_bytes(id);
      patience_.start(kPatience);
    }
  }
}

/// Detaches those for whom too much waits and who have taken nothing of it. Who reads
/// on slowly stays, and hears it if the log could not wait for it.
void Control::judge() {
  bool again = false;
  for (io::StreamId id = 0; id < operators_.size(); ++id) {
    if (!operators_[id] || operators_[id]->leaving || !operators_[id]->suspected) continue;
    Operator& self = *operators_[id];
    const auto taken = streams_.sent_bytes(id);
    self.suspected = self.behind > kMaxBehind;
    if (self.suspected && taken == self.taken && self.fetch == 0) leave(id, "did not read");
    self.taken = taken;
    again = again || self.suspected;
  }
  if (again) patience_.start(kPatience);
}

void Control::on_drained(io::StreamId id) {
  if (operators_[id]->leaving) return;
  if (operators_[id]->subscribed && !operators_[id]->live) catch_up(id);
  if (!operators_[id]->leaving) process(id);
  loop_.turn_again();  // what it wanted may be an event, and publish() is past in this turn
}

/// Queues events that were missed, as many as fit; the rest when it has read these.
void Control::catch_up(io::StreamId id) {
  Operator& self = *operators_[id];
  if (self.fetch != 0) return;
  if (const auto first = log_.first_seq(); self.cursor + 1 < first) {
    if (transcript_ != nullptr) {
      fetch(id, first - 1);
      return;
    }
    std::string line;
    append_lagged(line, first - 1, first - 1 - self.cursor, wall_now());
    self.cursor = first - 1;
    write(id, line);
  }
  while (!self.leaving && streams_.queued_bytes(id) <= kHighBytes) {
    const Payload lines = log_.after(self.cursor);
    if (lines.empty()) {
      self.live = true;
      self.behind = 0;
      return;
    }
    self.behind -= std::min(self.behind, lines.size());
    if (!streams_.write(id, lines)) leave(id, "did not read");
  }
}

/// Asks the transcript for what the log has no more; the rest follows when it is there.
void Control::fetch(io::StreamId id, core::Seq upto) {
  Operator& self = *operators_[id];
  self.fetch = ++last_number_;
  transcript_->replay(
      self.cursor, upto, kPageBytes,
      [this, id, operator_number = self.number, page_number = self.fetch](const ReplayPage& page) {
        const Operator* asked = find(id, operator_number);
        if (asked != nullptr && asked->fetch == page_number) fetched(id, page);
      });
}

void Control::fetched(io::StreamId id, const ReplayPage& page) {
  Operator& self = *operators_[id];
  self.fetch = 0;
  self.cursor = page.last;
  self.behind -= std::min(self.behind, page.lines.size());
  write(id, page.lines);
  // With more than that it goes on when it has read, see on_drained().
  if (!self.leaving && streams_.queued_bytes(id) <= kHighBytes) catch_up(id);
}

Control::Operator* Control::find(io::StreamId id, std::uint64_t number) {
  if (id >= operators_.size() || !operators_[id]) return nullptr;
  Operator& self = *operators_[id];
  return self.number == number && !self.leaving ? &self : nullptr;
}

// ---- what the transcript is asked ----

void Control::question(io::StreamId id, std::string_view method, rpc::Params& params,
                       Reply& reply) {
  MessageQuery query;
  query.search = method == "search";
  if (query.search) query.text = params.text("text");
  if (params.has("session")) query.where.session = params.id("session");
  query.where.before = params.number_or("before", 0);
  query.limit = params.number_or("limit", kUsualMessages);
  if (params.has("before") && query.where.before == 0) params.fail("before must be 1 or more");
  if (query.limit == 0) params.fail("limit must be 1 or more");
  if (!reply.accept(params)) return;
  query.limit = std::min(query.limit, kMaxMessages);
  query.where.before = std::min<std::uint64_t>(query.where.before, INT64_MAX);
  Operator& self = *operators_[id];
  if (transcript_ == nullptr) {
    reply.fail(rpc::kNotAllowed, "transcripts are off: nothing is recorded (see [transcript])");
  } else if (self.questions == kMaxQuestions) {
    reply.fail(rpc::kLimit, "as many questions as may be wait for their answers already");
  } else if (!reply.id.empty()) {
    ++self.questions;
    transcript_->ask(std::move(query), [this, id, number = self.number,
                                        request = std::string{reply.id}](Result<std::string> json) {
      if (find(id, number) != nullptr) answered(id, request, std::move(json));
    });
  }
}

void Control::answered(io::StreamId id, std::string_view request, Result<std::string> json) {
  --operators_[id]->questions;
  Reply reply;
  reply.id = request;
  if (json) {
    reply.result(*json);
  } else {
    reply.fail(rpc::kNotAllowed, "the transcript cannot be read: " + json.error().message);
  }
  write(id, reply.out);
  if (!operators_[id]->leaving) process(id);  // it may have waited to leave
}

// ---- what an operator asks about its own connection ----

void Control::hello(io::StreamId id, rpc::Params& params, Reply& reply) {
  const auto wish = params.text_or("name", {});
  check_name(params, wish);
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  const std::string name = wish.empty() ? self.name : take_name(wish, self);
  if (name != self.name) {
    const std::string before = std::exchange(self.name, name);
    if (std::exchange(self.greeted, false)) server_.operator_changed(before, "detached");
    has_gone(before);
  }
  if (!std::exchange(self.greeted, true)) {
    server_.operator_changed(self.name, "attached");
    if (!self.away.empty()) server_.operator_changed(self.name, "away", self.away);
  }
  count_away();
  std::string result = R"({"version":")" CHATD_VERSION R"(","protocol":1,"operator":)";
  append_json_string(result, self.name);
  result += ",\"seq\":" + std::to_string(log_.last_seq());
  result += ",\"unread\":" + std::to_string(inbox_.unread());
  result += ",\"attended\":" + std::to_string(inbox_.attended()) + "}";
  reply.result(result);
}

void Control::subscribe(io::StreamId id, rpc::Params& params, Reply& reply) {
  const bool replay = params.has("since");
  const auto since = params.number_or("since", 0);
  const bool watch = params.flag("watch");
  if (!reply.accept(params)) return;
  publish();  // "from now on" means after what has happened already
  Operator& self = *operators_[id];
  if (self.leaving) return;
  reply.result("{\"seq\":" + std::to_string(log_.sealed_seq()) + "}");
  write(id, std::exchange(reply.out, {}));
  if (!std::exchange(self.subscribed, true)) inbox_.came();
  self.watching = watch;
  count_away();
  self.fetch = 0;
  self.live = !replay || since >= log_.sealed_seq();
  self.cursor = since;
  if (!self.live) catch_up(id);
}

void Control::away(io::StreamId id, rpc::Params& params, Reply& reply) {
  const auto text = params.text("text");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    params.fail("text must say something");
  } else if (text.size() > kMaxAway) {
    params.fail("text must have at most 1024 bytes, as much as an original client reads at once");
  }
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  if (self.away != text) {
    self.away = text;
    self.away_since = ++last_number_;
    server_.operator_changed(self.name, "away", text);
    count_away();
  }
  reply.result("{}");
}

void Control::back(io::StreamId id, rpc::Params& params, Reply& reply) {
  if (!reply.accept(params)) return;
  Operator& self = *operators_[id];
  if (!std::exchange(self.away, {}).empty()) {
    server_.operator_changed(self.name, "back");
    last_word_.reset();
    count_away();
  }
  reply.result("{}");
}

/// Everybody is away if all who listen, and could answer, are. What is said is what the
/// last one to go has said. With nobody there, nobody is away. Operators who had to leave
/// come back in any order: until then, who was the last of them is known.
void Control::count_away() {
  Operator* last = nullptr;
  bool is_back = false;
  for (const auto& each : operators_) {
    if (!each || each->leaving || each->watching) continue;
    if (each->away.empty() && each->subscribed) {
      server_.set_away({});
      return;
    }
    if (each->away.empty() || is_back) continue;
    is_back = last_word_ == core::Away{each->away, each->name};
    if (is_back || last == nullptr || each->away_since > last->away_since) last = each.get();
  }
  if (last == nullptr || (last_word_ && !is_back)) {
    server_.set_away({});
    return;
  }
  if (is_back) last->away_since = ++last_number_;
  server_.set_away(core::Away{last->away, last->name});
}

}  // namespace chatd
