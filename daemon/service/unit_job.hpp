/// Why the service manager ends this process: only the manager knows, and it is asked over
/// the system bus. libsystemd is used here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "base/time.hpp"
#include "io/async.hpp"
#include "io/loop.hpp"

namespace chatd::service {

enum class Job : std::uint8_t {
  kRestart,  ///< the unit is started again at once
  kOther,    ///< it is not
  kUnknown,  ///< the bus cannot be reached, or does not answer in time
};

/// The job that the manager runs on this process's unit. Waits at most `patience`; a healthy
/// manager answers within milliseconds.
[[nodiscard]] Job ask_for_job(Duration patience);

/// The same on a thread of its own: the loop serves meanwhile.
class JobQuestion {
 public:
  /// `answer` is called on the loop's thread, once, unless this is gone by then.
  JobQuestion(io::Loop& loop, Duration patience, std::function<void(Job)> answer);
  /// Waits until it is answered.
  ~JobQuestion();
  JobQuestion(const JobQuestion&) = delete;
  JobQuestion& operator=(const JobQuestion&) = delete;

 private:
  std::atomic<Job> job_{Job::kUnknown};
  io::Async answered_;
  std::thread asks_;
};

}  // namespace chatd::service
