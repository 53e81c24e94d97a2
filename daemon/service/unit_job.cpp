#include "service/unit_job.hpp"

#include <poll.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/signals_blocked.hpp"

namespace chatd::service {

namespace {

constexpr const char* kSystemd = "org.freedesktop.systemd1";

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

/// Calls that are answered in time or not at all. sd_bus_call() is not used: it waits a
/// minute and a half for a bus that does not say who it is.
class Bus {
 public:
  explicit Bus(Duration patience) : deadline_{Steady::now() + patience} {
    sd_bus* bus = nullptr;
    if (sd_bus_open_system(&bus) >= 0) bus_.reset(bus);
  }

  /// Null if there was no good answer.
  template <class... Arguments>
  Message call(const char* path, const char* interface, const char* member, const char* types,
               Arguments... arguments) {
    if (!bus_) return {};
    Answer answer;
    sd_bus_slot* slot = nullptr;
    if (sd_bus_call_method_async(bus_.get(), &slot, kSystemd, path, interface, member, on_answer,
                                 &answer, types, arguments...) < 0) {
      return {};
    }
    while (!answer.came && step()) {
    }
    sd_bus_slot_unref(slot);
    return std::move(answer.message);
  }

  Message property(const char* path, const char* interface, const char* name, const char* type) {
    auto answer = call(path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
    if (answer && sd_bus_message_enter_container(answer.get(), 'v', type) > 0) return answer;
    return {};
  }

 private:
  using Steady = std::chrono::steady_clock;
  struct Answer {
    Message message;
    bool came = false;
  };

  static int on_answer(sd_bus_message* message, void* data, sd_bus_error*) {
    auto* answer = static_cast<Answer*>(data);
    answer->came = true;
    if (sd_bus_message_is_method_error(message, nullptr) == 0) {
      answer->message.reset(sd_bus_message_ref(message));
    }
    return 1;
  }

  bool step() {
    const int done = sd_bus_process(bus_.get(), nullptr);
    if (done != 0) return done > 0;
    const auto left = std::chrono::ceil<Duration>(deadline_ - Steady::now());
    const int events = sd_bus_get_events(bus_.get());
    if (left <= Duration{0} || events < 0) return false;
    pollfd wait{sd_bus_get_fd(bus_.get()), static_cast<short>(events), 0};
    return ::poll(&wait, 1, static_cast<int>(left.count())) >= 0 || errno == EINTR;
  }

  Steady::time_point deadline_;
  std::unique_ptr<sd_bus, CloseBus> bus_;
};

}  // namespace

Job ask_for_job(Duration patience) {
  Bus bus{patience};
  // 0: whoever asks.
  const auto found = bus.call("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                              "GetUnitByPID", "u", 0U);
  const char* unit = nullptr;
  if (!found || sd_bus_message_read(found.get(), "o", &unit) <= 0) return Job::kUnknown;
  const auto job = bus.property(unit, "org.freedesktop.systemd1.Unit", "Job", "(uo)");
  std::uint32_t number = 0;
  const char* path = nullptr;
  if (!job || sd_bus_message_read(job.get(), "(uo)", &number, &path) <= 0) return Job::kUnknown;
  if (number == 0) return Job::kOther;  // somebody has sent a signal, and that is all
  const auto kind = bus.property(path, "org.freedesktop.systemd1.Job", "JobType", "s");
  const char* name = nullptr;
  if (!kind || sd_bus_message_read(kind.get(), "s", &name) <= 0) return Job::kUnknown;
  const std::string_view type{name};
  return type == "restart" || type == "try-restart" ? Job::kRestart : Job::kOther;
}

JobQuestion::JobQuestion(io::Loop& loop, Duration patience, std::function<void(Job)> answer)
    : answered_{loop, [this, answer = std::move(answer)] {
                  if (asks_.joinable()) asks_.join();  // it has nothing left to do
                  answer(job_);
                }} {
  const SignalsBlocked blocked;
  try {
    asks_ = std::thread{[this, patience] {
      job_ = ask_for_job(patience);
      answered_.wake();
    }};
  } catch (const std::system_error&) {
    answered_.wake();  // there can be no thread: the job stays unknown
  }
}

JobQuestion::~JobQuestion() {
  if (asks_.joinable()) asks_.join();
}

}  // namespace chatd::service
