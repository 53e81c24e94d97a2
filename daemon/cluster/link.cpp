#include "cluster/link.hpp"

#include <utility>

namespace chatd::cluster {

Link::Link(io::Loop& loop, Callbacks callbacks)
    : loop_{loop}, callbacks_{std::move(callbacks)}, wake_{loop, [this] { woken(); }} {
  thread_ = std::thread{[this] { work(); }};
}

Link::~Link() {
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
  }
  work_.notify_one();
  thread_.join();
}

bool Link::send(std::string subject, std::string reply, std::string bytes) {
  Outgoing message{std::move(subject), std::move(reply), std::move(bytes)};
  {
    const std::lock_guard lock{mutex_};
    if (outgoing_bytes_ + message.size() > kMostOutgoing) {
      ++counts_.unsent;
      return false;
    }
    outgoing_bytes_ += message.size();
    outgoing_.push_back(std::move(message));
  }
  work_.notify_one();
  return true;
}

Link::Counts Link::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

std::size_t Link::waiting() const {
  const std::lock_guard lock{mutex_};
  return outgoing_bytes_;
}

void Link::work() {
  std::string why;
  const auto wire = callbacks_.make(*this, why);
  std::unique_lock lock{mutex_};
  if (!wire) {
    failure_ = std::move(why);
    wake_.wake();
  }
  for (;;) {
    work_.wait(lock, [this] { return stop_ || !outgoing_.empty(); });
    if (stop_) return;
    const Outgoing message = std::move(outgoing_.front());
    outgoing_.pop_front();
    lock.unlock();
    const bool sent = wire && wire->publish(message.subject, message.reply, message.bytes);
    lock.lock();
    outgoing_bytes_ -= message.size();
    if (!sent) ++counts_.unsent;
  }
}

void Link::on_message(WireMessage message) {
  const std::size_t bytes = message.subject.size() + message.reply.size() + message.bytes.size();
  {
    const std::lock_guard lock{mutex_};
    if (incoming_bytes_ + bytes > kMostIncoming) {
      ++counts_.unheard;
      return;
    }
  }
  Letter letter;
  if (callbacks_.is_block(message)) {
    letter.block = read_block(message.bytes);
    message.bytes = {};
  }
  letter.message = std::move(message);
  put(std::move(letter), bytes);
}

void Link::on_up(const std::string& server, std::size_t most) {
  put(Up{server, most}, 0);
}

void Link::on_down(const std::string& why) {
  put(Down{why}, 0);
}

void Link::put(News news, std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  incoming_bytes_ += bytes;
  incoming_.emplace_back(std::move(news), bytes);
  if (!stop_) wake_.wake();
}

void Link::woken() {
  std::unique_lock lock{mutex_};
  if (const auto failure = std::exchange(failure_, std::nullopt)) {
    lock.unlock();
    callbacks_.on_failure(*failure);
    lock.lock();
  }
  while (!incoming_.empty()) {
    auto [news, bytes] = std::move(incoming_.front());
    incoming_.pop_front();
    incoming_bytes_ -= bytes;
    lock.unlock();
    callbacks_.on_news(std::move(news));
    if (loop_.turn_is_long()) {  // those who wait for the loop come first
      wake_.wake();
      return;
    }
    lock.lock();
  }
}

}  // namespace chatd::cluster
