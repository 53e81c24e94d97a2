// How one process takes the place of another without a client noticing. SIGUSR2: the
// program that lies where this one came from is asked whether it likes the
// configuration; if so, this process writes down all that it knows, and becomes that
// program, with the same connections. If anything fails, all goes on as before.
#include <spdlog/spdlog.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/bytes.hpp"
#include "console/console.hpp"
#include "core/text.hpp"
#include "daemon.hpp"
#include "daemon_inherited.hpp"
#include "service/handover.hpp"
#include "service/passed.hpp"

namespace chatd {

namespace {

constexpr Duration kCheckLimit{10'000};
/// For the transcript to be written. What is not is lost with the process.
constexpr Duration kDrainLimit{2000};
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
                  complaint.empty() ? "" : ": ", core::escaped(complaint));
    return;
  }
  if (!stopping_) hand_over();
}

void Daemon::hand_over() {
  const bool with_console = console_ != nullptr;
  console_.reset();  // the terminal is as it was
  std::vector<int> descriptors;
  auto document = service::put(service::enclose(save(descriptors)));
  if (!document) {
    spdlog::error("does not hand over: {}", document.error().message);
  } else {
    if (transcript_ && !transcript_->drain(kDrainLimit)) {
      spdlog::warn("the end of the transcript is lost: it could not be written in time");
    }
    std::vector<char*> arguments;
    for (auto& argument : program_.arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    spdlog::info("hands over {} sessions", server_->stats().sessions);
    log_.reset();  // with this its last lines are out
    const auto failed =
        service::replace_process(program_.path, arguments.data(), document->get(), descriptors);
    (void)open_log();
    spdlog::error("does not hand over: {}", failed.message);
  }
  if (!with_console) return;
  if (auto opened = open_console(); !opened) spdlog::error("{}", opened.error().message);
}

/// The numbers of the descriptors, the events, the operators' side, the clients' side.
std::string Daemon::save(std::vector<int>& descriptors) {
  ByteWriter clients;
  server_->save(clients, descriptors);
  ByteWriter operators;
  descriptors.push_back(control_->save(operators));  // with this all events are sealed
  ByteWriter events;
  events_.save(events);

  ByteWriter out;
  out.number<std::uint64_t>(descriptors.size());
  for (const int fd : descriptors) out.number<std::int32_t>(fd);
  for (const auto* part : {&events, &operators, &clients}) out.text(part->bytes());
  return out.bytes();
}

// ---- the process that comes ----

void Daemon::inherit() {
  auto file = service::inherited_document();
  if (!file) return;
  inherited_ = std::make_unique<Inherited>();
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
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    inherited_->descriptors.push_back(service::inherit(in.number<std::int32_t>()));
  }
  inherited_->events = in.text();
  inherited_->operators = in.text();
  inherited_->clients = in.text();
  if (!in.finished()) inherited_->why = "it cannot be understood";
}

void Daemon::restore_events() {
  if (!inherited_ || !inherited_->why.empty()) return;
  ByteReader in{inherited_->events};
  events_.restore(in);
}

void Daemon::restore_rest() {
  if (!inherited_) return;
  auto& descriptors = inherited_->descriptors;
  if (inherited_->why.empty() && !descriptors.empty()) {
    ByteReader operators{inherited_->operators};
    control_->restore(std::move(descriptors.back()), operators);
    ByteReader clients{inherited_->clients};
    if (server_->restore(clients, descriptors)) {
      spdlog::info("goes on with {} sessions", server_->stats().sessions);
    } else {
      inherited_->why = "it cannot be understood";
    }
  }
  if (!inherited_->why.empty()) {
    spdlog::error("the sessions of the process before this one are lost: what it left: {}",
                  inherited_->why);
    auto rest = service::inherit_rest();
    for (auto& fd : descriptors) rest.push_back(std::move(fd));
    // Listeners are opened anew, at the same addresses.
    std::erase_if(rest, [](const UniqueFd& fd) { return !fd || service::is_listening(fd.get()); });
    server_->dismiss(std::move(rest));
  }
  inherited_.reset();
}

}  // namespace chatd
