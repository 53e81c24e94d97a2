/// The daemon as a whole: puts the clients' side, the operators' side and the console on one
/// loop, answers signals, and follows the configuration. Begins with run() and is over when
/// that returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "clients/clients.hpp"
#include "clients/crash_store.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/held_signals.hpp"
#include "io/loop.hpp"
#include "log/log.hpp"
#include "operators/operators.hpp"
#include "process/inheritance.hpp"
#include "process/own_console.hpp"
#include "process/shutdown.hpp"
#include "process/slow_close.hpp"
#include "process/succession.hpp"
#include "service/descriptor_store.hpp"
#include "service/manager.hpp"
#include "service/program.hpp"

namespace chatd {

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
  Result<> open_log();
  Result<> open_transcript(std::size_t descriptor_limit, bool sessions_go_on);
  void make_parts(std::size_t max_sessions);
  void make_succession();
  [[nodiscard]] bool records_wait();
  void end_turn();
  Result<> listen(Inheritance& inheritance);
  Result<> open_console();
  void say_whether_filtered();

  void obey(int signal, bool by_terminal);
  Result<ConfigChange> reload();
  Result<ConfigChange> load_and_apply();
  [[nodiscard]] Result<LoadedConfig> read_config() const;
  [[nodiscard]] std::string status() const;

  service::Program program_;
  ConfigSources sources_;
  Config config_;
  /// Before the loop is made: with it newer versions of libuv make a ring (io_uring), whose
  /// operations no filter sees.
  Result<> filtered_;

  std::uint64_t recorded_ = 0;  // events, when it was looked at last while many waited
  Time recorded_at_{};          // when there were more

  io::Loop loop_;
  service::Manager manager_;
  service::DescriptorStore store_;
  OwnConsole console_;
  SlowClose slow_close_;

  // What follows is made by open(), in this order.
  std::unique_ptr<Log> log_;
  std::unique_ptr<CrashStore> crash_store_;
  std::unique_ptr<Transcript> transcript_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Operators> operators_;
  std::unique_ptr<io::TurnEnd> turn_end_;
  std::unique_ptr<Shutdown> shutdown_;
  std::unique_ptr<Succession> succession_;
  std::unique_ptr<io::HeldSignals> signals_;
};

}  // namespace chatd
