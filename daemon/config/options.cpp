#include "config/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <span>

#include "base/nearest.hpp"
#include "base/version.hpp"
#include "base/words.hpp"
#include "config/checks.hpp"
#include "config/fault.hpp"
#include "config/listen_places.hpp"

namespace chatd {

namespace {

constexpr int kUsage = 2;

constexpr std::string_view kMakeCertificate = "--make-certificate";
constexpr std::array<std::string_view, 10> kOptions{
    "--config",       "--listen",       "--console", "--color",   "--check-config",
    "--print-config", kMakeCertificate, "--into",    "--version", "--help"};
constexpr std::array<std::string_view, 3> kConsoleModes{"auto", "on", "off"};
constexpr std::array<std::string_view, 3> kColorModes{"auto", "always", "never"};

constexpr const char* kHelp = R"(Usage: chatd [OPTION]...
       chatd --make-certificate HOST... [--into FOLDER]
A chat daemon: clients connect with a socket, operators answer them. In a terminal
chatd is the operator's console too; without arguments it listens on 127.0.0.1:8080.

Options:
  --config FILE            read this configuration and no other
  --listen ADDR:PORT       listen here, and not where the configuration says; may be
                           repeated. Also [::1]:8080, unix:/path, 8080 (of 127.0.0.1),
                           localhost:8080 and :8080 (of all addresses, so reachable from
                           everywhere); port 0 is any free port
  --console auto|on|off    the console on standard input and output; auto: if standard
                           input is a terminal or a pipe
  --color auto|always|never
                           colours; auto: in a terminal, unless NO_COLOR is set or
                           TERM is dumb
  --check-config           report every fault of the configuration, and exit
  --print-config           print the configuration in force as TOML, with the origin of
                           each value, and exit
  --make-certificate HOST...
                           write HOST.key and HOST.pem, a key and a certificate that it
                           signs itself, for these names and addresses, print what to do
                           with them, and exit
  --into FOLDER            where that goes; the current folder without it
  -V, --version            print the version, and exit
  -h, --help               print this, and exit

Files:
  /etc/chatd/chatd.toml    the configuration, if neither --config nor CHATD_CONFIG
                           names one; it need not exist

Environment:
  CHATD_CONFIG             the configuration to read
  CHATD_LISTEN             listeners instead of the configured ones: ADDR:PORT,...
  CHATD_SECTION_KEY        any other key of the configuration, such as
                           CHATD_LIMITS_SESSIONS or CHATD_LOG_LEVEL

Exit codes:
  0  stopped as asked      1  could not do its work, such as an address in use
  2  wrong usage          78  faulty configuration; nothing was bound

To attach to a chatd that is running, or to use it from a script: chatctl.
)";

EarlyExit wrong_usage(const std::string& what) {
  return {kUsage, {}, "chatd: " + what + '\n'};
}

/// The first argument that is no option of ours and belongs to none.
EarlyExit unexpected(const std::vector<std::string>& extras) {
  const bool after_dashes = extras.front() == "--";
  const std::string& argument = extras[after_dashes ? 1 : 0];
  if (after_dashes || argument.size() < 2 || argument.front() != '-') {
    return wrong_usage("unexpected argument " + in_quotes(argument) +
                       "; chatctl has the commands for a running daemon");
  }
  const std::string name = argument.substr(0, argument.find('='));
  const auto near = nearest(name, kOptions);
  return wrong_usage("unknown option " + in_quotes(name) + "; " +
                     (near.empty() ? "chatd --help lists all of them"
                                   : "did you mean " + std::string{near} + "?"));
}

/// CLI11's "--config: 1 required TEXT missing" in our own words.
EarlyExit wrong_value(const CLI::Error& error) {
  const std::string what = error.what();
  std::string name = what.substr(0, what.find_first_of(": "));
  if (!name.starts_with('-')) name.insert(0, "--");
  if (what.find("flag override") != std::string::npos) {
    return wrong_usage(name + " takes no value");
  }
  if (name == kMakeCertificate) return wrong_usage(name + ": the name of a host is missing");
  return wrong_usage(what.find("missing") == std::string::npos ? what
                                                               : name + ": its value is missing");
}

/// The options as they were written.
struct Written {
  std::string config;
  std::vector<std::string> listen;
  std::string console = "auto";
  std::string color = "auto";
};

/// The index of `word`; the words stand in the order of their enum.
template <class Mode>
std::optional<Mode> find_mode(std::span<const std::string_view> words, std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Mode>(found - words.begin());
}

std::variant<Options, EarlyExit> interpret(Options options, const Written& written) {
  for (const std::string& text : written.listen) {
    auto parsed = parse_listen_places(text);
    if (!parsed) return wrong_usage("--listen: " + parsed.error().message);
    for (const io::Endpoint& endpoint : *parsed) {
      for (const io::Endpoint& other : options.listen) {
        if (!conflict(endpoint, other)) continue;
        std::string what = "--listen: " + in_quotes(endpoint.to_string());
        if (endpoint == other) return wrong_usage(what + " is given twice");
        return wrong_usage(what + " overlaps " + in_quotes(other.to_string()));
      }
      options.listen.push_back(endpoint);
    }
  }
  const auto console = find_mode<ConsoleMode>(kConsoleModes, written.console);
  if (!console) {
    return wrong_usage("--console: " + in_quotes(written.console) + " is not known; " +
                       listed(kConsoleModes) + " would be right");
  }
  options.console = *console;
  const auto color = find_mode<ColorMode>(kColorModes, written.color);
  if (!color) {
    return wrong_usage("--color: " + in_quotes(written.color) + " is not known; " +
                       listed(kColorModes) + " would be right");
  }
  options.color = *color;
  return options;
}

}  // namespace

