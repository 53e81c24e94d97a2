#include "store/answering.hpp"

#include <cassert>
#include <system_error>
#include <utility>

#include "base/signals_blocked.hpp"

namespace chatd::store {

namespace {

/// Events that are counted at once: whoever asks meanwhile waits a few milliseconds at most.
constexpr std::int64_t kCountedAtOnce = 1000;

}  // namespace

Answering::Answering(Archive& archive, Options options)
    : archive_{archive}, options_{std::move(options)}, unread_{archive.opened.unread} {}

Answering::~Answering() {
  if (!thread_.joinable()) return;
  {
    const Lock lock{mutex_};
    stop_ = true;
    stopping_.store(true, std::memory_order_relaxed);
  }
  asked_.notify_one();
  thread_.join();
}

Result<> Answering::start() {
  archive_.to_read.ask_whether(&Answering::goes_on, this);
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread{[this] { work(); }};
  } catch (const std::system_error& error) {
    return Error::from_errno("start a thread for questions", error.code().value());
  }
  return {};
}

// ---- any thread ----

void Answering::ask(Ask ask, std::uint64_t ticket) {
  {
    const Lock lock{mutex_};
    if (!answers_ || *answers_ != ask.asker) others_wait_.store(true, std::memory_order_relaxed);
    queue_.push({std::move(ask), ticket, Steady::now() + options_.patience});
  }
  asked_.notify_one();
}

void Answering::has(const Progress& progress) {
  {
    const Lock lock{mutex_};
    if (progress == progress_) return;
    progress_ = progress;
    if (queue_.empty()) return;
  }
  asked_.notify_one();
}

std::vector<Done> Answering::take_done() {
  const Lock lock{mutex_};
  return std::exchange(done_, {});
}

bool Answering::is_idle() const {
  const Lock lock{mutex_};
  return queue_.empty() && !answers_ && done_.empty();
}

Unread Answering::unread() const {
  const Lock lock{mutex_};
  return unread_;
}

// ---- its thread ----

void Answering::work() {
  Lock lock{mutex_};
  while (!stop_) {
    if (auto question = queue_.take(progress_, Steady::now())) {
      answer(lock, std::move(*question));
    } else if (!unread_.is_known()) {
      count(lock);
    } else if (const auto until = queue_.deadline()) {
      asked_.wait_until(lock, *until);
    } else {
      asked_.wait(lock);
    }
  }
}

/// Called by SQLite, on the thread of this.
bool Answering::goes_on(void* self) {
  auto& me = *static_cast<Answering*>(self);
  const auto now = Steady::now();
  me.interrupted_ = me.stopping_.load(std::memory_order_relaxed) || now >= me.until_ ||
                    (now >= me.slice_end_ && me.others_wait_.load(std::memory_order_relaxed));
  return !me.interrupted_;
}

void Answering::answer(Lock& lock, QuestionQueue::Waiting question) {
  auto now = Steady::now();
  Done done;
  if (now < question.deadline) {
    answers_ = question.ask.asker;
    others_wait_.store(queue_.has_others(*answers_), std::memory_order_relaxed);
    until_ = question.deadline;
    slice_end_ = now + question.slice;
    interrupted_ = false;
    lock.unlock();
    done = question.ask.read(archive_.reader);
    now = Steady::now();
    lock.lock();
    answers_.reset();
    if (interrupted_ && now < question.deadline) {
      question.slice *= 2;
      queue_.push(std::move(question));
      return;
    }
    if (interrupted_) done = nullptr;
  }
  done_.push_back(done ? std::move(done) : std::move(question.ask.late));
  if (!options_.wake) return;
  lock.unlock();
  options_.wake();
  lock.lock();
}

void Answering::count(Lock& lock) {
  Unread unread = unread_;
  until_ = slice_end_ = Steady::time_point::max();
  others_wait_.store(false, std::memory_order_relaxed);
  interrupted_ = false;
  lock.unlock();
  const auto counted = archive_.reader.count_unread(unread, kCountedAtOnce);
  lock.lock();
  // A file that cannot be read has nothing to tell.
  if (!counted && !interrupted_) unread.seen = unread.upto;
  unread_ = unread;
}

}  // namespace chatd::store
