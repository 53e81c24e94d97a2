#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "config/checks.hpp"
#include "config/spelled.hpp"

namespace chatd {

namespace {

using enum KeyRule::Kind;

/// The last of them is no dialect of core, but Listener::Web::kOnly.
constexpr std::array<std::string_view, 6> kDialects{"auto",   "original", "line",
                                                    "telnet", "raw",      "web"};
constexpr std::int64_t kWebDialect = kDialects.size() - 1;
constexpr std::array<std::string_view, 2> kTls{"optional", "required"};
constexpr std::array<std::string_view, 2> kTlsMinimum{"1.3", "1.2"};
constexpr std::array<std::string_view, 3> kTimestamps{"none", "time", "datetime"};
constexpr std::array<std::string_view, 3> kBells{"none", "first", "all"};
constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kTargets{"auto", "stderr", "journal", "file"};
constexpr std::array<std::string_view, 11> kSections{"listen",     "session", "limits",  "web",
                                                     "control",    "console", "replies", "names",
                                                     "transcript", "log",     "service"};

constexpr double kSecond = 1000;
constexpr double kDay = 86'400 * kSecond;
constexpr double kKiB = 1024;
constexpr double kMiB = kKiB * kKiB;
constexpr double kGiB = kKiB * kMiB;
constexpr double kMillion = 1'000'000;

/// Whether a field is a list of values that have a spelling.
template <class Field>
constexpr bool kIsSpelled = false;
template <class Value>
constexpr bool kIsSpelled<std::vector<Value>> = !std::is_same_v<Value, std::string>;

/// Makes a key of two functions.
template <class Owner>
constexpr ConfigKey<Owner> key_of(KeyRule rule, ConfigValue (*get)(const Owner&),
                                  void (*set)(Owner&, ConfigValue)) {
  ConfigKey<Owner> made;
  static_cast<KeyRule&>(made) = rule;
  made.get = get;
  made.set = set;
  return made;
}

/// Makes a key of the field that a chain of members leads to.
template <class Owner, auto... kMembers>
constexpr ConfigKey<Owner> key(KeyRule rule) {
  ConfigKey<Owner> made;
  static_cast<KeyRule&>(made) = rule;
  made.get = [](const Owner& owner) -> ConfigValue {
    const auto& field = (owner.*....*kMembers);
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, Duration>) {
      return static_cast<std::int64_t>(field.count());
    } else if constexpr (kIsSpelled<Field>) {
      std::vector<std::string> words;
      for (const auto& each : field) words.push_back(spelled(each));
      return words;
    } else if constexpr (std::is_enum_v<Field> ||
                         (std::is_integral_v<Field> && !std::is_same_v<Field, bool>)) {
      return static_cast<std::int64_t>(field);
    } else {
      return field;
    }
  };
  made.set = [](Owner& owner, ConfigValue value) {
    auto& field = (owner.*....*kMembers);
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, Duration>) {
      field = Duration{std::get<std::int64_t>(value)};
    } else if constexpr (kIsSpelled<Field>) {
      field.clear();
      for (const auto& word : std::get<std::vector<std::string>>(value)) {
        field.push_back(*read_spelled<typename Field::value_type>(word));  // checked by the rule
      }
    } else if constexpr (std::is_enum_v<Field> ||
                         (std::is_integral_v<Field> && !std::is_same_v<Field, bool>)) {
      field = static_cast<Field>(std::get<std::int64_t>(value));
    } else {
      field = std::get<Field>(std::move(value));
    }
  };
  return made;
}

template <auto... kMembers>
constexpr ConfigKey<Config> global(KeyRule rule) {
  return key<Config, kMembers...>(rule);
}

template <auto kMember>
constexpr ConfigKey<Config> session(KeyRule rule) {
  rule.section = "session";
  rule.reloadable = true;
  return global<&Config::session, kMember>(rule);
}

template <auto kMember>
constexpr ConfigKey<Config> limits(KeyRule rule) {
  rule.section = "limits";
  rule.reloadable = true;
  return global<&Config::limits, kMember>(rule);
}

template <auto kMember>
constexpr ConfigKey<Config> web(KeyRule rule) {
  rule.section = "web";
  rule.reloadable = true;
  return global<&Config::web, kMember>(rule);
}

