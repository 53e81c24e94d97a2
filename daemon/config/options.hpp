/// chatd's command line, and the only user of CLI11. It knows neither files nor the
/// environment: whoever uses a file that an option names finds out whether it exists.
/// Invariant: wrong usage is one line that says what would be right, and exit code 2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/endpoint.hpp"

namespace chatd {

enum class ConsoleMode : std::uint8_t { kAuto, kOn, kOff };
enum class ColorMode : std::uint8_t { kAuto, kOn, kOff };

struct Options {
  std::optional<std::string> config;  ///< --config
  std::vector<io::Endpoint> listen;   ///< --listen; no two of them in conflict
  ConsoleMode console = ConsoleMode::kAuto;
  ColorMode color = ColorMode::kAuto;
  bool check_config = false;
  bool print_config = false;
  std::vector<std::string> make_certificate;  ///< --make-certificate: its hosts, as written
  std::string into;                           ///< --into: a folder; empty: the current one
};

/// The program ends before it began: after --help, --version or wrong usage.
struct EarlyExit {
  int code = 0;
  std::string out;  ///< for standard output, whole lines
  std::string err;  ///< for standard error, whole lines
};

/// Reads main()'s arguments, the program's name first.
[[nodiscard]] std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv);

}  // namespace chatd
