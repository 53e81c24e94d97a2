/// What is measured: each workload sets up its clients, says that it is ready, does its
/// units of work and checks that nothing was lost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "way.hpp"

namespace chatd::bench {

struct Wish {
  std::string workload;
  std::uint16_t port = 0;
  pid_t pid = 0;        ///< the server
  std::string control;  ///< its control socket; if empty, the console's pipes are used:
  std::string console_input;
  std::string console_output;
  bool original = false;  ///< the dialect; else line
  Way way;
  std::uint32_t clients = 1;
  std::uint32_t in_flight = 1;  ///< units under way at once, or messages in one write
  std::uint32_t units = 1;      ///< deliveries, answers, messages, connections or handshakes
  bool hold =
      false;  ///< prints "ready" when all is set up and "done" at the end, and waits for a line
};

/// Runs the workload and prints the measurement as one JSON object.
void run(const Wish& wish);

}  // namespace chatd::bench
