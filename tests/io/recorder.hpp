/// A listener that writes down what it hears; a test can make it do something as well.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.hpp"

namespace chatd::test {

class Recorder : public io::StreamListener {
 public:
  bool may_read(io::StreamId) override { return reads_at_once; }
  void on_read(io::StreamId id, std::string_view bytes) override {
    read += bytes;
    note("read " + std::to_string(id));
    if (when_read) when_read(id, bytes);
  }
  void on_end(io::StreamId id) override {
    note("end " + std::to_string(id));
    if (when_ended) when_ended(id);
  }
  void on_broken(io::StreamId id, int error) override {
    note("broken " + std::to_string(id) + ' ' + ::strerrorname_np(error));
    if (when_broken) when_broken(id);
  }
  void on_drained(io::StreamId id) override {
    note("drained " + std::to_string(id));
    if (when_drained) when_drained(id);
  }
  void on_clear(io::StreamId id) override {
    note("clear " + std::to_string(id));
    if (when_clear) when_clear(id);
  }
  void on_closed(io::StreamId id, std::size_t unsent) override {
    note("closed " + std::to_string(id) + " unsent " + std::to_string(unsent));
    if (when_closed) when_closed(id);
  }

  [[nodiscard]] std::size_t count(std::string_view event) const {
    return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
  }
  /// Whether an event was heard that begins with this.
  [[nodiscard]] bool heard(std::string_view beginning) const {
    return std::any_of(events.begin(), events.end(),
                       [&](const std::string& each) { return each.starts_with(beginning); });
  }

  bool reads_at_once = true;
  std::string read;                 // of all streams
  std::vector<std::string> events;  // repeated reads of one stream are one event
  std::function<void(io::StreamId, std::string_view)> when_read;
  std::function<void(io::StreamId)> when_ended;
  std::function<void(io::StreamId)> when_broken;
  std::function<void(io::StreamId)> when_drained;
  std::function<void(io::StreamId)> when_clear;
  std::function<void(io::StreamId)> when_closed;

 private:
  void note(std::string event) {
    if (!events.empty() && events.back() == event && event.starts_with("read")) return;
    events.push_back(std::move(event));
  }
};

using Events = std::vector<std::string>;

}  // namespace chatd::test
