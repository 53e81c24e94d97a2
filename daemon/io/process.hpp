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

  /// What the program gets. The descriptors stay the caller's.
  struct Gets {
    std::vector<std::string> arguments;  ///< its name first
    int output;
    int third;             ///< one more, which it knows as kThird
    std::string variable;  ///< "NAME=VALUE", beside the environment of this process
  };
  static constexpr int kThird = 3;

  static Result<std::unique_ptr<Process>> run(Loop& loop, const std::string& program,
                                              const Gets& gets, EndCallback on_end);
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
