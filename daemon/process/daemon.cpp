#include "process/daemon.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>
#include <vector>

#include "base/control_path.hpp"
#include "base/version.hpp"
#include "console/console.hpp"
#include "io/descriptor.hpp"
#include "process/daemon_inherited.hpp"
#include "process/descriptors.hpp"
#include "service/handover.hpp"

namespace chatd {

namespace {

/// What operators can come back to.
constexpr std::size_t kKeptEventBytes = 1024UL * 1024;

/// With fewer descriptors than that, the few that a database takes are clients' rather.
constexpr std::size_t kDescriptorsToRecord = 32;

/// `--console auto`: on when standard input is a terminal or a pipe, so not under a
/// service manager.
bool wants_console(ConsoleMode mode) {
  if (mode != ConsoleMode::kAuto) return mode == ConsoleMode::kOn;
  switch (io::kind_of(STDIN_FILENO)) {
    case io::DescriptorKind::kTerminal:
      return !io::in_background(STDIN_FILENO);
    case io::DescriptorKind::kPipe:
      return true;
    default:
      return false;
  }
}

console::ColorChoice to_console(ColorMode mode) {
  switch (mode) {
    case ColorMode::kAuto:
      return console::ColorChoice::kAuto;
    case ColorMode::kOn:
      return console::ColorChoice::kAlways;
    case ColorMode::kOff:
      return console::ColorChoice::kNever;
  }
  return console::ColorChoice::kAuto;
}

console::Timestamps to_console(Timestamps timestamps) {
  switch (timestamps) {
    case Timestamps::kNone:
      return console::Timestamps::kNone;
    case Timestamps::kTime:
      return console::Timestamps::kTime;
    case Timestamps::kDatetime:
      return console::Timestamps::kDateTime;
  }
  return console::Timestamps::kTime;
}

}  // namespace

Daemon::Daemon(service::Program program, const Options& options, ConfigSources sources,
               LoadedConfig loaded)
    : program_{std::move(program)},
      sources_{std::move(sources)},
      config_{std::move(loaded.config)},
      console_mode_{options.console},
      color_{options.color},
      manager_{loop_, [this] { return status(); }},
      store_{manager_.notify()},
      events_{0, kKeptEventBytes} {}

Daemon::~Daemon() {
  if (closes_it_.joinable()) closes_it_.join();
}

Result<> Daemon::run() {
  if (auto opened = open(); !opened) return opened;
  loop_.run();
  // All is done. With the handlers gone, one more signal would kill what has ended well.
  service::keep_signals_out();
  return {};
}

Result<> Daemon::open() {
  io::ignore_sigpipe();
  const auto descriptor_limit = raise_descriptor_limit();  // as many may be passed to this
  inherit();
  const bool with_console = wants_console(console_mode_);
  const bool interactive = with_console && console::can_be_interactive(STDIN_FILENO, STDOUT_FILENO);
  if (interactive) {
    console_lines_ = std::make_unique<ConsoleLines>(loop_, [this](const std::string& line) {
      if (console_) console_->say(line);
    });
  }
  if (auto opened = open_log(); !opened) return opened;
  spdlog::info("chatd {} starts", kVersion);

  auto transcripts = config_.transcript;
  if (descriptor_limit < kDescriptorsToRecord && transcripts.enabled && transcripts.path.empty()) {
    spdlog::warn("goes on without transcripts: the descriptor limit is {}, and clients need them",
                 descriptor_limit);
    transcripts.enabled = false;
  }
  open_lifeboat();
  const bool sessions_go_on = (inherited_ && inherited_->why.empty()) || !shipwrecked_.head.empty();
  auto transcript = Transcript::open(loop_, transcripts, sessions_go_on);
  if (!transcript) return std::move(transcript.error());
  transcript_ = std::move(*transcript);
  if (transcript_) {
    events_ = EventLog{transcript_->opened().last_seq, kKeptEventBytes};
    transcript_->on_notice([this](const std::string& text) { clients_->warn(text); });
  }

  restore_events();

  // Listeners, the control socket and its lock, the console's two ends.
  const auto open_later = config_.listen.size() + 8;
  const auto passed = connections_passed();  // sessions already, or soon closed
  const auto fits = sessions_that_fit(descriptor_limit, open_descriptors() - passed + open_later,
                                      config_.control.max_operators);
  if (fits < config_.limits.sessions) {
    spdlog::warn(
        "limits.sessions is {}, but the descriptor limit {} leaves room for {}: that holds",
        config_.limits.sessions, descriptor_limit, fits);
  }
  clients_ =
      std::make_unique<Clients>(loop_, config_, fits, events_, transcript_.get(), lifeboat_.get());
  control_ = std::make_unique<Control>(
      loop_, *clients_, events_, config_,
      Methods::Hooks{[this] { return reload(); }, [this] { stop("an operator's command"); }},
      transcript_.get());

  restore_rest();
  // Before anybody can see that it is there, and then want it to go.
  stop_soon_ = std::make_unique<io::Timer>(loop_, [this] {
    // Farewells go out and queues are flushed; operators hear the end of it.
    clients_->stop([this] { control_->stop([this] { finish(); }); });
  });
  stop_grace_ = std::make_unique<io::Timer>(loop_, [this] {
    spdlog::warn("stops without waiting any longer for clients that do not read");
    finish();
  });
  terminated_ = std::make_unique<io::Signal>(loop_, SIGTERM, [this] { terminate(); });
  interrupted_ = std::make_unique<io::Signal>(loop_, SIGINT, [this] { stop("SIGINT"); });
  hung_up_ = std::make_unique<io::Signal>(loop_, SIGHUP, [this] { (void)reload(); });
  check_limit_ = std::make_unique<io::Timer>(loop_, [this] {
    if (check_) check_->kill();
  });
  check_done_ = std::make_unique<io::Timer>(loop_, [this] { successor_checked(check_result_); });
  asked_to_hand_over_ = std::make_unique<io::Signal>(loop_, SIGUSR2, [this] { check_successor(); });

  const std::string path =
      config_.control.path.empty() ? default_control_path() : config_.control.path;
  if (auto opened = control_->listen(path, config_.control.group); !opened) return opened;
  if (auto opened = clients_->listen(std::exchange(listening_, {})); !opened) return opened;
  service::let_signals_in();
  if (with_console) {
    if (auto opened = open_console(); !opened) return opened;
  }
  manager_.ready();
  forget_watched();
  return {};
}

/// For the service manager, in one line.
std::string Daemon::status() const {
  const auto count = [](std::size_t number, const char* noun) {
    return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
  };
  return count(clients_->stats().sessions, "session") + ", " +
         count(control_->operators(), "operator");
}

Result<> Daemon::open_log() {
  auto log = Log::open(config_.log, console_lines_.get());
  if (!log) return std::move(log.error());
  log_ = std::move(*log);
  return {};
}

// ---- the console ----

Result<UniqueFd> Daemon::connect_console() {
  if (stopping_) return Error{"the daemon stops"};
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return Error::from_errno("connect the console", errno);
  }
  UniqueFd console_end{ends[1]};
  if (auto attached = control_->attach(UniqueFd{ends[0]}); !attached) {
    return std::move(attached.error());
  }
  return console_end;
}

