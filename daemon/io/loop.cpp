#include "io/loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace chatd::io {
namespace {

/// Close callbacks may close further handles; each round closes one generation.
constexpr int kDrainRounds = 16;

/// libuv, which the loop itself watches.
constexpr std::size_t kOwnDescriptors = 1;
constexpr std::size_t kOwnWatchers = 1;

/// Descriptors that a loop and the signals need. Without them libuv aborts, and says nothing.
constexpr std::size_t kDescriptors = 8;

/// 0 if there are so many, else libuv's error.
int probe_descriptors() {
  std::array<int, kDescriptors> probes{};
  std::size_t count = 0;
  int status = 0;
  while (count < probes.size() && status == 0) {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      probes[count++] = fd;
    } else {
      status = -errno;
    }
  }
  while (count > 0) ::close(probes[--count]);
  return status == UV_EMFILE || status == UV_ENFILE ? status : 0;
}

}  // namespace

Loop::Loop() : Watcher{LoopParts::poller} {
  require(probe_descriptors(), "make an event loop");
  require(uv_loop_init(&loop_), "make an event loop");
  loop_.data = this;
  int status = 0;
  keeper_ =
      make_handle<uv_prepare_t>([this](auto* h) { return uv_prepare_init(&loop_, h); }, status);
  require(status, "make a prepare handle");
  require(uv_prepare_start(keeper_.get(), [](uv_prepare_t*) {}), "start a prepare handle");
  require(-watch(uv_backend_fd(&loop_), {}, watching_libuv_, kReadable), "watch libuv");
}

Loop::~Loop() {
  lifelong_.clear();
  keeper_.reset();
  (void)watch(uv_backend_fd(&loop_), {}, watching_libuv_, kNothing);
  for (int round = 0; round < kDrainRounds; ++round) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    if (uv_loop_close(&loop_) == 0) break;
    if (round < kDrainRounds - 1) continue;
    // More than an assert would say: which handles they are. Each is a use after free to come.
    std::fputs("chatd: the event loop ends with open handles:\n", stderr);
    uv_print_all_handles(&loop_, stderr);
    std::abort();
  }
  if (poller().watchers() > kOwnWatchers) {
    std::fputs("chatd: the event loop ends while somebody watches a descriptor\n", stderr);
    std::abort();
  }
}

void Loop::run() {
  stopping_ = false;
  // What has come is heard before what is due, in the first turn as well: who has spoken is not
  // silent. Another process may have left much of both.
  again_ = true;
  for (;;) {
    wait();
    if (libuv_is_due_ || uv_backend_timeout(&loop_) == 0) {
      libuv_is_due_ = false;
      uv_run(&loop_, UV_RUN_NOWAIT);
    }
    end_turn();
    if (stopping_ || !(again_ || is_alive())) return;
  }
}

void Loop::stop() {
  stopping_ = true;
}

Time Loop::now() const {
  return Time{Duration{uv_now(&loop_)}};
}

Time Loop::update_now() {
  uv_update_time(&loop_);
  return now();
}

bool Loop::turn_is_long() const {
  constexpr auto kBudgetNs = static_cast<std::uint64_t>(std::chrono::nanoseconds{kBudget}.count());
  return uv_hrtime() - turn_began_ns_ > kBudgetNs;
}

void Loop::on_ready(Tag, Events) {
  libuv_is_due_ = true;
}

/// Whether there is something to wait for.
bool Loop::is_alive() {
  auto* keeper = reinterpret_cast<uv_handle_t*>(keeper_.get());
  if (poller().watched() > kOwnDescriptors) {
    uv_ref(keeper);
  } else {
    uv_unref(keeper);
  }
  return uv_loop_alive(&loop_) != 0;
}

/// Begins the next turn: waits, and lets those hear of it whose descriptors are ready.
void Loop::wait() {
  int timeout_ms = again_ ? 0 : uv_backend_timeout(&loop_);
  if (timeout_ms > 0) {
    uv_update_time(&loop_);  // the turn may have been long
    timeout_ms = uv_backend_timeout(&loop_);
  }
  poller().wait(timeout_ms);
  ++turn_;
  uv_update_time(&loop_);
  turn_began_ns_ = uv_hrtime();
  poller().dispatch();
}

void Loop::at_turn_end(std::function<void()> callback) {
  lifelong_.push_back(std::make_unique<TurnEnd>(*this, std::move(callback)));
}

void Loop::end_turn() {
  again_ = false;
  // By index: a callback may register another one, or destroy one.
  for (std::size_t i = 0; i < turn_end_.size(); ++i) {
    if (turn_end_[i] != nullptr) turn_end_[i]->callback_();
  }
  std::erase(turn_end_, nullptr);
  longest_turn_ns_ = std::max(longest_turn_ns_, uv_hrtime() - turn_began_ns_);
}

TurnEnd::TurnEnd(Loop& loop, std::function<void()> callback)
    : loop_{loop}, callback_{std::move(callback)} {
  loop_.turn_end_.push_back(this);
}

TurnEnd::~TurnEnd() {
  // Only emptied: the loop may be walking over the list.
  std::replace(loop_.turn_end_.begin(), loop_.turn_end_.end(), this,
               static_cast<TurnEnd*>(nullptr));
}

}  // namespace chatd::io
