#include "console/interactive.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "io/descriptor.hpp"

namespace chatd::console {

bool can_be_interactive(int input, int output) {
  return io::kind_of(input) == io::DescriptorKind::kTerminal &&
         io::kind_of(output) == io::DescriptorKind::kTerminal && !io::in_background(input);
}

bool wants_color(ColorChoice choice, int output) {
  if (choice != ColorChoice::kAuto) return choice == ColorChoice::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term == nullptr || std::string_view{term} == "dumb") return false;
  return ::isatty(output) == 1;
}

bool has_many_colors() {
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view{term}.find("256color") != std::string_view::npos;
}

}  // namespace chatd::console
