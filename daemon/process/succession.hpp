/// How another process takes the place of this one without a client noticing: everything that
/// the parts know is written into a document, and the descriptors go along.
///
/// | signal  | if                                      | then                               |
/// | ------- | --------------------------------------- | ---------------------------------- |
/// | SIGUSR2 | the successor accepts the configuration | this process becomes that program  |
/// | SIGTERM | there is a descriptor store, and the    | document and descriptors are left  |
/// |         | service manager restarts the daemon     | there, and this process ends       |
/// |         | (or does not say what it does)          |                                    |
/// | SIGTERM | otherwise                               | the daemon stops                   |
///
/// If anything fails, all goes on as before: the chat after SIGUSR2, the stop after SIGTERM.
/// A signal to stop that comes while a hand-over is prepared ends the hand-over; one that comes
/// later is obeyed by the successor.
/// What the next process does is in Inheritance.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "clients/clients.hpp"
#include "clients/crash_store.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "operators/operators.hpp"
#include "process/own_console.hpp"
#include "process/shutdown.hpp"
#include "process/slow_close.hpp"
#include "process/successor_check.hpp"
#include "service/descriptor_store.hpp"
#include "service/manager.hpp"
#include "service/program.hpp"
#include "service/unit_job.hpp"

namespace chatd {

class Succession {
 public:
  /// What is handed over, and who has a say in it. All of it must outlive this.
  struct Parts {
    io::Loop& loop;
    service::Manager& manager;
    const service::DescriptorStore& store;
    Transcript* transcript;  ///< null: there is none
    Journal& journal;
    CrashStore* crash_store;  ///< null: there is none
    Clients& clients;
    Operators& operators;
    OwnConsole& console;
    Shutdown& shutdown;
    SlowClose& slow_close;
  };
  struct Hooks {
    /// Whether a process that starts now would accept the configuration.
    std::function<Result<>()> check_config;
    /// The configuration file as it is now, for a process to begin with.
    std::function<Result<std::string>()> config_file;
    /// Writes out the last lines of the log, and opens it again.
    std::function<void()> close_log;
    std::function<void()> open_log;
    std::function<Result<>()> open_console;
  };

  /// `program` is what is started in the place of this process.
  Succession(const Parts& parts, service::Program program, Hooks hooks);

  /// SIGUSR2.
  void hand_over();
  /// SIGTERM.
  void terminate();

 private:
  [[nodiscard]] bool is_ending() const;
  [[nodiscard]] Result<> check_successor();
  void successor_checked(Result<> accepts);
  [[nodiscard]] Error become_successor();
  void job_known(service::Job job);
  [[nodiscard]] Error leave_to_next();
  [[nodiscard]] Result<UniqueFd> save(std::vector<int>& descriptors);
  void drain_transcript();

  Parts parts_;
  service::Program program_;
  Hooks hooks_;
  SuccessorCheck check_;
  std::string config_;  // in its envelope: what the successor checks, and begins with
  std::unique_ptr<service::JobQuestion> question_;  // why this process is to end
};

}  // namespace chatd