std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  Written written;
  bool help = false;
  bool version = false;
  try {
    CLI::App app;
    app.set_help_flag();  // ours prints elsewhere and says more
    app.allow_extras();   // so that they are named in our words
    const auto add_flag = [&](const char* name, bool& value) {
      app.add_flag(name, value)->disable_flag_override();  // no --help=no
    };
    add_flag("-h,--help", help);
    add_flag("-V,--version", version);
    add_flag("--check-config", options.check_config);
    add_flag("--print-config", options.print_config);
    const auto add = [&](const char* name, auto& value) {
      // One argument for each time it is written; the last one counts.
      return app.add_option(name, value)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
          ->expected(1);
    };
    auto* config = add("--config", written.config);
    add("--console", written.console);
    add("--color", written.color);
    app.add_option("--listen", written.listen)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->expected(1)
        ->allow_extra_args(false);
    app.add_option(std::string{kMakeCertificate}, options.make_certificate)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->expected(1, CLI::detail::expected_max_vector_size);
    const auto* into = add("--into", options.into);
    app.parse(argc, argv);

    if (help) return EarlyExit{0, kHelp, {}};
    if (version) return EarlyExit{0, "chatd " + std::string{kVersion} + "\n", {}};
    const auto extras = app.remaining();
    if (!extras.empty() && extras != std::vector<std::string>{"--"}) return unexpected(extras);
    if (config->count() > 0) {
      if (written.config.empty()) return wrong_usage("--config: the name of a file is missing");
      options.config = written.config;
    }
    // CLI11 takes the next option for the one value that there has to be.
    if (!options.make_certificate.empty() && options.make_certificate.front().starts_with('-')) {
      return wrong_usage(std::string{kMakeCertificate} + ": the name of a host is missing");
    }
    if (into->count() > 0) {
      if (options.into.empty()) return wrong_usage("--into: the name of a folder is missing");
      if (options.make_certificate.empty()) {
        return wrong_usage("--into belongs to --make-certificate");
      }
    }
  } catch (const CLI::Error& error) {
    return wrong_value(error);
  }
  return interpret(std::move(options), written);
}

}  // namespace chatd
