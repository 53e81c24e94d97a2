/// The one table of configuration keys. Loading, the environment, --print-config and
/// reload all use it, so a key that is added here is complete. It knows the fields of
/// Config, but neither files nor the grammar of TOML.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace chatd {

/// A key's value, whatever the key: durations in ms, sizes in bytes, choices as
/// the index of their word.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// The name of a key, the values that it may hold, and how they are written.
struct KeyRule {
  enum class Kind : std::uint8_t {
    kSwitch,
    kCount,
    kRate,
    kDuration,
    kSize,
    kChoice,
    kText,
    kWords
  };

  std::string_view section = {};
  std::string_view name = {};
  Kind kind = Kind::kText;
  bool reloadable = false;
  double min = 0;                                ///< of numbers, durations (ms), sizes (bytes)
  double max = 0;                                ///< of words: how many there may be
  bool or_zero = false;                          ///< zero is allowed besides min to max
  std::string_view reason = {};                  ///< why not less, or not more; may be empty
  std::span<const std::string_view> words = {};  ///< of a choice
  std::string_view example = {};                 ///< of words: a list that would be right
  /// Of a text, and of each of words: says what is wrong with it and what would be right, or
  /// nothing.
  std::string (*check)(std::string_view text) = nullptr;

  /// "session.settle".
  [[nodiscard]] std::string path() const;
  /// "CHATD_SESSION_SETTLE".
  [[nodiscard]] std::string variable() const;
};

template <class Owner>
struct ConfigKey : KeyRule {
  ConfigValue (*get)(const Owner&) = nullptr;
  void (*set)(Owner&, ConfigValue) = nullptr;
};

/// A section whose keys are free, each with a text. It has no variables, and a reload always
/// applies it.
struct ConfigTable {
  std::string_view section = {};
  std::size_t most = 0;  ///< keys
  /// The one way in which a key is written. Errors: it cannot be one, as a sentence
  /// about it.
  Result<std::string> (*key)(std::string_view written) = nullptr;
  bool key_is_bare = false;  ///< TOML wants no quotation marks around it
  /// As KeyRule::check, of the text of a key; none is empty.
  std::string (*check)(std::string_view text) = nullptr;
  std::map<std::string, std::string> Config::*texts = nullptr;  ///< null of web_texts_table()
};

/// All keys that have a name of their own outside [[listen]], those of one section together, in the
/// order of chatd.toml.
[[nodiscard]] std::span<const ConfigKey<Config>> config_keys();

/// The keys of one [[listen]].
[[nodiscard]] std::span<const ConfigKey<Listener>> listener_keys();

/// The keys of one [[listen.certificate]], of which there may be kMostCertificates.
[[nodiscard]] std::span<const ConfigKey<Listener::Tls::Pair>> certificate_keys();
inline constexpr std::size_t kMostCertificates = 64;

/// The sections whose keys are free.
[[nodiscard]] std::span<const ConfigTable> config_tables();

/// One [web.texts.LANGUAGE], of which there may be kMostLanguages; its texts are in
/// Config::web.texts.
[[nodiscard]] const ConfigTable& web_texts_table();
inline constexpr std::size_t kMostLanguages = 64;

/// The table of that name; null if there is none.
[[nodiscard]] const ConfigTable* find_table(std::string_view section);

/// Every section's name, "listen" and the tables among them.
[[nodiscard]] std::span<const std::string_view> section_names();

}  // namespace chatd