template <auto... kMembers>
constexpr ConfigKey<Listener> listen(KeyRule rule) {
  rule.section = "listen";
  rule.reloadable = true;
  return key<Listener, kMembers...>(rule);
}

constexpr ConfigKey<Listener> listen_of(KeyRule rule, ConfigValue (*get)(const Listener&),
                                        void (*set)(Listener&, ConfigValue)) {
  rule.section = "listen";
  rule.reloadable = true;
  return key_of<Listener>(rule, get, set);
}

/// A choice between two, of which the second one is a member of Tls that is true.
template <auto kMember>
constexpr ConfigKey<Listener> tls_choice(KeyRule rule) {
  rule.kind = kChoice;
  return listen_of(
      rule,
      [](const Listener& listener) -> ConfigValue {
        return static_cast<std::int64_t>(listener.tls.*kMember);
      },
      [](Listener& listener, ConfigValue value) {
        listener.tls.*kMember = std::get<std::int64_t>(value) != 0;
      });
}

/// One path of the first pair, which is there if one of them is set.
template <auto kMember>
constexpr ConfigKey<Listener> first_pair(KeyRule rule) {
  rule.check = check_file_path;
  return listen_of(
      rule,
      [](const Listener& listener) -> ConfigValue {
        const auto& pairs = listener.tls.pairs;
        return pairs.empty() ? std::string{} : pairs.front().*kMember;
      },
      [](Listener& listener, ConfigValue value) {
        auto& pairs = listener.tls.pairs;
        auto path = std::get<std::string>(std::move(value));
        if (pairs.empty() && path.empty()) return;
        if (pairs.empty()) pairs.emplace_back();
        pairs.front().*kMember = std::move(path);
      });
}

