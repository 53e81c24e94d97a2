/// A program that is run to its end. Its standard output and error go to one
/// descriptor, its standard input is /dev/null.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/handle.hpp"
#include "io/loop.hpp"

namespace chatd::io {

class Process {
 public:
  /// -1 if it ended by a signal.
  using EndCallback = std::function<void(int exit_code)>;

  /// `arguments` begin with its name. `output` stays the caller's.
  static Result<std::unique_ptr<Process>> run(Loop& loop, const std::string& program,
                                              const std::vector<std::string>& arguments, int output,
                                              EndCallback on_end);
  /// A process that still runs is killed; nothing is called any more. Not allowed inside the
  /// callback.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill();

 private:
  struct Node;
  Process() = default;

  Handle<Node> node_;
};

}  // namespace chatd::io
