#include "io/process.hpp"

#include <unistd.h>

#include <array>
#include <cassert>
#include <csignal>
#include <utility>

namespace chatd::io {

struct Process::Node : uv_process_t {
  EndCallback on_end;
  bool running = true;
  bool calling = false;
};

Result<std::unique_ptr<Process>> Process::run(Loop& loop, const std::string& program,
                                              const Gets& gets, EndCallback on_end) {
  std::vector<char*> arguments;
  for (const auto& each : gets.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** each = environ; *each != nullptr; ++each) variables.push_back(*each);
  variables.push_back(const_cast<char*>(gets.variable.c_str()));
  variables.push_back(nullptr);
  const std::array<int, kThird + 1> descriptors{-1, gets.output, gets.output, gets.third};
  std::array<uv_stdio_container_t, kThird + 1> stdio{};
  for (std::size_t i = 0; i < stdio.size(); ++i) {
    stdio[i].flags = descriptors[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
    stdio[i].data.fd = descriptors[i];
  }
  uv_process_options_t options{};
  options.file = program.c_str();
  options.args = arguments.data();
  options.env = variables.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.stdio = stdio.data();
  options.exit_cb = [](uv_process_t* handle, std::int64_t exit_code, int signal) {
    auto* node = static_cast<Node*>(handle);
    node->running = false;
    if (!node->on_end) return;
    node->calling = true;
    node->on_end(signal != 0 ? -1 : static_cast<int>(exit_code));
    node->calling = false;
  };
  // Unlike every other handle this one is open, and to be closed, when it failed, too.
  std::unique_ptr<Process> process{new Process};
  process->node_ = Handle<Node>{new Node};
  process->node_->on_end = std::move(on_end);
  const int status = uv_spawn(loop.raw(), process->node_.get(), &options);
  if (status == 0) return process;
  process->node_->running = false;
  return Error::from_errno("run " + program, -status);
}

Process::~Process() {
  assert(!node_->calling);
  kill();
  node_->on_end = nullptr;
}

void Process::kill() {
  if (node_->running) uv_process_kill(node_.get(), SIGKILL);
}

}  // namespace chatd::io
