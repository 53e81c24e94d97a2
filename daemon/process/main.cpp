// chatd: reads the command line and the configuration, and runs the daemon.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "base/control_path.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "base/wall_time.hpp"
#include "clients/certificates.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "config/unknown_variables.hpp"
#include "io/held_signals.hpp"
#include "io/out_of_memory.hpp"
#include "process/already_running.hpp"
#include "process/daemon.hpp"
#include "process/make_certificate.hpp"
#include "service/handover.hpp"
#include "service/program.hpp"
#include "tls/out_of_memory.hpp"

namespace {

[[gnu::constructor(chatd::io::kFirstOfAll)]] void begin() {
  chatd::io::end_when_out_of_memory();
  chatd::tls::end_when_out_of_memory();
  chatd::io::hold_signals();  // the first process of a container would never hear of them again
}

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kBadConfiguration = 78;  // EX_CONFIG of sysexits.h

/// Whoever starts a program with a closed standard descriptor would have the first
/// socket opened under its number, and the log written to a client.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) {
      // The lowest free number is taken, which is this one.
      if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) std::abort();
    }
  }
}

void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

/// Large blocks always come from the system and go back to it. Else the C library learns from
/// the first one that is freed to take the next from its heap, where small blocks come to lie
/// between, and keeps the memory.
void keep_large_blocks_apart() {
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

/// From the text that the process before this one has had checked, if there is one; else from
/// the file.
chatd::Result<chatd::LoadedConfig, chatd::Faults> load(const chatd::ConfigSources& sources) {
  const auto checked = chatd::service::take_checked_config();
  const auto file = checked ? chatd::ConfigFile::read(*checked) : std::nullopt;
  return file ? chatd::load_config(sources, *file) : chatd::load_config(sources);
}

/// Prints `text`, which the options ask for; returns the exit code.
int print_result(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  // A configuration that is not whole must not look like one.
  if (std::fflush(stdout) == 0) return 0;
  print(stderr,
        "chatd: " + chatd::Error::from_errno("writing to standard output", errno).message + "\n");
  return kFailed;
}

int make_certificate(const chatd::Options& options) {
  const auto complain = [](const chatd::Error& error) {
    print(stderr, "chatd: " + chatd::escaped(error.message) + "\n");
  };
  auto hosts = chatd::hosts_of_certificate(options.make_certificate);
  if (!hosts) {
    complain(hosts.error());
    return kUsage;
  }
  // Signals wait until there are both files, or neither.
  auto made = chatd::make_certificate(*hosts, options.into, chatd::wall_now());
  chatd::io::release_signals();
  if (!made) {
    complain(made.error());
    return kFailed;
  }
  return print_result(*made);
}

}  // namespace

// An exception that nobody expected ends the process, and says what it was.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  occupy_standard_descriptors();
  // Reading a terminal that another job has, or writing to it, fails for one program, and must not
  // stop all that it serves.
  std::signal(SIGTTIN, SIG_IGN);
  std::signal(SIGTTOU, SIG_IGN);
  keep_large_blocks_apart();
  auto parsed = chatd::parse_options(argc, argv);
  if (const auto* exit = std::get_if<chatd::EarlyExit>(&parsed)) {
    chatd::io::release_signals();
    print(stderr, exit->err);
    return exit->out.empty() ? exit->code : print_result(exit->out);
  }
  const auto& options = std::get<chatd::Options>(parsed);
  if (!options.make_certificate.empty()) return make_certificate(options);
  if (options.check_config || options.print_config) chatd::io::release_signals();
  chatd::ConfigSources sources;
  sources.file = options.config;
  sources.listen = options.listen;
  auto loaded = load(sources);
  if (!loaded) {
    print(stderr, chatd::to_string(loaded.error()));
    return kBadConfiguration;
  }
  if (options.check_config) {
    for (const std::string& sentence : chatd::unknown_variables()) {
      print(stderr, "warning: " + sentence + "\n");
    }
    auto certificates = chatd::Certificates{}.load(loaded->config.listen, chatd::wall_now(),
                                                   chatd::tls::Credentials::Outdated::kAccepted);
    if (!certificates) {
      print(stderr, chatd::escaped(certificates.error().message) + "\n");
      return kBadConfiguration;
    }
    for (const auto& each : chatd::Certificates::warnings(*certificates, chatd::wall_now())) {
      print(stderr, "warning: " + chatd::escaped(each) + "\n");
    }
    if (::isatty(STDOUT_FILENO) == 0) return 0;  // a script looks at the exit code
    return print_result(loaded->file.empty()
                            ? std::string{"there is no configuration file; the defaults hold\n"}
                            : chatd::escaped(loaded->file) + ": right\n");
  }
  if (options.print_config) {
    return print_result(chatd::print_config(loaded->config, loaded->origins));
  }
  const std::string& path = loaded->config.control.path;
  if (const auto already =
          chatd::already_running(path.empty() ? chatd::default_control_path() : path);
      !already.empty()) {
    print(stderr, already + "\n");
    return kFailed;
  }
  // A scope, so that everything is closed, and the loop drained, before the end; and what
  // was logged stands before why it ended.
  auto ran = [&] {
    chatd::Daemon daemon{{chatd::service::find_program(argv[0]), {argv, argv + argc}},
                         options,
                         std::move(sources),
                         std::move(*loaded)};
    return daemon.run();
  }();
  if (!ran) {
    print(stderr, "chatd: " + ran.error().message + "\n");
    return kFailed;
  }
  return 0;
}
