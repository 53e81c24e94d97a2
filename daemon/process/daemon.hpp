/// The daemon as a whole: puts the clients' side, the operators' side and the
/// console on one loop, and answers signals. Begins with run() and is over when
/// that returns.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "clients/clients.hpp"
#include "clients/lifeboat.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "events/event_log.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"
#include "io/signal.hpp"
#include "io/timer.hpp"
#include "log/log.hpp"
#include "operators/control.hpp"
#include "service/descriptor_store.hpp"
#include "service/manager.hpp"
#include "service/program.hpp"
#include "service/unit_job.hpp"

namespace chatd::console {
class Console;
}

namespace chatd {

struct Inherited;

class Daemon {
 public:
  /// `program` is what is started in the place of this process when it is asked to hand
  /// over.
  Daemon(service::Program program, const Options& options, ConfigSources sources,
         LoadedConfig loaded);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Opens everything and serves until it is told to stop. The error says what could
  /// not be opened; nothing is left open then.
  [[nodiscard]] Result<> run();

 private:
  Result<> open();
  Result<> open_console();
  Result<UniqueFd> connect_console();
  Result<ConfigChange> reload();
  Result<ConfigChange> load_and_apply();
  [[nodiscard]] Result<LoadedConfig> read_config() const;
  [[nodiscard]] std::string status() const;
  void stop(const char* why);

  // Handing over: daemon_handover.cpp.
  void check_successor();
  void successor_checked(int exit_code);
  void hand_over();
  void terminate();
  void job_known(service::Job job);
  [[nodiscard]] Error leave_to_next();
  [[nodiscard]] std::string save(std::vector<int>& descriptors);
  void drain_transcript();
  Result<> open_log();
  void inherit();
  [[nodiscard]] std::size_t connections_passed() const;
  void restore_events();
  void open_lifeboat();
  void restore_rest();
  void forget_kept();
  void forget_watched();
  void finish();

  service::Program program_;
  ConfigSources sources_;
  Config config_;
  ConsoleMode console_mode_;
  ColorMode color_;

  io::Loop loop_;
  service::Manager manager_;
  service::DescriptorStore store_;
  std::unique_ptr<Transcript> transcript_;
  EventLog events_;
  std::unique_ptr<ConsoleLines> console_lines_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Lifeboat> lifeboat_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<console::Console> console_;
  std::unique_ptr<io::Signal> interrupted_;
  std::unique_ptr<io::Signal> terminated_;
  std::unique_ptr<io::Signal> hung_up_;
  std::unique_ptr<io::Signal> asked_to_hand_over_;
  std::unique_ptr<io::Process> check_;  ///< of the program that would take over
  std::unique_ptr<io::Timer> check_limit_;
  std::unique_ptr<io::Timer> check_done_;  ///< the process may not be destroyed in its callback
  std::unique_ptr<service::JobQuestion> question_;  ///< why this is to end
  UniqueFd check_output_;
  int check_result_ = 0;
  std::unique_ptr<io::Timer>
      end_console_;  ///< the console may not be destroyed in its own callback
  std::unique_ptr<io::Timer> stop_soon_;
  std::unique_ptr<io::Timer> stop_grace_;
  std::unique_ptr<Inherited> inherited_;  ///< from an earlier process, while it is restored
  std::vector<UniqueFd> listening_;       ///< of socket units, until they are used
  UniqueFd kept_records_;                 ///< what the service manager had kept besides
  std::vector<service::KeptSession> kept_sessions_;
  Lifeboat::Saved shipwrecked_;  ///< of a process that left nothing, until they are rescued
  UniqueFd watched_before_;      ///< by the process before this one, in an epoll set
  std::thread closes_it_;
  bool stopping_ = false;
};

}  // namespace chatd
