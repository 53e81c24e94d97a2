/// The operator of a measurement: over the control socket, or over the two pipes of a
/// console. Knows just enough of either to read what clients say and to answer. Ends the
/// process if an answer is an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sockets.hpp"

namespace chatd::bench {

class Operator {
 public:
  /// A client said `text`.
  using Heard = std::function<void(std::uint64_t session, std::string_view text)>;

  /// Its descriptors get the numbers `number` and `number + 1` of `poller`.
  Operator(Poller& poller, std::uint32_t number, Heard heard);

  void attach_to_control(const std::string& path);
  /// `input` is where the console reads, `output` where it writes.
  void attach_to_console(const std::string& input, const std::string& output);

  // Queued until flush().
  void tell(std::uint64_t session, std::string_view text);
  void tell_all(std::string_view text);
  void flush();

  /// To be called when the poller names one of its numbers.
  void ready();

  /// How many of its requests have no answer yet.
  [[nodiscard]] std::uint64_t unanswered() const { return asked_ - answered_; }

 private:
  void line(std::string_view line);
  void request(std::string_view to, std::string_view text);

  Poller& poller_;
  std::uint32_t number_;
  Heard heard_;
  bool control_ = true;
  int in_ = -1;   ///< the descriptor that it reads from
  int out_ = -1;  ///< the one that it writes to; the same for the control socket
  bool blocked_ = false;
  std::string pending_;
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;  ///< of output_
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace chatd::bench
