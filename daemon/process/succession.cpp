#include "process/succession.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/bytes.hpp"
#include "io/held_signals.hpp"
#include "process/handover_document.hpp"
#include "service/document_file.hpp"
#include "service/handover.hpp"

namespace chatd {

namespace {

/// How long the transcript may take to be written. The rest is lost with the process.
constexpr Duration kDrainLimit{2000};
/// How long the service manager may take to say what it does with the unit.
constexpr Duration kAskLimit{500};

}  // namespace

Succession::Succession(const Parts& parts, service::Program program, Hooks hooks)
    : parts_{parts},
      program_{std::move(program)},
      hooks_{std::move(hooks)},
      check_{parts.loop, program_,
             [this](Result<> accepts) { successor_checked(std::move(accepts)); }} {}

// ---- SIGUSR2 ----

/// Whether the daemon stops, or is about to find out how.
bool Succession::is_ending() const {
  return parts_.shutdown.has_begun() || question_;
}

void Succession::hand_over() {
  const bool stopping = is_ending();
  if (stopping || check_.is_under_way()) {
    spdlog::warn("SIGUSR2: {}", stopping ? "the daemon is about to stop" : "under way already");
    return;
  }
  spdlog::info("SIGUSR2: hands over to {}", program_.path);
  if (auto started = check_successor(); !started) {
    spdlog::error("does not hand over: {}", started.error().message);
  }
}

/// By the file as it is now: what is checked is what the successor begins with, whatever happens
/// to the file meanwhile.
Result<> Succession::check_successor() {
  auto config = hooks_.config_file();
  if (!config) return std::move(config.error());
  config_ = service::enclose(*config);
  return check_.start(config_);
}

void Succession::successor_checked(Result<> accepts) {
  if (!accepts) {
    spdlog::error("does not hand over: {}", accepts.error().message);
    return;
  }
  if (is_ending()) return;
  parts_.operators.finish_requests();  // before anything that they change is written down
  if (is_ending()) return;             // one of them may have been to stop
  const bool with_console = parts_.console.is_open();
  parts_.console.close();
  spdlog::error("does not hand over: {}", become_successor().message);
  if (!with_console) return;
  parts_.operators.await_return();  // the console's claims
  if (auto opened = hooks_.open_console(); !opened) spdlog::error("{}", opened.error().message);
}

/// Returns only if that failed.
Error Succession::become_successor() {
  spdlog::info("hands over {} sessions", parts_.clients.stats().sessions);
  std::vector<int> descriptors;
  auto document = save(descriptors);
  if (!document) return std::move(document.error());
  auto config = service::make_memory_file(config_);
  if (!config) return std::move(config.error());
  drain_transcript();
  // From here on a signal waits for the successor.
  if (io::is_held(SIGTERM)) return Error{"SIGTERM has come"};
  if (io::is_held(SIGINT)) return Error{"SIGINT has come"};
  if (io::is_held(SIGQUIT)) return Error{"SIGQUIT has come"};
  std::vector<char*> arguments;
  for (auto& argument : program_.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  hooks_.close_log();
  // What it has to know of even if it cannot read the document: sockets that stay, and
  // descriptors that are no sockets, which it would not find.
  auto kept = parts_.clients.doors().passed();
  kept.push_back(parts_.loop.poller().descriptor());
  if (parts_.crash_store != nullptr) kept.push_back(parts_.crash_store->descriptor());
  auto failed = service::replace_process(
      program_.path, arguments.data(),
      {document->get(), config->get(), std::move(descriptors), std::move(kept)});
  hooks_.open_log();
  return failed;
}

// ---- SIGTERM ----

/// A manager that cannot be asked keeps what it was given if it starts this again, and
/// drops it if not: then clients miss their farewell, and nothing worse.
void Succession::terminate() {
  if (!parts_.store.exists() || parts_.shutdown.has_begun()) {
    parts_.shutdown.begin("SIGTERM");
  } else if (!question_) {
    question_ = std::make_unique<service::JobQuestion>(parts_.loop, kAskLimit,
                                                       [this](auto job) { job_known(job); });
  }
}

void Succession::job_known(service::Job job) {
  if (parts_.shutdown.has_begun()) return;
  if (job != service::Job::kOther) {
    parts_.operators.finish_requests();
    if (parts_.shutdown.has_begun()) return;  // an operator has asked to stop
    spdlog::error("ends all sessions: {}", leave_to_next().message);
  }
  parts_.shutdown.begin("SIGTERM");
}

/// Returns only if that failed.
Error Succession::leave_to_next() {
  // Sessions that are left to a process which then does not start end without a goodbye.
  if (auto accepts = hooks_.check_config(); !accepts) {
    return std::move(accepts.error()).while_doing("the next process would not start");
  }
  parts_.console.close();
  std::vector<int> descriptors;
  auto document = save(descriptors);
  if (!document) return std::move(document.error());
  drain_transcript();
  if (auto left = parts_.store.leave(document->get(), descriptors); !left) {
    return std::move(left.error());
  }
  spdlog::info("leaves {} sessions to the next process", parts_.clients.stats().sessions);
  parts_.manager.stopping();
  hooks_.close_log();
  // Nothing more is closed, and no file is removed: all of it belongs to the next process.
  ::_exit(0);
}

// ---- both ----

/// Makes the file with the document. The epoll set goes along: the kernel is slow to take
/// thousands of sockets out of it, and while this process ends nobody is served.
Result<UniqueFd> Succession::save(std::vector<int>& descriptors) {
  parts_.slow_close.wait();
  auto file = service::DocumentFile::make();
  if (!file) return std::move(file.error());
  HandoverWriter document{*file};
  document.part([&](ByteWriter& out) { parts_.clients.save(out, descriptors); });
  const bool has_records = parts_.crash_store != nullptr;
  if (has_records) descriptors.push_back(parts_.crash_store->descriptor());
  descriptors.push_back(parts_.loop.poller().descriptor());
  document.part([&](ByteWriter& out) {
    descriptors.push_back(parts_.operators.save(out));  // with this all events are sealed
  });
  document.part([&](ByteWriter& out) { parts_.journal.save(out); });
  document.descriptors(descriptors, has_records);
  return file->finish();
}

void Succession::drain_transcript() {
  if (parts_.transcript != nullptr && !parts_.transcript->drain(kDrainLimit)) {
    spdlog::warn("the end of the transcript is lost: it could not be written in time");
  }
}

}  // namespace chatd
