#include "operator.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace chatd::bench {
namespace {

constexpr std::size_t kReadBytes = 256UL * 1024;

std::uint64_t number_at(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  const auto from = text.substr(std::min(at, text.size()));
  std::from_chars(from.data(), from.data() + from.size(), number);
  return number;
}

/// Where `what` ends in `text`, from `at` on.
std::size_t after(std::string_view text, std::string_view what, std::size_t at = 0) {
  const auto place = text.find(what, at);
  return place == std::string_view::npos ? text.size() : place + what.size();
}

}  // namespace

Operator::Operator(Poller& poller, std::uint32_t number, Heard heard)
    : poller_{poller}, number_{number}, heard_{std::move(heard)}, input_(kReadBytes, '\0') {}

void Operator::attach_to_control(const std::string& path) {
  in_ = out_ = connect_unix(path);
  poller_.add(in_, number_);
  for (const auto* method : {"hello", "subscribe"}) {
    output_ += R"({"jsonrpc":"2.0","id":)" + std::to_string(++asked_) + R"(,"method":")" + method +
               "\"}\n";
  }
  flush();
}

void Operator::attach_to_console(const std::string& input, const std::string& output) {
  control_ = false;
  out_ = ::open(input.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  in_ = ::open(output.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (in_ < 0 || out_ < 0) give_up("open the console's pipes");
  poller_.add(in_, number_);
  poller_.add(out_, number_ + 1, 0);
}

void Operator::request(std::string_view to, std::string_view text) {
  output_ += R"({"jsonrpc":"2.0","id":)";
  output_ += std::to_string(++asked_);
  output_ += R"(,"method":"send","params":{"to":)";
  output_ += to;
  output_ += R"(,"text":")";
  output_ += text;
  output_ += "\"}}\n";
}

void Operator::tell(std::uint64_t session, std::string_view text) {
  if (control_) {
    request(std::to_string(session), text);
    return;
  }
  output_ += '@';
  output_ += std::to_string(session);
  output_ += ' ';
  output_ += text;
  output_ += '\n';
}

void Operator::tell_all(std::string_view text) {
  if (control_) {
    request(R"("all")", text);
    return;
  }
  output_ += "/all ";
  output_ += text;
  output_ += '\n';
}

void Operator::flush() {
  while (!blocked_ && sent_ < output_.size()) {
    const ssize_t count = ::write(out_, output_.data() + sent_, output_.size() - sent_);
    if (count < 0 && errno != EAGAIN) give_up("send what the operator says");
    if (count > 0) sent_ += static_cast<std::size_t>(count);
    if (count < 0) {
      blocked_ = true;
      poller_.change(out_, control_ ? number_ : number_ + 1,
                     control_ ? EPOLLIN | EPOLLOUT : EPOLLOUT);
    }
  }
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = 0;
  }
}

void Operator::ready() {
  if (std::exchange(blocked_, false)) {
    poller_.change(out_, control_ ? number_ : number_ + 1, control_ ? std::uint32_t{EPOLLIN} : 0);
    flush();
  }
  const ssize_t count = ::read(in_, input_.data(), input_.size());
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) give_up("go on: the server has left the operator");
  pending_.append(input_.data(), static_cast<std::size_t>(count));
  std::size_t done = 0;
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', done)) {
    line(std::string_view{pending_}.substr(done, end - done));
    done = end + 1;
  }
  pending_.erase(0, done);
}

void Operator::line(std::string_view line) {
  if (control_) {
    if (line.starts_with(R"({"jsonrpc":"2.0","method":"message")")) {
      const auto session = after(line, "\"session\":");
      const auto text = after(line, "\"text\":\"", session);
      heard_(number_at(line, session), line.substr(text, line.find('"', text) - text));
    } else if (line.starts_with(R"({"jsonrpc":"2.0","id":)")) {
      ++answered_;
      errno = 0;
      if (line.find("\"error\":") != std::string_view::npos) {
        give_up("go on: an answer is " + std::string{line});
      }
    } else if (line.starts_with(R"({"jsonrpc":"2.0","method":"lagged")")) {
      errno = 0;
      give_up("go on: the operator has lost events: " + std::string{line});
    }
    return;
  }
  // `12:34:56 [7] text`; what the console says of itself has no brackets there.
  const auto session = after(line, "[");
  const auto text = after(line, "] ", session);
  if (text < line.size()) heard_(number_at(line, session), line.substr(text));
}

}  // namespace chatd::bench
