/// The configuration, as plain values. The names are those of chatd.toml, where the
/// consequence of each key is described; config_keys() and listener_keys() alone say which
/// keys there are and what they may hold. Invariant: a Config that load_config() returned is
/// consistent; nobody downstream checks it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/default_port.hpp"
#include "base/time.hpp"
#include "core/settings.hpp"
#include "http/site.hpp"
#include "io/endpoint.hpp"
#include "io/network.hpp"
#include "io/stream.hpp"

namespace chatd {

enum class Timestamps : std::uint8_t { kNone, kTime, kDatetime };
enum class Bell : std::uint8_t { kNone, kFirst, kAll };
enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogTarget : std::uint8_t { kAuto, kStderr, kJournal, kFile };

/// One [[listen]].
struct Listener {
  io::Endpoint endpoint{"127.0.0.1", kDefaultPort};  ///< keys `address` and `port`
  /// kAuto as well where `web` is kOnly, which is `dialect = "web"`.
  core::DialectSetting dialect = core::DialectSetting::kAuto;
  int backlog = 1024;
  std::string room{};  ///< whose clients hear each other; empty: they do not

  /// Whether HTTP is understood, and whether it is all that is. kOff wherever `dialect` is not
  /// kAuto.
  enum class Web : std::uint8_t { kOff, kOn, kOnly };
  [[nodiscard]] static Web default_web(core::DialectSetting dialect, const std::string& room) {
    return dialect == core::DialectSetting::kAuto && room.empty() ? Web::kOn : Web::kOff;
  }
  Web web = default_web(dialect, room);

  /// Who says by a PROXY header for whom it speaks, and has to. A user of no bits is everybody
  /// who comes by a unix socket. Empty: nobody.
  std::vector<io::Network> proxy_from{};

  /// Paths of files, which nobody has looked at yet. Without a pair there is no TLS, and nothing
  /// else in here.
  struct Tls {
    struct Pair {
      std::string certificate;
      std::string key;

      friend bool operator==(const Pair&, const Pair&) = default;
    };
    std::vector<Pair> pairs;  ///< the first is for those who ask for no name that another has
    std::string client_ca;    ///< empty: no client is asked for a certificate
    bool required = false;    ///< else plain text is taken as well
    bool allow_1_2 = false;   ///< else TLS 1.3 alone

    friend bool operator==(const Tls&, const Tls&) = default;
  };
  Tls tls{};

  friend bool operator==(const Listener&, const Listener&) = default;
};

/// Durations of zero mean "never", sizes of zero "none", empty texts "none" or
/// "the default place".
struct Config {
  std::vector<Listener> listen{Listener{}};  ///< never empty, no two of them in conflict

  struct Session {
    std::string greeting;
    std::string farewell;
    std::size_t max_message = 8UL * 1024;
    Duration settle{50};
    Duration original_hold{10'000};
    Duration bye_grace{30'000};
    Duration answer_timeout{600'000};
    Duration idle_timeout{0};

    friend bool operator==(const Session&, const Session&) = default;
  } session;

  struct Limits {
    std::size_t sessions = 10'000;
    std::size_t sessions_per_address = 64;
    double connects_per_second = 20;                   ///< of one origin; 0: no limit
    std::size_t bytes_per_second = 4UL * 1024 * 1024;  ///< of one origin; 0: no limit
    std::size_t memory = 256UL * 1024 * 1024;          ///< for clients; 0: no limit
    double messages_per_second = 50;
    std::size_t messages_burst = 200;
    std::size_t output_soft = 64UL * 1024;  ///< at most output_hard
    std::size_t output_hard = 256UL * 1024;

    friend bool operator==(const Limits&, const Limits&) = default;
  } limits;

  /// The visitor's page.
  struct Web {
    std::string title;     ///< empty: the page's own
    std::string accent;    ///< "#rgb" or "#rrggbb"; empty: the page's own
    std::string language;  ///< of the page or of `texts`; empty: the browser's
    bool sound = true;     ///< whether the page's switch is on to begin with
    /// Texts in place of the page's: by their language, by their name. No language is empty.
    std::map<std::string, std::map<std::string, std::string>> texts;
    std::vector<http::WebOrigin> origins;  ///< whose pages may have this one in them
    std::vector<http::Site> hosts;         ///< under which this daemon is asked for; empty: any
    Duration resume{600'000};              ///< zero: a page that goes is gone
    bool show_operator = false;

    friend bool operator==(const Web&, const Web&) = default;
  } web;

  struct Control {
    std::string path;   ///< empty: default_control_path()
    std::string group;  ///< empty: none
    std::size_t max_operators = 32;

    friend bool operator==(const Control&, const Control&) = default;
  } control;

  struct Console {
    Timestamps timestamps = Timestamps::kTime;
    std::size_t history = 1000;  ///< lines
    Bell bell = Bell::kFirst;
    std::vector<std::string> highlight;  ///< words, none of them empty
    bool claim_on_answer = false;

    friend bool operator==(const Console&, const Console&) = default;
  } console;

  struct Transcript {
    bool enabled = true;
    std::string path;
    Duration keep{std::chrono::hours{24 * 30}};
    std::size_t max_size = 4UL * 1024 * 1024 * 1024;
    std::size_t keep_free = 5;  ///< percent of the file system

    friend bool operator==(const Transcript&, const Transcript&) = default;
  } transcript;

  struct Log {
    LogLevel level = LogLevel::kInfo;
    LogTarget target = LogTarget::kAuto;
    std::string file;  ///< not empty if target is kFile

    friend bool operator==(const Log&, const Log&) = default;
  } log;

  struct Service {
    Duration stop_grace{5'000};
    bool seccomp = true;

    friend bool operator==(const Service&, const Service&) = default;
  } service;

  /// What operators can say by a short name: the text by the name.
  std::map<std::string, std::string> replies;
  /// What clients are called: the name by where they come from, as origin_key() writes it.
  std::map<std::string, std::string> names;

  friend bool operator==(const Config&, const Config&) = default;
};

/// The part that core acts on.
[[nodiscard]] core::Settings core_settings(const Config& config);

/// The output limits of one client's stream; without a soft limit only the hard
/// one is ever reached.
[[nodiscard]] io::StreamLimits stream_limits(const Config& config);

/// Where each value comes from: "session.settle" -> "/etc/chatd/chatd.toml:12",
/// "environment CHATD_SESSION_SETTLE", "flag --listen". The keys of listener N
/// (from 0) are "listen.N.port", ..., those of its further certificates
/// "listen.N.certificate.M.tls_key", ..., those of a table "names.192.0.2.7", "web.texts.de.title",
/// ... A key that is missing here has its default.
using Origins = std::map<std::string, std::string>;

/// TOML that loads again to the same Config, each value with a comment that names
/// its origin.
[[nodiscard]] std::string print_config(const Config& config, const Origins& origins);

/// The keys that a reload changes, as in "session.settle"; "listen", "web.texts", "replies" and
/// "names" stand for any change of what is in them. The two lists have no key in common.
struct ConfigChange {
  std::vector<std::string> changed;        ///< in force at once
  std::vector<std::string> needs_restart;  ///< different, but only a restart applies them

  friend bool operator==(const ConfigChange&, const ConfigChange&) = default;
};

[[nodiscard]] ConfigChange diff(const Config& running, const Config& loaded);

/// The Config in force after a reload: `loaded`, but with the running values of
/// the keys that need a restart.
[[nodiscard]] Config after_reload(const Config& running, const Config& loaded);

}  // namespace chatd
