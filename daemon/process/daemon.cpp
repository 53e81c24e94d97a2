#include "process/daemon.hpp"

#include <spdlog/spdlog.h>

#include <cassert>
#include <csignal>
#include <utility>

#include "base/control_path.hpp"
#include "base/version.hpp"
#include "config/unknown_variables.hpp"
#include "io/signal.hpp"
#include "process/call_filter.hpp"
#include "process/descriptors.hpp"

namespace chatd {

namespace {

/// What operators can come back to.
constexpr std::size_t kKeptEventBytes = 1024UL * 1024;

/// With so many bytes to be recorded, clients that say much are read slowly.
constexpr std::size_t kMuchToRecord = 4UL * 1024 * 1024;
/// And this long after the last event was recorded.
constexpr Duration kRecordPatience{1000};

/// With fewer descriptors than this, clients get the few that a database would take.
constexpr std::size_t kDescriptorsToRecord = 32;

Result<> filter_calls(const Config& config) {
  if (!config.service.seccomp || !has_call_filter()) return {};
  return put_call_filter_on();
}

}  // namespace

Daemon::Daemon(service::Program program, const Options& options, ConfigSources sources,
               LoadedConfig loaded)
    : program_{std::move(program)},
      sources_{std::move(sources)},
      config_{std::move(loaded.config)},
      filtered_{filter_calls(config_)},
      manager_{loop_, [this] { return status(); }},
      store_{manager_.notify()},
      console_{loop_, options.console, options.color} {}

Daemon::~Daemon() {
  console_.close();  // before its other end goes
}

Result<> Daemon::run() {
  if (auto opened = open(); !opened) return opened;
  loop_.run();
  return {};
}

Result<> Daemon::open() {
  io::ignore_sigpipe();
  const auto descriptor_limit = raise_descriptor_limit();  // first: many may be passed to us
  Inheritance inheritance;
  if (auto opened = open_log(); !opened) return opened;
  spdlog::info("chatd {} starts", kVersion);
  say_whether_filtered();
  for (const std::string& sentence : unknown_variables()) spdlog::warn("{}", sentence);

  crash_store_ = inheritance.open_crash_store(store_);
  auto recorded = open_transcript(descriptor_limit, inheritance.has_sessions());
  if (!recorded) return recorded;
  journal_ = std::make_unique<Journal>(kKeptEventBytes, transcript_.get());
  inheritance.restore_events(*journal_);

  // Listeners, the control socket and its lock, the console's two ends.
  const auto open_later = config_.listen.size() + 8;
  const auto passed = inheritance.connections();  // sessions already, or soon closed
  const auto open = open_descriptors() - passed + open_later;
  const auto max_operators = config_.control.max_operators;
  const auto connections = max_operators + Operators::kSpareConnections;
  const auto fits = sessions_that_fit(descriptor_limit, open, connections);
  if (fits < config_.limits.sessions) {
    spdlog::warn("limits.sessions is {}, but the descriptor limit {} leaves room for {} sessions",
                 config_.limits.sessions, descriptor_limit, fits);
  }
  make_parts(fits);
  const auto of_operators = operators_that_fit(descriptor_limit, open, connections);
  operators_->set_spare_connections(of_operators - std::min(of_operators, max_operators),
                                    max_operators);
  inheritance.restore(*clients_, *operators_, store_, crash_store_.get());
  make_succession();
  signals_ = std::make_unique<io::HeldSignals>(
      loop_, [this](int signal, bool by_terminal) { obey(signal, by_terminal); });
  if (auto opened = listen(inheritance); !opened) return opened;
  if (console_.is_wanted()) {
    if (auto opened = open_console(); !opened) return opened;
  }
  manager_.ready();
  slow_close_.begin(inheritance.take_watched());  // while clients are served already
  return {};
}

Result<> Daemon::open_log() {
  auto log = Log::open(config_.log, console_.lines());
  if (!log) return std::move(log.error());
  log_ = std::move(*log);
  return {};
}

Result<> Daemon::open_transcript(std::size_t descriptor_limit, bool sessions_go_on) {
  auto config = config_.transcript;
  if (descriptor_limit < kDescriptorsToRecord && config.enabled && config.path.empty()) {
    spdlog::warn("goes on without transcripts: the descriptor limit is {}, and clients need them",
                 descriptor_limit);
    config.enabled = false;
  }
  auto transcript = Transcript::open(loop_, config, sessions_go_on);
  if (!transcript) return std::move(transcript.error());
  transcript_ = std::move(*transcript);
  if (!transcript_) return {};
  transcript_->on_notice([this](const std::string& text) { journal_->warn(text); });
  return {};
}

void Daemon::make_parts(std::size_t max_sessions) {
  clients_ = std::make_unique<Clients>(loop_, config_, max_sessions, *journal_, transcript_.get(),
                                       crash_store_.get());
  operators_ = std::make_unique<Operators>(
      loop_, *clients_, *journal_, config_.control.max_operators,
      Requests::Hooks{[this] { return reload(); },
                      [this] { shutdown_->begin("an operator's command"); },
                      [this]() -> const Config& { return config_; }},
      transcript_.get());
  turn_end_ = std::make_unique<io::TurnEnd>(loop_, [this] { end_turn(); });
  shutdown_ =
      std::make_unique<Shutdown>(Shutdown::Parts{loop_, config_, manager_, *clients_, *operators_});
}

/// Whether so much waits to be recorded that clients should say less for a while. A disk that takes
/// nothing keeps nobody waiting.
bool Daemon::records_wait() {
  if (!transcript_ || transcript_->backlog().bytes <= kMuchToRecord) return false;
  const auto recorded = transcript_->counts().recorded;
  if (recorded != recorded_) {
    recorded_ = recorded;
    recorded_at_ = loop_.now();
  }
  return loop_.now() - recorded_at_ <= kRecordPatience;
}

/// Promises depend on this order.
void Daemon::end_turn() {
  // What clients said meanwhile is read before all that follows from it.
  clients_->connections().read_waiting(records_wait() || !operators_->keep_up());
  operators_->go_on();
  clients_->eviction().bound_memory();
  // Nobody sees an event before its number is reserved.
  if (transcript_) transcript_->submit();
  // No client has got something of which a crash record knows nothing.
  clients_->crash_records().keep();
  clients_->connections().flush();
  // What happened in sending is among the events of this turn.
  operators_->seal();
  operators_->flush();
}

void Daemon::make_succession() {
  const Succession::Parts parts{loop_,     manager_,           store_,     transcript_.get(),
                                *journal_, crash_store_.get(), *clients_,  *operators_,
                                console_,  *shutdown_,         slow_close_};
  Succession::Hooks hooks;
  hooks.check_config = [this]() -> Result<> {
    if (auto config = read_config(); !config) return std::move(config.error());
    return {};
  };
  hooks.config_file = [this]() -> Result<std::string> {
    auto file = read_config_file(sources_);
    if (!file) return Error{file.error().to_string()};
    return file->write();
  };
  hooks.close_log = [this] { log_.reset(); };
  hooks.open_log = [this] { (void)open_log(); };
  hooks.open_console = [this] { return open_console(); };
  succession_ = std::make_unique<Succession>(parts, std::move(program_), std::move(hooks));
}

Result<> Daemon::listen(Inheritance& inheritance) {
  const std::string path =
      config_.control.path.empty() ? default_control_path() : config_.control.path;
  if (auto opened = operators_->listen(path, config_.control.group); !opened) return opened;
  return clients_->listen(inheritance.take_listening());
}

Result<> Daemon::open_console() {
  OwnConsole::Hooks hooks;
  hooks.attach = [this](UniqueFd socket) { return operators_->attach(std::move(socket)); };
  hooks.quit = [this] { shutdown_->begin("/quit"); };
  hooks.is_stopping = [this] { return shutdown_->has_begun(); };
  if (auto opened = console_.open(config_.console, std::move(hooks)); !opened) return opened;
  for (const auto& address : clients_->doors().addresses()) console_.say("listening on " + address);
  return {};
}

// A key of the terminal is for the console in it, if there is one.
void Daemon::obey(int signal, bool by_terminal) {
  if (by_terminal && console_.take_key(signal)) return;
  switch (signal) {
    case SIGTERM:
      succession_->terminate();
      break;
    case SIGINT:
      shutdown_->begin("SIGINT");
      break;
    case SIGQUIT:
      shutdown_->begin("SIGQUIT");
      break;
    case SIGTSTP:
      if (!console_.take_key(signal)) io::stop_by_terminal();
      break;
    case SIGHUP:
      (void)reload();
      break;
    case SIGUSR2:
      succession_->hand_over();
      break;
    default:
      assert(false);
  }
}

void Daemon::say_whether_filtered() {
  if (!filtered_) {
    spdlog::warn("goes on without its filter of system calls: {}", filtered_.error().message);
  } else if (!config_.service.seccomp && is_call_filter_on()) {
    spdlog::warn(
        "the filter of system calls stays on: this process has taken over from one with it");
  }
}

Result<ConfigChange> Daemon::reload() {
  // Whatever becomes of the configuration: somebody may have moved the file away.
  if (auto opened = log_->reopen(); !opened) {
    journal_->warn("the log goes on in the file that was open: " + opened.error().message);
  }
  if (shutdown_->has_begun())
    return Error{"the configuration stays as it is: the daemon is about to stop"};
  manager_.reloading();
  auto change = load_and_apply();
  manager_.set_trouble(change ? "" : "the last reload was refused: " + change.error().message);
  manager_.ready();
  return change;
}

Result<LoadedConfig> Daemon::read_config() const {
  auto loaded = load_config(sources_);
  if (loaded) return std::move(*loaded);
  std::string faults = to_string(loaded.error());
  while (faults.ends_with('\n')) faults.pop_back();
  return Error{std::move(faults)};
}

Result<ConfigChange> Daemon::load_and_apply() {
  const auto refuse = [](std::string why) -> Result<ConfigChange> {
    spdlog::error("the configuration stays as it is: {}", why);
    return Error{std::move(why)};
  };
  auto loaded = read_config();
  if (!loaded) return refuse(std::move(loaded.error().message));
  if (auto opened = operators_->reopen(); !opened) return refuse(opened.error().message);
  const auto change = diff(config_, loaded->config);
  const Config next = after_reload(config_, loaded->config);
  if (auto set = operators_->set_group(next.control.group); !set)
    return refuse(set.error().message);
  if (auto applied = clients_->apply(next); !applied) {
    (void)operators_->set_group(config_.control.group);
    return refuse(applied.error().message);
  }
  config_ = next;
  operators_->set_max_operators(config_.control.max_operators);
  operators_->ask_again();
  if (transcript_) transcript_->set_bounds(config_.transcript);
  Log::set_level(config_.log.level);
  spdlog::info("reloaded the configuration: {} keys changed, {} need a restart",
               change.changed.size(), change.needs_restart.size());
  return change;
}

/// For the service manager, in one line.
std::string Daemon::status() const {
  const auto count = [](std::size_t number, const char* noun) {
    return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
  };
  std::string line =
      count(clients_->stats().sessions, "session") + ", " + count(operators_->count(), "operator");
  for (const auto& address : clients_->doors().missing()) line += "; cannot listen on " + address;
  return line;
}

}  // namespace chatd
