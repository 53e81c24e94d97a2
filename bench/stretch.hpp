/// The part of a run that is measured, from when all is set up to when all has come.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "latency.hpp"

namespace chatd::bench {

class Stretch {
 public:
  /// Measures the server whose process is `pid`. With `hold` this tells the program that runs
  /// it when the part begins and ends, and waits for that program.
  Stretch(pid_t pid, bool hold) : pid_{pid}, hold_{hold} {}

  /// With `hold`, prints `word` on a line of its own and waits for a line.
  void hold(const char* word) const;
  void begin();
  /// Prints what each of `units` has cost, as a line of JSON.
  void end(std::uint64_t units, Latency& latency) const;

 private:
  pid_t pid_;
  bool hold_;
  std::uint64_t began_ns_ = 0;
  std::uint64_t began_cpu_ns_ = 0;
};

}  // namespace chatd::bench
