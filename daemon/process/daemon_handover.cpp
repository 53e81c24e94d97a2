// How one process takes the place of another without a client noticing: it writes down
// all that it knows. SIGUSR2: the program that lies where this one came from is asked
// whether it likes the configuration; if so, this process becomes that program, with the
// same connections. SIGTERM, where the service manager starts the next process at once
// and has a descriptor store: what was written and the connections are left there. If
// anything fails, all goes on as before: the chat, or the end.
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/bytes.hpp"
#include "base/signals_blocked.hpp"
#include "base/text.hpp"
#include "console/console.hpp"
#include "process/daemon.hpp"
#include "process/daemon_inherited.hpp"
#include "service/handover.hpp"
#include "service/passed.hpp"

namespace chatd {

namespace {

constexpr Duration kCheckLimit{10'000};
/// For the transcript to be written. What is not is lost with the process.
constexpr Duration kDrainLimit{2000};
/// For the service manager to say what is being done with the unit.
constexpr Duration kAskLimit{500};
/// Of what the program says about the configuration.
constexpr std::size_t kComplaint = 2000;

}  // namespace

// ---- the process that goes ----

void Daemon::check_successor() {
  if (stopping_ || check_) {
    spdlog::warn("SIGUSR2: {}", stopping_ ? "the daemon is about to stop" : "under way already");
    return;
  }
  spdlog::info("SIGUSR2: hands over to {}", program_.path);
  check_output_ = UniqueFd{::memfd_create("chatd-check", MFD_CLOEXEC)};
  auto arguments = program_.arguments;
  arguments.emplace_back("--check-config");
  auto check =
      io::Process::run(loop_, program_.path, arguments, check_output_.get(), [this](int exit_code) {
        check_result_ = exit_code;
        check_done_->start(Duration{0});
      });
  if (!check) {
    spdlog::error("does not hand over: {}", check.error().message);
    return;
  }
  check_ = std::move(*check);
  check_limit_->start(kCheckLimit);
}

void Daemon::successor_checked(int exit_code) {
  check_limit_->stop();
  check_.reset();
  auto said = service::take(std::exchange(check_output_, {}).get());
  if (exit_code != 0) {
    std::string complaint = said ? said->substr(0, kComplaint) : "";
    while (complaint.ends_with('\n')) complaint.pop_back();
    spdlog::error("does not hand over: {} --check-config {}{}{}", program_.path,
                  exit_code < 0 ? "was killed" : "ended with " + std::to_string(exit_code),
                  complaint.empty() ? "" : ": ", escaped(complaint));
    return;
  }
  if (!stopping_) hand_over();
}

void Daemon::hand_over() {
  control_->finish_requests();  // before anything that they change is written down
  if (stopping_) return;        // one of them may have been that
  const bool with_console = console_ != nullptr;
  console_.reset();  // the terminal is as it was
  std::vector<int> descriptors;
  auto document = service::put(service::enclose(save(descriptors)));
  if (!document) {
    spdlog::error("does not hand over: {}", document.error().message);
  } else {
    drain_transcript();
    std::vector<char*> arguments;
    for (auto& argument : program_.arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    spdlog::info("hands over {} sessions", clients_->stats().sessions);
    log_.reset();  // with this its last lines are out
    // What it has to know of even if it cannot read the document: sockets that stay, and what
    // is no socket, which it would not find.
    auto kept = clients_->passed();
    kept.push_back(loop_.poller().descriptor());
    if (lifeboat_) kept.push_back(lifeboat_->descriptor());
    const auto failed = service::replace_process(program_.path, arguments.data(), document->get(),
                                                 descriptors, kept);
    (void)open_log();
    spdlog::error("does not hand over: {}", failed.message);
  }
  if (!with_console) return;
  control_->await_return();  // the console's claims
  if (auto opened = open_console(); !opened) spdlog::error("{}", opened.error().message);
}

void Daemon::drain_transcript() {
  if (transcript_ && !transcript_->drain(kDrainLimit)) {
    spdlog::warn("the end of the transcript is lost: it could not be written in time");
  }
}

/// A manager that cannot be asked keeps what it was given if it starts this again, and
/// drops it if not: then clients miss their farewell, and nothing worse.
void Daemon::terminate() {
  if (!store_.exists() || stopping_) {
    stop("SIGTERM");
  } else if (!question_) {
    question_ = std::make_unique<service::JobQuestion>(loop_, kAskLimit,
                                                       [this](auto job) { job_known(job); });
  }
}

void Daemon::job_known(service::Job job) {
  if (stopping_) return;
  if (job != service::Job::kOther) {
    control_->finish_requests();
    if (stopping_) return;  // an operator has asked for that
    spdlog::error("ends all sessions: {}", leave_to_next().message);
  }
  stop("SIGTERM");
}

/// Returns only if that failed.
Error Daemon::leave_to_next() {
  // Sessions that are left to a process which then does not start end without a goodbye.
  if (auto config = read_config(); !config) {
    return std::move(config.error()).while_doing("the next process would not start");
  }
  console_.reset();
  std::vector<int> descriptors;
  auto document = service::put(service::enclose(save(descriptors)));
  if (!document) return std::move(document.error());
  drain_transcript();
  if (auto left = store_.leave(document->get(), descriptors); !left) return std::move(left.error());
  spdlog::info("leaves {} sessions to the next process", clients_->stats().sessions);
  manager_.stopping();
  log_.reset();
  // Whatever is not closed here, and no file that is not removed, is the next one's.
  ::_exit(0);
}

/// The numbers of the descriptors, the events, the operators' side, the clients' side. The
/// set of what was watched goes along: taking thousands of sockets out of it takes the kernel
/// long, and while this process ends nobody is served.
std::string Daemon::save(std::vector<int>& descriptors) {
  if (closes_it_.joinable()) closes_it_.join();
  ByteWriter clients;
  clients_->save(clients, descriptors);
  if (lifeboat_) descriptors.push_back(lifeboat_->descriptor());
  descriptors.push_back(loop_.poller().descriptor());
  ByteWriter operators;
  descriptors.push_back(control_->save(operators));  // with this all events are sealed
  ByteWriter events;
  events_.save(events);

  ByteWriter out;
  out.number<std::uint64_t>(descriptors.size());
  for (const int fd : descriptors) out.number<std::int32_t>(fd);
  out.flag(lifeboat_ != nullptr);
  for (const auto* part : {&events, &operators, &clients}) out.text(part->bytes());
  return out.take();
}

// ---- the process that comes ----

void Daemon::inherit() {
  auto passed = service::take_inheritance();
  listening_ = std::move(passed.listening);
  kept_records_ = std::move(passed.stored.records);
  kept_sessions_ = std::move(passed.stored.sessions);
  auto left = service::take_left();
  const bool stored = !left.document;
  const auto file = std::move(stored ? passed.stored.document : left.document);
  if (!file) return;
  inherited_ = std::make_unique<Inherited>();
  inherited_->stored = stored;
  inherited_->kept = std::move(left.kept);
  inherited_->descriptors = std::move(passed.stored.descriptors);
  auto document = service::take(file.get());
  if (!document) {
    inherited_->why = document.error().message;
    return;
  }
  auto body = service::disclose(*document);
  if (!body) {
    inherited_->why = body.error().message;
    return;
  }
  ByteReader in{*body};
  const auto count = in.count();
  if (stored) inherited_->descriptors.resize(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const auto number = in.number<std::int32_t>();  // in that other process
    if (!stored) inherited_->descriptors.push_back(service::inherit(number));
  }
  const bool records = in.flag();
  in.require(count >= (records ? 3 : 2));
  if (in.ok()) {
    auto& descriptors = inherited_->descriptors;
    watched_before_ = std::move(descriptors[descriptors.size() - 2]);
    if (records) inherited_->records = std::move(descriptors[descriptors.size() - 3]);
  }
  inherited_->events = in.text();
  inherited_->operators = in.text();
  inherited_->clients = in.text();
  if (!in.finished()) inherited_->why = "it cannot be understood";
}

/// Descriptors that are open now and came from an earlier process, all but a few of them
/// connections.
std::size_t Daemon::connections_passed() const {
  std::size_t count = kept_sessions_.size();
  if (!inherited_) return count;
  for (const auto& fd : inherited_->descriptors) count += fd ? 1 : 0;
  return count;
}

/// With what is in it, if the process before this one could not do better.
void Daemon::open_lifeboat() {
  // Where there is a document, this is another copy of what came with that.
  UniqueFd kept = std::move(kept_records_);
  if (!store_.exists()) return;
  lifeboat_ = Lifeboat::open(store_, std::move(inherited_ ? inherited_->records : kept));
  if (!inherited_ && lifeboat_ && lifeboat_->goes_on()) shipwrecked_ = lifeboat_->take_saved();
}

void Daemon::restore_events() {
  if (inherited_ && inherited_->why.empty()) {
    ByteReader in{inherited_->events};
    events_.restore(in);
  } else if (!shipwrecked_.head.empty()) {
    const auto last = ByteReader{shipwrecked_.head}.number<core::Seq>();
    events_.go_on_after(last);
  }
}

/// What the service manager had kept one by one, and nobody went on with.
void Daemon::forget_kept() {
  for (const auto& kept : kept_sessions_) {
    if (!lifeboat_ || !lifeboat_->has(kept.session)) (void)store_.forget_session(kept.session);
  }
  if (!lifeboat_) store_.forget_records();
  kept_sessions_.clear();
}

/// While clients are served already. The thread does nothing else.
void Daemon::forget_watched() {
  if (!watched_before_) return;
  const SignalsBlocked blocked;
  try {
    closes_it_ = std::thread{[set = std::move(watched_before_)] {}};
  } catch (const std::system_error&) {
    // There are as many threads as may be: with this it is closed, too.
  }
}

void Daemon::restore_rest() {
  if (!inherited_) {
    if (!kept_sessions_.empty() || !shipwrecked_.head.empty()) {
      std::vector<service::KeptSession> connections;
      for (auto& kept : kept_sessions_)
        connections.push_back({kept.session, std::move(kept.socket)});
      clients_->rescue(std::exchange(shipwrecked_, {}), std::move(connections));
      forget_kept();
    }
    return;
  }
  auto& descriptors = inherited_->descriptors;
  if (inherited_->why.empty() && !descriptors.empty()) {
    ByteReader operators{inherited_->operators};
    control_->restore(std::move(descriptors.back()), operators);
    ByteReader clients{inherited_->clients};
    if (clients_->restore(clients, descriptors)) {
      spdlog::info("goes on with {} sessions", clients_->stats().sessions);
      control_->await_return();
    } else {
      inherited_->why = "it cannot be understood";
    }
  }
  if (!inherited_->why.empty()) {
    spdlog::error("the sessions of the process before this one are lost: what it left: {}",
                  inherited_->why);
    auto rest = service::inherit_rest();
    for (const int number : inherited_->kept) {
      (void)service::inherit(number);  // closes what is not among them: it is no socket
    }
    for (auto& fd : descriptors) rest.push_back(std::move(fd));
    // Listeners are opened anew, at the same addresses, but for the service manager's.
    for (auto& fd : rest) {
      if (!fd || !service::is_listening(fd.get())) continue;
      const auto& kept = inherited_->kept;
      const bool stays = std::find(kept.begin(), kept.end(), fd.get()) != kept.end();
      UniqueFd listener = std::move(fd);
      if (stays) listening_.push_back(std::move(listener));
    }
    std::erase_if(rest, [](const UniqueFd& fd) { return !fd; });
    clients_->dismiss(std::move(rest));
  }
  if (inherited_->stored) store_.forget_left();
  forget_kept();
  inherited_.reset();
}

}  // namespace chatd
