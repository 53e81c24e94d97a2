#include "console/plain.hpp"

#include <algorithm>
#include <utility>

#include "base/rows.hpp"

namespace chatd::console {
namespace {

// The same problem again within this time is only counted.
constexpr Duration kRepeatWindow{1000};

}  // namespace

Plain::Plain(io::Loop& loop, ScreenListener& listener, int input, int output, int errors)
    : listener_{listener},
      output_width_{output},
      errors_width_{errors},
      wide_letters_{has_wide_letters()},
      repeat_timer_{loop, [this] { count_repeats(); }},
      output_{loop, output, [this] { listener_.on_shown(false); },
              [this](int error) { listener_.on_output_gone(error); }},
      errors_{loop, errors, [] {}, [](int) {}},
      input_{loop, input,
             [this](std::string_view bytes) {
               pending_.append(bytes);
               give_lines();
             },
             [this](int) {
               at_end_ = true;
               give_lines();
             }} {
  input_.pause();
}

void Plain::print(std::string_view line, std::size_t hang) {
  std::string rows;
  append_rows(rows, line, {width(), hang, wide_letters_}, "\n");
  output_.write(rows);
}

std::size_t Plain::width() const {
  return output_width_.columns();
}

void Plain::print_problem(std::string_view line) {
  if (line == last_problem_) {
    ++repeats_;
    return;
  }
  count_repeats();
  last_problem_ = line;
  repeat_timer_.start(kRepeatWindow);
  write_problem(line);
}

void Plain::write_problem(std::string_view line) {
  // Whoever does not read the problems must not make the memory grow.
  if (errors_.queued_bytes() >= kFullBytes) return;
  std::string rows;
  append_rows(rows, line, {errors_width_.columns(), kUsualHang, wide_letters_}, "\n");
  errors_.write(rows);
}

void Plain::count_repeats() {
  last_problem_.clear();
  repeat_timer_.stop();
  if (repeats_ == 0) return;
  write_problem("(" + std::to_string(repeats_) + (repeats_ == 1 ? " time" : " times") + " more)");
  repeats_ = 0;
}

void Plain::hold_input(bool held) {
  held_ = held;
  if (held) {
    input_.pause();
  } else {
    give_lines();
    if (!held_) input_.resume();
  }
}

void Plain::give_lines() {
  // The listener may hold and release the input while it is given a line.
  if (std::exchange(giving_, true)) return;
  std::size_t begin = 0;
  while (!held_) {
    const std::size_t end = pending_.find('\n', std::max(begin, searched_));
    if (end == std::string::npos) break;
    std::string_view line = std::string_view{pending_}.substr(begin, end - begin);
    begin = searched_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(dropping_, false)) continue;
    if (line.size() > kMaxLine) {
      listener_.on_long_line();
    } else {
      listener_.on_line(line);
    }
  }
  pending_.erase(0, begin);
  searched_ = held_ ? 0 : pending_.size();
  if (!held_ && pending_.size() > kMaxLine) {
    if (!std::exchange(dropping_, true)) listener_.on_long_line();
    pending_.clear();
    searched_ = 0;
  }
  giving_ = false;
  if (!held_ && at_end_ && !ended_) give_end();
}

void Plain::give_end() {
  ended_ = true;
  const std::string last = std::exchange(pending_, {});
  if (!last.empty() && !dropping_) listener_.on_line(last);
  count_repeats();
  listener_.on_input_end();
}

}  // namespace chatd::console
