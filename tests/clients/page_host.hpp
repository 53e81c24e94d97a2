/// Pages with a host that writes down what it is told, one line each, and calls nothing. Tokens are
/// called T1, T2, ... in the order of their welcomes; sessions have the slots 100, 101, ...
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "clients/pages.hpp"

namespace chatd::test {

class PageTest : public PageHost {
 public:
  using Lines = std::vector<std::string>;

  static constexpr core::Slot kFirstSession = 100;

  PageTest() { remake(); }

  // What happens.
  void attach(core::Slot connection) { pages->attach(connection, now); }
  void take(core::Slot connection, std::string_view frame) {
    pages->take(connection, frame, now, date());
  }
  void detach(core::Slot connection) { pages->detach(connection, now); }
  Pages::Written write(core::Slot session, std::string_view author, std::string_view text) {
    std::string whole{author};
    whole += '\0';
    whole += text;
    return pages->write(session, Payload{whole, author.empty() ? 0U : 1U}, date());
  }
  void pass(Duration time) {
    now += time;
    pages->tick(now);
  }

  /// A connection that says hello, with the token of that name if there is one.
  void hello(core::Slot connection, const std::string& token = {}, std::uint64_t seen = 0) {
    attach(connection);
    std::string frame = R"({"type":"hello",)";
    if (!token.empty()) frame += R"("resume":")" + tokens.at(number_of(token)) + "\",";
    take(connection, frame + R"("seen":)" + std::to_string(seen) + "}");
  }
  void say(core::Slot connection, const std::string& id, const std::string& text) {
    take(connection, R"({"type":"say","id":")" + id + R"(","text":")" + text + "\"}");
  }
  void seen(core::Slot connection, std::uint64_t seq) {
    take(connection, R"({"type":"seen","seq":)" + std::to_string(seq) + "}");
  }

  /// What the host was told since it was last asked.
  Lines told() { return std::exchange(lines_, {}); }

  [[nodiscard]] const std::string& told_last() const { return lines_.back(); }

  [[nodiscard]] std::string written_down() const {
    ByteWriter out;
    pages->save(out, now);
    return out.take();
  }
  /// Other pages take over, on another clock. False: what was written down is refused.
  bool hand_over(const Pages::SlotNow& slot_now = [](core::Slot slot) {
    return std::optional{slot};
  }) {
    const auto bytes = written_down();
    now += Duration{1'000'000};
    ByteReader in{bytes};
    auto saved = Pages::read(in, now);
    if (!in.finished()) return false;
    remake();
    pages->restore(std::move(saved), slot_now, now);
    return true;
  }

  Time now{Duration{5'000'000}};
  Pages::Settings settings;
  std::unique_ptr<Pages> pages;
  std::vector<std::string> tokens;
  core::Slot next_session = kFirstSession;
  std::string refusal;              ///< of a new session
  bool talks_much = false;          ///< the visitor may not say more
  std::size_t room = 1'000'000;     ///< frames until send() is false
  std::function<void()> meanwhile;  ///< called inside of each call

  void remake() { pages = std::make_unique<Pages>(*this, settings); }

  /// 2026-11-29T12:00:00.000Z, when a test begins.
  [[nodiscard]] WallTime date() const {
    return WallTime{Duration{1'795'953'600'000}} + (now - start_);
  }

 private:
  static std::size_t number_of(const std::string& token) {
    return static_cast<std::size_t>(std::stoul(token.substr(1))) - 1;
  }
  static std::string of(core::Slot slot) { return std::to_string(slot); }

  void add(std::string line) {
    lines_.push_back(std::move(line));
    if (meanwhile) meanwhile();
  }

  bool send(core::Slot connection, std::string_view json) override {
    static constexpr std::string_view kToken = R"("resume":")";
    std::string frame{json};
    if (const auto place = frame.find(kToken); frame.starts_with(R"({"type":"welcome")")) {
      const auto begin = place + kToken.size();
      const auto size = frame.find('"', begin) - begin;
      tokens.push_back(frame.substr(begin, size));
      frame.replace(begin, size, "T" + std::to_string(tokens.size()));
    }
    if (room > 0) --room;
    const bool more = room > 0;
    add(of(connection) + " < " + frame);
    return more;
  }
  void close(core::Slot connection, std::uint16_t code, std::string_view reason) override {
    add(of(connection) + " closed " + std::to_string(code) + " " + std::string{reason});
  }
  Result<core::Slot> open_session(core::Slot connection) override {
    if (!refusal.empty()) return Error{refusal};
    const auto slot = next_session++;
    add(of(slot) + " begins at " + of(connection));
    return slot;
  }
  bool may_say(core::Slot /*session*/) override { return !talks_much; }
  void say(core::Slot session, std::string_view text) override {
    if (!pages->has_session(session)) add("nobody speaks");
    add(of(session) + " says " + std::string{text});
  }
  void bye(core::Slot session) override {
    const auto lost = pages->unseen(session);
    add(of(session) + " says bye" + (lost == 0 ? "" : ", " + std::to_string(lost) + " lost"));
  }
  void expired(core::Slot session) override { add(of(session) + " expired"); }
  void came_back(core::Slot session, core::Slot connection) override {
    if (pages->connection_of(session) != connection) add("nobody is back");
    add(of(session) + " is back at " + of(connection));
  }
  void went_away(core::Slot session) override { add(of(session) + " is away"); }

  Time start_ = now;
  Lines lines_;
};

inline std::string welcome(core::Slot connection, const std::string& token, bool resumed) {
  return std::to_string(connection) + R"( < {"type":"welcome","resume":")" + token +
         R"(","resumed":)" + (resumed ? "true" : "false") +
         R"(,"for":600,"max_text":65536,"ping":25})";
}

}  // namespace chatd::test
