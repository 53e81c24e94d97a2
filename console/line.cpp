#include "console/line.hpp"

#include "base/rows.hpp"
#include "io/descriptor.hpp"

namespace chatd::console {

void put_line(std::FILE* to, std::string_view line, std::size_t hang) {
  std::string rows;
  append_rows(rows, line, {io::terminal_columns(::fileno(to)), hang, has_wide_letters()}, "\n");
  std::fwrite(rows.data(), 1, rows.size(), to);
}

}  // namespace chatd::console
