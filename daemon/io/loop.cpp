#include "io/loop.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace chatd::io {
namespace {

/// Close callbacks may close further handles; each round settles one generation.
constexpr int kDrainRounds = 16;

constexpr std::uint64_t kNsPerMs = 1'000'000;

}  // namespace

Loop::Loop() {
  require(uv_loop_init(&loop_), "make an event loop");
  loop_.data = this;
  int status = 0;
  prepare_ =
      make_handle<uv_prepare_t>([this](auto* h) { return uv_prepare_init(&loop_, h); }, status);
  require(status, "make a prepare handle");
  check_ = make_handle<uv_check_t>([this](auto* h) { return uv_check_init(&loop_, h); }, status);
  require(status, "make a check handle");
  idle_ = make_handle<uv_idle_t>([this](auto* h) { return uv_idle_init(&loop_, h); }, status);
  require(status, "make an idle handle");

  const auto on_prepare = [](uv_prepare_t* handle) {
    static_cast<Loop*>(handle->loop->data)->end_turn();
  };
  const auto on_check = [](uv_check_t* handle) {
    static_cast<Loop*>(handle->loop->data)->note_turn_by_loop_time();
  };
  require(uv_prepare_start(prepare_.get(), on_prepare), "start a prepare handle");
  require(uv_check_start(check_.get(), on_check), "start a check handle");
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare_.get()));
  uv_unref(reinterpret_cast<uv_handle_t*>(check_.get()));
}

Loop::~Loop() {
  lifelong_.clear();
  prepare_.reset();
  check_.reset();
  idle_.reset();
  for (int round = 0; round < kDrainRounds; ++round) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    if (uv_loop_close(&loop_) == 0) return;
  }
  // Not an assert: a handle that outlives the loop is a use after free to come,
  // in a release as well.
  std::fputs("chatd: the event loop ends with open handles:\n", stderr);
  uv_print_all_handles(&loop_, stderr);
  std::abort();
}

void Loop::run() {
  stopping_ = false;
  note_turn();
  do {
    running_ = true;
    uv_run(&loop_, UV_RUN_DEFAULT);
    running_ = false;
    // uv_run returns from the middle of a turn: after its callbacks, before its end.
    end_turn();
  } while (again_ && !stopping_);
}

void Loop::stop() {
  stopping_ = true;
  // Outside uv_run this would end the next one instead.
  if (running_) uv_stop(&loop_);
}

Time Loop::now() const {
  return Time{Duration{uv_now(&loop_)}};
}

Time Loop::update_now() {
  note_turn_by_loop_time();
  uv_update_time(&loop_);
  return now();
}

void Loop::at_turn_end(std::function<void()> callback) {
  lifelong_.push_back(std::make_unique<TurnEnd>(*this, std::move(callback)));
}

void Loop::note_turn_by_loop_time() {
  if (turn_began_ns_ != 0) return;
  // libuv read its clock when the wait ended, but keeps whole milliseconds only:
  // rounded up, so that a turn is never made longer than it was.
  turn_began_ns_ = std::min(uv_hrtime(), (uv_now(&loop_) + 1) * kNsPerMs);
}

void Loop::end_turn() {
  again_ = false;
  // By index: a callback may register another one, or destroy one.
  for (std::size_t i = 0; i < turn_end_.size(); ++i) {
    if (turn_end_[i] != nullptr) turn_end_[i]->callback_();
  }
  std::erase(turn_end_, nullptr);
  if (again_) {
    // An active idle handle lets libuv poll without waiting.
    uv_idle_start(idle_.get(), [](uv_idle_t* handle) { uv_idle_stop(handle); });
  }
  if (turn_began_ns_ != 0) {
    longest_turn_ns_ = std::max(longest_turn_ns_, uv_hrtime() - turn_began_ns_);
    turn_began_ns_ = 0;
  }
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
