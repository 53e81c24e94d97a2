// Visitors' pages. After an even first byte a story: pages come, speak (or send anything), are lost
// and come back, welcomes get lost, operators write, another process takes over. Whatever happens,
// each page has shown in the end what operators said to it, once and in order; frames are JSON with
// a seq that rises; nothing is sent to who has gone. After an odd one what was written down, with
// changes, which is refused or becomes pages that write the same; after every second of these, what
// was written down of one page in case of a crash.
#include "clients/pages.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/most_number.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

namespace chatd {
namespace {

using fuzz::must;

constexpr std::size_t kHard = 400;
constexpr WallTime kDate{Duration{1'795'953'600'000}};

/// A page as its visitor sees it.
struct Visitor {
  std::string token;
  std::uint64_t seen = 0;
  std::vector<std::string> shown;
  std::optional<core::Slot> connection;
};

class Story : public PageHost {
 public:
  Story() { remake(); }

  void run(fuzz::Input& input) {
    while (!input.empty()) {
      step(input);
      keep();
    }
    end();
  }
  [[nodiscard]] std::string written_down() const {
    ByteWriter out;
    pages_->save(out, now_);
    return out.take();
  }

 private:
  void remake() {
    pages_ = std::make_unique<Pages>(
        *this, Pages::Settings{.resume = Duration{60'000}, .max_text = 20, .output_hard = kHard});
  }

  void step(fuzz::Input& input) {
    const auto what = input.byte();
    const core::Slot session = 1000U + input.byte() % 4U;
    const bool exists = visitors_.contains(session);
    switch (what % 15) {
      case 0:
        return (void)come({});
      case 1:
        if (exists) (void)come(session);
        return;
      case 2:
        if (exists) lose_welcome(session);
        return;
      case 3:
        return write(session, input.byte());
      case 4:
        return anything(session, input);
      case 5:
        return say(session, input.byte());
      case 6:
        if (exists)
          frame(session,
                R"({"type":"seen","seq":)" + std::to_string(visitors_[session].seen) + "}");
        return;
      case 7:
        if (exists) lose(visitors_[session]);
        return;
      case 8:
        return hand_over();
      case 9:
        now_ += Duration{input.byte() * 400};
        return pages_->tick(now_);
      case 10:
        room_ = input.byte() % 8U;
        return;
      case 11:
        room_ = 100;
        for (core::Slot slot = 1; slot <= last_connection_; ++slot) pages_->drained(slot);
        return;
      case 12:
        if (input.byte() % 2 == 0) return pages_->away("later");
        return pages_->here();
      case 14:
        return crash();
      default:
        if (input.byte() > 200) {
          visitors_.erase(session);
          pages_->closed(session, "enough");
        }
        return pages_->writing(session, "ann");
    }
  }

  /// A page that goes on with a session, or is new.
  core::Slot come(std::optional<core::Slot> session) {
    const core::Slot connection = ++last_connection_;
    coming_ = connection;
    rising_[connection] = 0;
    pages_->attach(connection, now_);
    std::string hello = R"({"type":"hello",)";
    if (session) {
      Visitor& visitor = visitors_[*session];
      visitor.connection = connection;
      hello +=
          R"("resume":")" + visitor.token + R"(","seen":)" + std::to_string(visitor.seen) + "}";
    } else {
      hello += R"("seen":0})";
    }
    pages_->take(connection, hello, now_, kDate);
    return connection;
  }

  /// The same, but nothing of what is sent arrives.
  void lose_welcome(core::Slot session) {
    Visitor before = visitors_[session];
    const auto connection = come(session);
    pages_->detach(connection, now_);
    rising_.erase(connection);
    if (before.connection) rising_.erase(*before.connection);
    before.connection.reset();
    visitors_[session] = before;
  }

  void lose(Visitor& visitor) {
    if (!visitor.connection) return;
    rising_.erase(*visitor.connection);
    pages_->detach(*std::exchange(visitor.connection, std::nullopt), now_);
  }

  void write(core::Slot session, std::uint8_t size) {
    const std::string text = std::string(size % 90U, 'x') + std::to_string(++number_);
    const std::string author{size % 3 == 0 ? "" : "ann"};
    const bool room = pages_->has_room(session, author.size() + 1 + text.size());
    const auto written = pages_->write(session, Payload{author + '\0' + text}, kDate);
    must((written == Pages::Written::kNoSession) == !visitors_.contains(session), "who is there");
    must((written == Pages::Written::kKept) == room, "whether there is room");
    if (room) said_[session].push_back(text);
  }

  void say(core::Slot session, std::uint8_t choice) {
    frame(session, R"({"type":"say","id":")" + std::to_string(choice % 32) + R"(","text":")" +
                       std::string(choice % 25U, 'y') + "\"}");
  }

  void anything(core::Slot session, fuzz::Input& input) {
    std::string text;
    for (auto c = input.byte(); c != '\n' && !(c == 0 && input.empty()); c = input.byte()) {
      text += static_cast<char>(c);
    }
    if (is_utf8(text)) frame(session, text);
  }

  void frame(core::Slot session, const std::string& text) {
    const auto visitor = visitors_.find(session);
    if (visitor == visitors_.end() || !visitor->second.connection) return;
    pages_->take(*visitor->second.connection, text, now_, kDate);
  }

  void hand_over() {
    const auto bytes = written_down();
    ByteReader in{bytes};
    auto saved = Pages::read(in, now_);
    must(in.finished(), "what was written down is refused");
    remake();
    pages_->restore(
        std::move(saved), [](core::Slot slot) { return std::optional{slot}; }, now_);
    must(written_down() == bytes, "it is written down as something else");
    pages_->tick(now_);
    logs_.clear();  // the next process begins them anew
  }

  /// At the end of a turn: what is added to the log of each page.
  void keep() {
    for (const core::Slot session : pages_->sessions()) {
      ByteWriter out;
      auto& [mark, log] = logs_[session];
      if (log.empty() || log.size() > 4096) {
        mark = pages_->page(session)->begin_log(out, Page::kMostWithoutTexts + 100'000);
        log.clear();
        pages_->watch(session);
      } else {
        const auto& changed = pages_->changed();
        pages_->page(session)->add_to_log(out, mark);
        must(out.bytes().empty() ||
                 std::find(changed.begin(), changed.end(), session) != changed.end(),
             "a change that nobody has noted");
      }
      log += out.bytes();
    }
    std::erase_if(logs_, [this](const auto& each) { return !pages_->has_session(each.first); });
    pages_->changes_seen();
  }

  /// The process ends without warning, and the next one has the logs.
  void crash() {
    Pages::Saved saved;
    for (const auto& [session, log] : logs_) {
      auto page = Page::from_log(log.second);
      must(page.has_value() && saved.add(session, std::move(*page), now_), "a log is refused");
      visitors_[session].connection.reset();
    }
    rising_.clear();
    remake();
    pages_->restore(
        std::move(saved), [](core::Slot slot) { return std::optional{slot}; }, now_);
    pages_->tick(now_);
    logs_.clear();
  }

  void end() {
    room_ = 1'000'000;
    const auto all = visitors_;
    for (const auto& [session, visitor] : all) {
      (void)come(session);
      const Visitor& now = visitors_.at(session);
      must(now.connection.has_value(), "a token that is good is not taken");
      must(now.shown == said_[session], "not everything was shown once");
    }
    now_ += Duration{1'000'000};
    pages_->tick(now_);
    const bool connected = std::all_of(visitors_.begin(), visitors_.end(), [](const auto& each) {
      return each.second.connection.has_value();
    });
    must(connected && pages_->sessions().size() == visitors_.size(), "who is there in the end");
    pages_->close_all(1001, "over", now_);
    pages_->tick(now_ + Duration{60'000});
    must(pages_->sessions().empty() && pages_->deadline() == kNever, "somebody is left");
  }

  Visitor* visitor_at(core::Slot connection) {
    const auto session = pages_->session_of(connection);
    return session && visitors_.contains(*session) ? &visitors_[*session] : nullptr;
  }

  // What pages need done.
  bool send(core::Slot connection, std::string_view json) override {
    must(rising_.contains(connection), "something is sent to who has gone");
    const auto frame = nlohmann::json::parse(json, nullptr, false);
    must(frame.is_object() && frame["type"].is_string(), "a frame is no object with a type");
    const auto& type = frame["type"].get_ref<const std::string&>();
    Visitor* const visitor = visitor_at(connection);
    if (visitor != nullptr && type == "welcome")
      visitor->token = frame["resume"].get<std::string>();
    if (visitor != nullptr && type == "taken")
      visitor->seen = std::max(visitor->seen, frame["seq"].get<std::uint64_t>());
    if (visitor != nullptr && type == "message") show(*visitor, connection, frame);
    if (room_ > 0) --room_;
    return room_ > 0;
  }
  void show(Visitor& visitor, core::Slot connection, const nlohmann::json& frame) {
    const auto seq = frame["seq"].get<std::uint64_t>();
    must(seq > rising_[connection], "a seq does not rise");
    rising_[connection] = seq;
    must(seq > visitor.seen, "what was seen is told again");
    visitor.seen = seq;
    if (frame["from"] != "visitor") visitor.shown.push_back(frame["text"].get<std::string>());
  }
  void close(core::Slot connection, std::uint16_t /*code*/, std::string_view reason) override {
    must(rising_.erase(connection) == 1, "what has gone is closed");
    must(reason.size() <= 123 && is_utf8(reason), "a reason that no frame holds");
    for (auto& [session, visitor] : visitors_) {
      if (visitor.connection == connection) visitor.connection.reset();
    }
  }
  Result<core::Slot> open_session(core::Slot connection) override {
    for (core::Slot slot = 1000; slot < 1004; ++slot) {
      if (pages_->has_session(slot)) continue;
      visitors_[slot] = Visitor{};
      visitors_[slot].connection = connection;
      said_[slot].clear();
      return slot;
    }
    return Error{"there is no place"};
  }
  bool may_say(core::Slot session) override {
    must(visitors_.contains(session), "whether nobody may speak");
    return number_ % 5 != 0;
  }
  void say(core::Slot session, std::string_view text) override {
    must(visitors_.contains(session), "nobody speaks");
    must(text.size() <= 20, "a text that is too long");
  }
  void bye(core::Slot session) override { visitors_.erase(session); }
  void expired(core::Slot session) override {
    must(!visitors_.at(session).connection, "one expires whose page is there");
    visitors_.erase(session);
  }
  void came_back(core::Slot session, core::Slot connection) override {
    must(connection == coming_ && visitors_.contains(session), "who comes back");
  }
  void went_away(core::Slot session) override { must(visitors_.contains(session), "who goes"); }

  std::unique_ptr<Pages> pages_;
  Time now_{Duration{1'000'000}};
  std::map<core::Slot, Visitor> visitors_;  ///< by session
  std::map<core::Slot, std::vector<std::string>> said_;
  std::map<core::Slot, std::pair<Page::Mark, std::string>> logs_;
  std::map<core::Slot, std::uint64_t> rising_;  ///< of open connections: the last message's seq
  core::Slot last_connection_ = 0;
  core::Slot coming_ = 0;
  std::size_t room_ = 100;
  unsigned number_ = 0;
};

/// Accepts everything.
struct Anybody : PageHost {
  bool send(core::Slot, std::string_view) override { return true; }
  void close(core::Slot, std::uint16_t, std::string_view) override {}
  Result<core::Slot> open_session(core::Slot connection) override { return connection + 1000; }
  bool may_say(core::Slot) override { return true; }
  void say(core::Slot, std::string_view) override {}
  void bye(core::Slot) override {}
  void expired(core::Slot) override {}
  void came_back(core::Slot, core::Slot) override {}
  void went_away(core::Slot) override {}
};

constexpr Time kThen{Duration{5'000'000}};

std::string make_good() {
  Anybody host;
  Pages pages{host, {}};
  for (core::Slot slot = 1; slot <= 3; ++slot) {
    pages.attach(slot, kThen);
    pages.take(slot, R"({"type":"hello","seen":0})", kThen, kDate);
    pages.take(slot, R"({"type":"say","id":"a","text":"mine"})", kThen, kDate);
    (void)pages.write(slot + 1000, Payload{std::string_view{"ann\0hi", 6}}, kDate);
  }
  pages.detach(2, kThen);
  pages.attach(4, kThen);
  pages.away("later");
  ByteWriter out;
  pages.save(out, kThen);
  return out.take();
}

void read(const std::string& bytes) {
  ByteReader in{bytes};
  auto saved = Pages::read(in, kThen);
  if (!in.finished()) return;
  Anybody host;
  Pages pages{host, {}};
  pages.restore(
      std::move(saved), [](core::Slot slot) { return std::optional{slot}; }, kThen);
  ByteWriter out;
  pages.save(out, kThen);
  must(out.bytes() == bytes, "it is written down as something else");
  pages.tick(kThen);
  pages.away("now");
  for (const auto session : pages.sessions()) {
    (void)pages.write(session, Payload{std::string_view{"ann\0hi", 6}}, kDate);
    (void)pages.unseen(session);
    if (const auto connection = pages.connection_of(session)) {
      pages.take(*connection, R"({"type":"say","id":"z","text":"more"})", kThen, kDate);
    }
    if (session % 2 == 0) pages.closed(session, "over");
  }
  pages.close_all(1001, "over", kThen);
  pages.tick(kThen + Duration{1'000'000});
  must(pages.deadline() == kNever, "somebody is left");
}

std::string make_log() {
  Page page;
  (void)page.tokens().offer();
  ByteWriter out;
  auto mark = page.begin_log(out, Page::kMostWithoutTexts);
  page.came(0);
  page.hear(Payload{std::string_view{"ann\0hi", 6}}, kDate);
  page.take("a", "mine", kDate);
  page.see(1);
  page.add_to_log(out, mark);
  page.hear(Payload{std::string_view{"\0all", 4}}, kDate);
  page.add_to_log(out, mark);
  return out.take();
}

void read_log(const std::string& bytes) {
  auto page = Page::from_log(bytes);
  if (!page) return;
  ByteWriter out;
  auto mark = page->begin_log(out, Page::kMostWithoutTexts + 100'000);
  const auto again = Page::from_log(out.bytes());
  ByteWriter whole;
  page->save(whole);
  ByteWriter whole_again;
  if (again) again->save(whole_again);
  must(whole.bytes() == whole_again.bytes(), "it is written down as something else");
  std::string frame;
  page->came(0);
  while (page->next(frame, true)) {
  }
  page->hear(Payload{std::string_view{"ann\0hi", 6}}, kDate);
  must(page->next(frame, true), "what is new is not told");
  std::string answer;
  if (page->asked("z", answer) == Page::Saying::kNew) page->take("z", "more", kDate);
  page->add_to_log(out, mark);
  must(Page::from_log(out.bytes()).has_value() || mark.last > 2 * kMostNumber,
       "what it goes on to write is refused");
}

}  // namespace
}  // namespace chatd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chatd::fuzz::Input input{data, size};
  if (size > 0 && data[0] % 4 == 3) {
    static const std::string kLog = chatd::make_log();
    chatd::read_log(chatd::fuzz::changed(input, kLog));
    return 0;
  }
  if (size > 0 && data[0] % 2 != 0) {
    static const std::string kGood = chatd::make_good();
    chatd::read(chatd::fuzz::changed(input, kGood));
    return 0;
  }
  (void)input.byte();
  chatd::Story story;
  story.run(input);
  return 0;
}
