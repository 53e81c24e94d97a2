#include "io/poller.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace chatd::io {
namespace {

/// More than these wait for the next turn; the kernel tells the others first then.
constexpr std::size_t kEventsATurn = 1024;

/// What the kernel keeps for us with a descriptor.
std::uint64_t packed(Tag tag, std::uint16_t watcher) {
  return std::uint64_t{watcher} << 48U | std::uint64_t{tag.generation} << 32U | tag.id;
}

/// As watchers have them, of those of epoll(7).
Events events_from(std::uint32_t told) {
  return static_cast<Events>((told & ~std::uint32_t{kEnd}) |
                             ((told & EPOLLRDHUP) != 0 ? std::uint32_t{kEnd} : 0U));
}

}  // namespace

Poller::Poller() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}, events_(kEventsATurn) {
  if (epoll_) return;
  std::fprintf(stderr, "chatd: cannot make an epoll set: %s\n", std::strerror(errno));
  std::_Exit(EXIT_FAILURE);  // for want of descriptors or memory
}

void Poller::wait(int timeout_ms) {
  const int count =
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  ready_ = static_cast<std::size_t>(std::max(count, 0));  // a signal is no event
}

void Poller::dispatch() {
  assert(!telling_);
  telling_ = true;
  for (std::size_t i = 0; i < ready_; ++i) {
    const std::uint64_t data = events_[i].data.u64;
    Watcher* watcher = watchers_[data >> 48U];
    if (watcher == nullptr) continue;
    watcher->on_ready({static_cast<std::uint32_t>(data), static_cast<std::uint16_t>(data >> 32U)},
                      events_from(events_[i].events));
  }
  ready_ = 0;
  telling_ = false;
  free_.insert(free_.end(), left_.begin(), left_.end());
  left_.clear();
}

std::size_t Poller::watchers() const {
  return watchers_.size() - free_.size() - left_.size();
}

std::uint16_t Poller::join(Watcher& watcher) {
  if (free_.empty()) {
    assert(watchers_.size() <= UINT16_MAX);
    watchers_.push_back(&watcher);
    return static_cast<std::uint16_t>(watchers_.size() - 1);
  }
  const std::uint16_t number = free_.back();
  assert(watchers_[number] == nullptr);
  free_.pop_back();
  watchers_[number] = &watcher;
  return number;
}

void Poller::leave(std::uint16_t number) {
  assert(watchers_[number] != nullptr);
  watchers_[number] = nullptr;
  // Events for the one that has left may still wait to be told.
  (telling_ ? left_ : free_).push_back(number);
}

int Watcher::watch(int fd, Tag tag, Events& now, Events wanted) {
  if (now == wanted) return 0;
  epoll_event event{};
  event.events =
      std::uint32_t{wanted} | ((wanted & kReadable) != 0 ? std::uint32_t{EPOLLRDHUP} : 0U);
  event.data.u64 = packed(tag, number_);
  const int how = wanted == kNothing ? EPOLL_CTL_DEL
                  : now == kNothing  ? EPOLL_CTL_ADD
                                     : EPOLL_CTL_MOD;
  if (::epoll_ctl(poller_.epoll_.get(), how, fd, &event) != 0) return errno;
  poller_.watched_ += how == EPOLL_CTL_ADD ? 1 : 0;
  poller_.watched_ -= how == EPOLL_CTL_DEL ? 1 : 0;
  now = wanted;
  return 0;
}

void Watcher::forget(Events& now) {
  if (std::exchange(now, kNothing) == kNothing) return;
  assert(poller_.watched_ > 0);
  --poller_.watched_;
}

}  // namespace chatd::io
