#include "io/timer.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace chatd::io {

Timer::Timer(Loop& loop, std::function<void()> callback) : loop_{loop} {
  int status = 0;
  node_ =
      make_handle<Node>([&loop](Node* node) { return uv_timer_init(loop.raw(), node); }, status);
  require(status, "make a timer");
  node_->callback = std::move(callback);
  uv_unref(reinterpret_cast<uv_handle_t*>(node_.get()));
}

void Timer::start(Duration delay) {
  start_at(loop_.now() + delay);
}

void Timer::start_at(Time when) {
  if (when == node_->when) return;
  if (when == kNever) {
    stop();
    return;
  }
  // libuv runs timers until none is due: one that makes itself due again in its
  // own callback would keep the loop from everything else.
  const Duration least{node_->firing ? 1 : 0};
  const Duration delay = std::max(when - loop_.now(), least);
  require(uv_timer_start(node_.get(), on_timer, static_cast<std::uint64_t>(delay.count()), 0),
          "start a timer");
  node_->when = when;
}

void Timer::stop() {
  uv_timer_stop(node_.get());
  node_->when = kNever;
}

void Timer::keep_loop_running() {
  uv_ref(reinterpret_cast<uv_handle_t*>(node_.get()));
}

void Timer::on_timer(uv_timer_t* handle) {
  auto* node = static_cast<Node*>(handle);
  node->when = kNever;
  node->firing = true;
  node->callback();
  node->firing = false;
}

}  // namespace chatd::io
