#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "config/checks.hpp"

namespace chatd {

namespace {

using enum KeyRule::Kind;

constexpr std::array<std::string_view, 5> kDialects{"auto", "original", "line", "telnet", "raw"};
constexpr std::array<std::string_view, 3> kTimestamps{"none", "time", "datetime"};
constexpr std::array<std::string_view, 3> kBells{"none", "first", "all"};
constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kTargets{"auto", "stderr", "journal", "file"};
constexpr std::array<std::string_view, 10> kSections{"listen",  "session", "limits", "control",
                                                     "console", "replies", "names",  "transcript",
                                                     "log",     "service"};

constexpr double kSecond = 1000;
constexpr double kDay = 86'400 * kSecond;
constexpr double kKiB = 1024;
constexpr double kMiB = kKiB * kKiB;
constexpr double kGiB = kKiB * kMiB;
constexpr double kMillion = 1'000'000;

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
    key<Listener, &Listener::endpoint, &io::Endpoint::address>(
        {.section = "listen", .name = "address", .reloadable = true, .check = check_address}),
    key<Listener, &Listener::endpoint, &io::Endpoint::port>(
        {.section = "listen", .name = "port", .kind = kCount, .reloadable = true, .max = 65'535}),
    key<Listener, &Listener::dialect>({.section = "listen",
                                       .name = "dialect",
                                       .kind = kChoice,
                                       .reloadable = true,
                                       .words = kDialects}),
    key<Listener, &Listener::room>(
        {.section = "listen", .name = "room", .reloadable = true, .check = check_room}),
    key<Listener, &Listener::backlog>({.section = "listen",
                                       .name = "backlog",
                                       .kind = kCount,
                                       .reloadable = true,
                                       .min = 1,
                                       .max = 65'535}),
};

constexpr std::array kTables{
    ConfigTable{"replies", 1000, reply_key, true, check_reply, &Config::replies},
    ConfigTable{"names", 10'000, network_key, false, check_client_name, &Config::names},
};

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