Result<> Daemon::open_console() {
  auto connected = connect_console();
  if (!connected) return std::move(connected.error());
  end_console_ = std::make_unique<io::Timer>(loop_, [this] { console_.reset(); });
  console::ConsoleOptions options;
  options.interactive = console::can_be_interactive(STDIN_FILENO, STDOUT_FILENO);
  options.color = console::wants_color(to_console(color_), STDOUT_FILENO);
  options.timestamps = to_console(config_.console.timestamps);
  options.history = config_.console.history;
  options.from_start = true;
  options.reattach = [this] { return connect_console(); };
  options.reattaches_to_same = true;
  options.on_quit = [this] { stop("/quit"); };
  const auto end = [this] { end_console_->start(Duration{0}); };
  options.on_end = end;
  options.on_output_gone = end;
  options.on_lost = [this, end](const Error& error) {
    if (!stopping_) spdlog::error("the console has gone: {}", error.message);
    end();
  };
  console_ = std::make_unique<console::Console>(loop_, std::move(*connected), std::move(options));
  for (const auto& address : clients_->addresses()) console_->say("listening on " + address);
  return {};
}

// ---- reload and stop ----

Result<ConfigChange> Daemon::reload() {
  if (stopping_) return Error{"the configuration stays as it is: the daemon is about to stop"};
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
  if (auto opened = control_->reopen(); !opened) return refuse(opened.error().message);
  const auto change = diff(config_, loaded->config);
  const Config next = after_reload(config_, loaded->config);
  if (auto applied = clients_->apply(next); !applied) return refuse(applied.error().message);
  config_ = next;
  control_->set_max_operators(config_.control.max_operators);
  if (transcript_) transcript_->set_keep(config_.transcript.keep);
  Log::set_level(config_.log.level);
  spdlog::info("reloaded the configuration: {} keys changed, {} need a restart",
               change.changed.size(), change.needs_restart.size());
  return change;
}

void Daemon::stop(const char* why) {
  if (std::exchange(stopping_, true)) {
    // Asked twice: somebody does not want to wait.
    finish();
    return;
  }
  spdlog::info("stops: {}", why);
  manager_.stopping();
  // Soon, because this may be called in the middle of an operator's request.
  stop_soon_->start(Duration{0});
  if (config_.service.stop_grace > Duration{0}) stop_grace_->start(config_.service.stop_grace);
}

void Daemon::finish() {
  if (lifeboat_) lifeboat_->sink();
  loop_.stop();
}

}  // namespace chatd