constexpr std::array kConfigKeys{
    session<&Config::Session::greeting>({.name = "greeting", .check = check_spoken}),
    session<&Config::Session::farewell>({.name = "farewell", .check = check_spoken}),
    session<&Config::Session::max_message>(
        {.name = "max_message",
         .kind = kSize,
         .min = 4,
         .max = 128 * kKiB,
         .reason = "a character takes up to 4B, and a message, escaped as JSON, has to fit into a "
                   "line of the control protocol"}),
    session<&Config::Session::settle>(
        {.name = "settle",
         .kind = kDuration,
         .min = 1,
         .max = 10 * kSecond,
         .reason = "an original client is heard only after this time"}),
    session<&Config::Session::original_hold>(
        {.name = "original_hold", .kind = kDuration, .min = 1, .max = 365 * kDay, .or_zero = true}),
    session<&Config::Session::bye_grace>(
        {.name = "bye_grace", .kind = kDuration, .min = 1, .max = 365 * kDay, .or_zero = true}),
    session<&Config::Session::answer_timeout>({.name = "answer_timeout",
                                               .kind = kDuration,
                                               .min = 1,
                                               .max = 365 * kDay,
                                               .or_zero = true}),
    session<&Config::Session::idle_timeout>(
        {.name = "idle_timeout", .kind = kDuration, .min = 1, .max = 365 * kDay, .or_zero = true}),

    limits<&Config::Limits::sessions>(
        {.name = "sessions", .kind = kCount, .min = 1, .max = kMillion}),
    limits<&Config::Limits::sessions_per_address>({.name = "sessions_per_address",
                                                   .kind = kCount,
                                                   .min = 1,
                                                   .max = kMillion,
                                                   .or_zero = true}),
    limits<&Config::Limits::connects_per_second>({.name = "connects_per_second",
                                                  .kind = kRate,
                                                  .min = 0.1,
                                                  .max = kMillion,
                                                  .or_zero = true}),
    limits<&Config::Limits::bytes_per_second>(
        {.name = "bytes_per_second", .kind = kSize, .min = kKiB, .max = kGiB, .or_zero = true}),
    limits<&Config::Limits::memory>({.name = "memory",
                                     .kind = kSize,
                                     .min = 16 * kKiB * kKiB,
                                     .max = 1024 * kGiB,
                                     .or_zero = true}),
    limits<&Config::Limits::messages_per_second>(
        {.name = "messages_per_second", .kind = kRate, .min = 0.1, .max = kMillion}),
    limits<&Config::Limits::messages_burst>(
        {.name = "messages_burst", .kind = kCount, .min = 1, .max = kMillion}),
    limits<&Config::Limits::output_soft>(
        {.name = "output_soft", .kind = kSize, .min = kKiB, .max = kGiB, .or_zero = true}),
    limits<&Config::Limits::output_hard>(
        {.name = "output_hard",
         .kind = kSize,
         .min = 4 * kKiB,
         .max = kGiB,
         .reason = "without a bound one slow client could take all memory"}),

    web<&Config::Web::title>({.name = "title", .check = check_web_title}),
    web<&Config::Web::accent>({.name = "accent", .check = check_color}),
    web<&Config::Web::language>({.name = "language", .check = check_language}),
    web<&Config::Web::sound>({.name = "sound", .kind = kSwitch}),
    web<&Config::Web::origins>({.name = "origins",
                                .kind = kWords,
                                .max = 64,
                                .example = R"(["https://example.org"])",
                                .check = check_origin}),
    web<&Config::Web::hosts>({.name = "hosts",
                              .kind = kWords,
                              .max = 64,
                              .example = R"(["chat.example.org"])",
                              .check = check_host}),
    web<&Config::Web::resume>(
        {.name = "resume", .kind = kDuration, .min = 1, .max = kDay, .or_zero = true}),
    web<&Config::Web::show_operator>({.name = "show_operator", .kind = kSwitch}),

    global<&Config::control, &Config::Control::path>(
        {.section = "control", .name = "path", .check = check_socket_path}),
    global<&Config::control, &Config::Control::group>(
        {.section = "control", .name = "group", .reloadable = true, .check = check_group}),
    global<&Config::control, &Config::Control::max_operators>(
        {.section = "control",
         .name = "max_operators",
         .kind = kCount,
         .reloadable = true,
         .min = 1,
         .max = 1024,
         .reason = "up to 1MiB may wait for each of them"}),

    global<&Config::console, &Config::Console::timestamps>({.section = "console",
                                                            .name = "timestamps",
                                                            .kind = kChoice,
                                                            .reloadable = true,
                                                            .words = kTimestamps}),
    global<&Config::console, &Config::Console::history>(
        {.section = "console", .name = "history", .kind = kCount, .max = kMillion}),
    global<&Config::console, &Config::Console::bell>({.section = "console",
                                                      .name = "bell",
                                                      .kind = kChoice,
                                                      .reloadable = true,
                                                      .words = kBells}),
    global<&Config::console, &Config::Console::highlight>({.section = "console",
                                                           .name = "highlight",
                                                           .kind = kWords,
                                                           .reloadable = true,
                                                           .max = 64,
                                                           .example = R"(["help", "urgent"])",
                                                           .check = check_highlight}),
    global<&Config::console, &Config::Console::claim_on_answer>(
        {.section = "console", .name = "claim_on_answer", .kind = kSwitch, .reloadable = true}),

    global<&Config::transcript, &Config::Transcript::enabled>(
        {.section = "transcript", .name = "enabled", .kind = kSwitch}),
    global<&Config::transcript, &Config::Transcript::path>(
        {.section = "transcript", .name = "path", .check = check_file_path}),
    global<&Config::transcript, &Config::Transcript::keep>({.section = "transcript",
                                                            .name = "keep",
                                                            .kind = kDuration,
                                                            .reloadable = true,
                                                            .min = 1,
                                                            .max = 36'500 * kDay,
                                                            .or_zero = true}),
    global<&Config::transcript, &Config::Transcript::max_size>({.section = "transcript",
                                                                .name = "max_size",
                                                                .kind = kSize,
                                                                .reloadable = true,
                                                                .min = kMiB,
                                                                .max = 1024 * 1024 * kGiB,
                                                                .or_zero = true}),
    global<&Config::transcript, &Config::Transcript::keep_free>(
        {.section = "transcript",
         .name = "keep_free",
         .kind = kCount,
         .reloadable = true,
         .max = 99,
         .reason = "it is percent of the file system"}),

    global<&Config::log, &Config::Log::level>(
        {.section = "log", .name = "level", .kind = kChoice, .reloadable = true, .words = kLevels}),
    global<&Config::log, &Config::Log::target>(
        {.section = "log", .name = "target", .kind = kChoice, .words = kTargets}),
    global<&Config::log, &Config::Log::file>(
        {.section = "log", .name = "file", .check = check_file_path}),

    global<&Config::service, &Config::Service::stop_grace>({.section = "service",
                                                            .name = "stop_grace",
                                                            .kind = kDuration,
                                                            .min = 1,
                                                            .max = 600 * kSecond,
                                                            .or_zero = true}),
    global<&Config::service, &Config::Service::seccomp>(
        {.section = "service", .name = "seccomp", .kind = kSwitch}),
};

