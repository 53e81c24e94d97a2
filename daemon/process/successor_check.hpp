/// Asks the program that would take over whether it accepts the configuration: it is run with
/// --check-config beside this process, and its output is kept for the case that it does not.
/// Knows nothing of handing over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "io/loop.hpp"
#include "io/process.hpp"
#include "io/timer.hpp"
#include "service/program.hpp"

namespace chatd {

class SuccessorCheck {
 public:
  /// `done` is called once for each start() that succeeded. The error says what was run, how
  /// it ended and what it said. `program` must outlive this.
  SuccessorCheck(io::Loop& loop, const service::Program& program,
                 std::function<void(Result<>)> done);

  /// Runs the program; after ten seconds it is killed. Only while none runs. It checks
  /// `config`, in its envelope, and not what the file holds by then.
  [[nodiscard]] Result<> start(const std::string& config);
  [[nodiscard]] bool is_under_way() const { return process_ != nullptr; }

 private:
  void ended();

  io::Loop& loop_;
  const service::Program& program_;
  std::function<void(Result<>)> done_;
  std::unique_ptr<io::Process> process_;
  UniqueFd output_;
  int exit_code_ = 0;
  io::Timer limit_;
  io::Timer ended_;  // a process may not be destroyed in its own callback
};

}  // namespace chatd
