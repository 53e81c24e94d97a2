#include "process/successor_check.hpp"

#include <sys/mman.h>

#include <cassert>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "service/handover.hpp"

namespace chatd {

namespace {

constexpr Duration kLimit{10'000};
/// The bytes of the program's output that are passed on.
constexpr std::size_t kComplaint = 2000;

}  // namespace

SuccessorCheck::SuccessorCheck(io::Loop& loop, const service::Program& program,
                               std::function<void(Result<>)> done)
    : loop_{loop},
      program_{program},
      done_{std::move(done)},
      limit_{loop,
             [this] {
               if (process_) process_->kill();
             }},
      ended_{loop, [this] { ended(); }} {}

Result<> SuccessorCheck::start(const std::string& config) {
  assert(!is_under_way());
  output_ = UniqueFd{::memfd_create("chatd-check", MFD_CLOEXEC)};
  auto file = service::make_memory_file(config);
  if (!file) return std::move(file.error());
  io::Process::Gets gets{program_.arguments, output_.get(), file->get(),
                         service::checked_config_variable(io::Process::kThird)};
  gets.arguments.emplace_back("--check-config");
  auto process = io::Process::run(loop_, program_.path, gets, [this](int exit_code) {
    exit_code_ = exit_code;
    ended_.start(Duration{0});
  });
  if (!process) return std::move(process.error());
  process_ = std::move(*process);
  limit_.start(kLimit);
  return {};
}

void SuccessorCheck::ended() {
  limit_.stop();
  process_.reset();
  auto said = service::read_once(std::exchange(output_, {}).get());
  if (exit_code_ == 0) {
    done_({});
    return;
  }
  std::string complaint = said ? said->substr(0, kComplaint) : "";
  while (complaint.ends_with('\n')) complaint.pop_back();
  std::string why = program_.path + " --check-config ";
  why += exit_code_ < 0 ? "was killed" : "ended with " + std::to_string(exit_code_);
  if (!complaint.empty()) why += ": " + escaped(complaint);
  done_(Error{std::move(why)});
}

}  // namespace chatd