constexpr std::array kListenerKeys{
    listen<&Listener::endpoint, &io::Endpoint::address>(
        {.name = "address", .check = check_address}),
    listen<&Listener::endpoint, &io::Endpoint::port>(
        {.name = "port", .kind = kCount, .max = 65'535}),
    listen_of(
        {.name = "dialect", .kind = kChoice, .words = kDialects},
        [](const Listener& listener) -> ConfigValue {
          return listener.web == Listener::Web::kOnly ? kWebDialect
                                                      : static_cast<std::int64_t>(listener.dialect);
        },
        [](Listener& listener, ConfigValue value) {
          const auto word = std::get<std::int64_t>(value);
          const bool is_web = word == kWebDialect;
          listener.dialect =
              is_web ? core::DialectSetting::kAuto : static_cast<core::DialectSetting>(word);
          if (is_web) listener.web = Listener::Web::kOnly;
        }),
    listen<&Listener::room>({.name = "room", .check = check_room}),
    listen_of(
        {.name = "web", .kind = kSwitch},
        [](const Listener& listener) -> ConfigValue { return listener.web != Listener::Web::kOff; },
        [](Listener& listener, ConfigValue value) {
          if (listener.web == Listener::Web::kOnly) return;  // of `dialect`
          listener.web = std::get<bool>(value) ? Listener::Web::kOn : Listener::Web::kOff;
        }),
    listen<&Listener::proxy_from>({.name = "proxy_from",
                                   .kind = kWords,
                                   .max = 256,
                                   .example = R"(["192.0.2.7", "2001:db8::/32"])",
                                   .check = check_proxy}),
    first_pair<&Listener::Tls::Pair::certificate>({.name = "tls_certificate"}),
    first_pair<&Listener::Tls::Pair::key>({.name = "tls_key"}),
    listen<&Listener::tls, &Listener::Tls::client_ca>(
        {.name = "tls_client_ca", .check = check_file_path}),
    tls_choice<&Listener::Tls::required>({.name = "tls", .words = kTls}),
    tls_choice<&Listener::Tls::allow_1_2>({.name = "tls_minimum", .words = kTlsMinimum}),
    listen<&Listener::backlog>({.name = "backlog", .kind = kCount, .min = 1, .max = 65'535}),
};

constexpr std::array kCertificateKeys{
    key<Listener::Tls::Pair, &Listener::Tls::Pair::certificate>(
        {.section = "listen.certificate", .name = "tls_certificate", .check = check_file_path}),
    key<Listener::Tls::Pair, &Listener::Tls::Pair::key>(
        {.section = "listen.certificate", .name = "tls_key", .check = check_file_path}),
};

constexpr std::array kTables{
    ConfigTable{"replies", 1000, reply_key, true, check_reply, &Config::replies},
    ConfigTable{"names", 10'000, origin_key, false, check_client_name, &Config::names},
};

/// As many keys as the page has texts.
constexpr ConfigTable kWebTexts{"web.texts", 1000, web_text_key, true, check_web_text};

}  // namespace

std::string KeyRule::path() const {
  return std::string{section} + '.' + std::string{name};
}

std::string KeyRule::variable() const {
  std::string made = "CHATD_" + std::string{section} + '_' + std::string{name};
  std::transform(made.begin(), made.end(), made.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return made;
}

std::span<const ConfigKey<Config>> config_keys() {
  return kConfigKeys;
}

std::span<const ConfigKey<Listener>> listener_keys() {
  return kListenerKeys;
}

std::span<const ConfigKey<Listener::Tls::Pair>> certificate_keys() {
  return kCertificateKeys;
}

const ConfigTable& web_texts_table() {
  return kWebTexts;
}

std::span<const ConfigTable> config_tables() {
  return kTables;
}

const ConfigTable* find_table(std::string_view section) {
  const auto found = std::find_if(kTables.begin(), kTables.end(), [section](const auto& table) {
    return table.section == section;
  });
  return found == kTables.end() ? nullptr : &*found;
}

std::span<const std::string_view> section_names() {
  return kSections;
}

}  // namespace chatd
