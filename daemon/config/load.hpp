/// From the command line, the environment and the file to one Config, or to every
/// fault there is. Binds nothing and changes nothing; a reload calls it again with
/// the same ConfigSources. Invariant: all or nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/fault.hpp"

namespace chatd {

/// The value of an environment variable; nothing if it is unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
[[nodiscard]] Environment process_environment();

struct ConfigSources {
  std::optional<std::string> file;   ///< --config
  std::vector<io::Endpoint> listen;  ///< --listen; replaces every other listener
  Environment environment = process_environment();
  /// Read if neither `file` nor $CHATD_CONFIG names one, and if it exists.
  std::string default_file = "/etc/chatd/chatd.toml";
};

/// The configuration file as it was at one moment.
struct ConfigFile {
  std::string path;  ///< empty: there is none
  std::string text;

  /// For another process.
  [[nodiscard]] std::string write() const;
  /// Nothing if `bytes` are not what write() makes.
  [[nodiscard]] static std::optional<ConfigFile> read(std::string_view bytes);
};

struct LoadedConfig {
  Config config;
  Origins origins;
  std::string file;  ///< the one that was read; empty if there was none
};

/// Precedence: --listen, CHATD_* variables, the file, built-in defaults. CHATD_LISTEN is
/// a list of ADDR:PORT with commas. A value that another source overrides is checked, too.
/// Errors: every fault, in the order of the file, then those of the environment.
Result<LoadedConfig, Faults> load_config(const ConfigSources& sources);
/// The same with `file` as the file that `sources` name, which is not looked at.
Result<LoadedConfig, Faults> load_config(const ConfigSources& sources, const ConfigFile& file);

/// The file that `sources` name, at most kMaxTomlBytes of it. Never waits. Errors: it is there
/// and cannot be read.
Result<ConfigFile, Fault> read_config_file(const ConfigSources& sources);

}  // namespace chatd
