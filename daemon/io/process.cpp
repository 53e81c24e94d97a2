#include "io/process.hpp"

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
                                              const std::vector<std::string>& arguments, int output,
                                              EndCallback on_end) {
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  std::array<uv_stdio_container_t, 3> standard{};
  standard[0].flags = UV_IGNORE;
  for (const std::size_t i : {1U, 2U}) {
    standard[i].flags = UV_INHERIT_FD;
    standard[i].data.fd = output;
  }
  uv_process_options_t options{};
  options.file = program.c_str();
  options.args = pointers.data();
  options.stdio_count = static_cast<int>(standard.size());
  options.stdio = standard.data();
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
