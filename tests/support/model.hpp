/// A walk over the whole core: clients of all kinds, operators, time, networks that
/// break and clients that do not read, with a model beside it that is simple enough to
/// be right. Where it goes is chosen by numbers from outside: a seed in tests/core, the
/// fuzzer's bytes in tests/fuzz.
/// Invariants after every step: what was taken from operators is delivered, held or lost;
/// what a client got is what was said to it, in order; what operators heard is what the
/// client said, in order; the clients of a room, and nobody else, hear each other; nothing happens
/// to a session after its end; nothing that is due is forgotten. If one does not hold, a Violation
/// is thrown.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "core/outgoing.hpp"
#include "core/router.hpp"
#include "http/client_frames.hpp"
#include "support/handed_over.hpp"

namespace chatd::test::model {

using core::Away;
using core::Claim;
using core::Dialect;
using core::DialectSetting;
using core::Event;
using core::kCharacterWait;
using core::kEndWithWords;
using core::kSilence;
using core::MessageNumber;
using core::Outbox;
using core::Outcome;
using core::Recipients;
using core::Refusal;
using core::Router;
using core::SendState;
using core::Session;
using core::SessionId;
using core::Settings;
using core::Slot;

inline constexpr Slot kSlots = 12;
/// A text that no client and no operator says, so that it can be told apart.
inline constexpr char kGreeting = '\x01';

/// A message that is held.
struct Held {
  MessageNumber number;
  std::uint64_t event;  ///< the one that said so
  std::size_t end;      ///< its end in `told`
};

/// A connection and its session, as the model knows them.
struct Client {
  SessionId id = 0;
  DialectSetting setting{};
  std::string room;
  std::string name;   ///< as the others of its room know it
  std::string given;  ///< the name that it was given, unless it has called itself something else
  Time connected{};
  Time ended_input{};
  Time parted{};
  Time last_byte{};  ///< when its last byte came
  bool spoken = false;
  bool input_over = false;
  bool parting = false;
  bool closing = false;  ///< it has ended, and what was written to it has not arrived
  bool said_bye = false;
  bool reads = true;
  bool lossy = false;  ///< it said something too long or not UTF-8, which is not heard as it was

  std::string to_say;  ///< what it still wants to say, in the form of its kind
  std::string said;    ///< the letters of what it sent
  std::string heard;   ///< what operators heard of it
  std::string told;    ///< what operators told it, in the order in which it was taken
  std::string got;     ///< written to it, without what its dialect adds
  std::vector<Held> held;
  std::vector<Payload> queue;  ///< not taken by the network yet
  bool paused = false;
  Time waits = kNever;    ///< since its oldest message that nobody has answered
  std::size_t notes = 0;  ///< that operators have made
  std::string holder;     ///< who claims it
  bool claim_stays = false;
  bool was_heard = false;       ///< it said something, maybe nothing but a line end
  Time due_away = kNever;       ///< by then it has to be told that everybody is away
  std::uint32_t told_away = 0;  ///< the number of the last absence that it was told of
};

struct Numbers {
  std::uint64_t out = 0;
  std::uint64_t delivered = 0;
  std::uint64_t held = 0;
  std::uint64_t lost = 0;
  std::uint64_t in = 0;
};

/// A promise of the core that did not hold.
struct Violation : std::logic_error {
  using std::logic_error::logic_error;
};

/// Cheap: it is asked some millions of times.
inline void must(bool holds, const char* else_what) {
  if (!holds) throw Violation{else_what};
}

/// The next number that decides where the walk goes.
using Choose = std::function<std::uint32_t()>;

class Walk : private core::Capacity {
 public:
  explicit Walk(Choose choose) : choose_{std::move(choose)}, router_{settings(), 0, this} {}

  void step() {
    const auto slot = static_cast<Slot>(choose_() % kSlots);
    auto& client = clients_[slot];
    if (client.closing && one_in(3)) {
      let_close(slot);
      deliver();
    }
    switch (choose_() % 24) {
      case 0:
        if (client.id == 0) connect(slot);
        if (one_in(8)) make_room();
        break;
      case 1:
        if (is_there(client) && one_in(4)) end_input(slot);
        break;
      case 2:
        if (is_there(client) && one_in(6)) break_connection(slot);
        break;
      case 3:
        operator_acts(slot);
        break;
      case 4:
      case 5:
      case 6:
        send(slot);
        break;
      case 7:
      case 8:
        let_network_take(slot);
        break;
      case 9:
      case 10:
      case 11:
      case 12:
        let_time_pass();
        break;
      default:
        if (is_there(client)) speak(slot);
        break;
    }
    check();
    if (one_in(20)) {
      must(hand_over(router_, now_, Known{*this}, this), "it cannot read what it has written");
      for (auto& each : clients_) {
        for (auto& held : each.held) held.number = held.event;
      }
      if (!away_.empty()) router_.set_away({away_, "ann"});
      check();
    }
  }

  /// Ends everything, and checks the sums.
  void finish() {
    router_.stop(now_, outbox_);
    deliver();
    for (Slot slot = 0; slot < kSlots; ++slot) {
      if (!clients_[slot].closing) continue;
      let_close(slot);
      deliver();
    }
    for (Slot slot = 0; slot < kSlots; ++slot)
      must(clients_[slot].id == 0, "a session outlived the daemon");
    check();
    must(router_.deadline() == kNever, "something is due when all is over");
    must(numbers_.held == 0, "something is held for nobody");
  }

  [[nodiscard]] const Numbers& numbers() const { return numbers_; }
  [[nodiscard]] int sessions() const { return sessions_; }
  [[nodiscard]] int overflows() const { return overflows_; }
  [[nodiscard]] int given_up() const { return given_up_; }
  [[nodiscard]] int pauses() const { return pauses_; }

 private:
  static Settings settings() {
    Settings settings;
    settings.greeting = kGreeting;
    settings.farewell = kGreeting;
    settings.max_message = 300;
    settings.answer_timeout = Duration{40'000};
    settings.idle_timeout = Duration{50'000};
    settings.messages_per_second = 5;
    settings.messages_burst = 4;
    settings.output_hard = 4000;
    return settings;
  }

  /// Everybody else knows a message by the event that said that it is held.
  class Known : public core::KnownNumbers {
   public:
    explicit Known(Walk& walk) : walk_{walk} {}
    [[nodiscard]] std::uint64_t number_of(SessionId session, MessageNumber number) const override {
      for (const auto& held : walk_.by_id(session).held) {
        if (held.number == number) return held.event;
      }
      throw Violation{"held, and not known"};
    }

   private:
    Walk& walk_;
  };

  bool one_in(std::uint32_t times) { return choose_() % times == 0; }
  std::size_t up_to(std::size_t most) { return 1 + choose_() % most; }

  /// Letters, some of them of several bytes, that differ from text to text.
  std::string text() {
    static const std::vector<std::string> kLetters = {
        "a", "b", "c", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    std::string all;
    const auto size = one_in(40) ? up_to(2500) : up_to(30);
    while (all.size() < size) all += kLetters[choose_() % kLetters.size()];
    return all + std::to_string(choose_() % 1000);
  }

  // ---- clients ----

  void connect(Slot slot) {
    static constexpr DialectSetting kSettings[] = {
        DialectSetting::kAuto,     DialectSetting::kAuto,      DialectSetting::kAuto,
        DialectSetting::kOriginal, DialectSetting::kLine,      DialectSetting::kTelnet,
        DialectSetting::kRaw,      DialectSetting::kWebSocket, DialectSetting::kWeb};
    static constexpr std::string_view kRooms[] = {"", "", "lab", "yard"};
    static constexpr std::string_view kGiven[] = {"", "", "name", "n1n", "n2n"};
    Client client;
    client.setting = kSettings[choose_() % std::size(kSettings)];
    client.connected = client.last_byte = now_;
    client.reads = !one_in(8);
    client.room = kRooms[choose_() % std::size(kRooms)];
    client.id = router_.connect(slot, client.setting, now_, outbox_, client.room,
                                kGiven[choose_() % std::size(kGiven)]);
    client.name = "guest-" + std::to_string(client.id);
    must(client.id == ++last_id_, "ids do not count up");
    clients_[slot] = client;
    ++sessions_;
    deliver();
  }

  /// Its next bytes, cut anywhere; those of an original client are one message.
  void speak(Slot slot) {
    auto& client = clients_[slot];
    // What the kernel holds is not read while it is paused, but what was read is.
    if (client.input_over || (client.paused && !one_in(8))) return;
    if (client.said_bye && client.to_say.empty()) return;
    if (client.setting == DialectSetting::kWeb && !router_.may_say(slot, now_)) return;
    const auto dialect = router_.at(slot).dialect();
    const bool original = dialect == Dialect::kOriginal || dialect == Dialect::kRaw ||
                          (dialect == Dialect::kUndecided && client.to_say.empty() && one_in(3));
    std::string bytes;
    if (client.setting == DialectSetting::kWeb) {
      bytes = line(client);
      bytes.erase(bytes.find_last_not_of("\r\n") + 1);
    } else if (client.setting == DialectSetting::kWebSocket) {
      while (client.to_say.size() < 40 && !client.said_bye) client.to_say += frames(client);
      bytes = client.to_say.substr(0, up_to(client.to_say.size()));
      client.to_say.erase(0, bytes.size());
    } else if (original) {
      client.said_bye = one_in(60);
      bytes = client.to_say + said(client, client.said_bye ? "bye" : text().substr(0, 60) + ".");
      client.to_say.clear();
      if (dialect == Dialect::kOriginal && client.setting == DialectSetting::kAuto && one_in(30)) {
        bytes += '\n';  // it was not an original client after all
      }
    } else {
      while (client.to_say.size() < 40 && !client.said_bye) client.to_say += line(client);
      bytes = client.to_say.substr(0, up_to(client.to_say.size()));
      client.to_say.erase(0, bytes.size());
    }
    client.spoken = true;
    client.last_byte = now_;
    const auto id = client.id;
    for (const auto& each : clients_) hears_.push_back(each.id != 0 && hears_room(each));
    if (client.setting == DialectSetting::kWeb) {
      router_.say(slot, bytes, now_, outbox_);
    } else {
      router_.receive(slot, bytes, now_, outbox_);
    }
    deliver();
    hears_.clear();
    if (client.id == id) note_pause_in_line(client);
  }

  /// Someone who types a line slowly, and has sent no LF yet, is taken for an original
  /// client, to which neither a CR nor IAC means anything.
  void note_pause_in_line(Client& client) const {
    const auto dialect = router_.find(client.id)->dialect();
    const bool waits_for_end =
        dialect == Dialect::kLine || dialect == Dialect::kTelnet || dialect == Dialect::kWebSocket;
    if (!client.to_say.empty() && !waits_for_end) client.lossy = true;
  }

  /// A message of a WebSocket, in one frame or two, with what may stand between; or its end.
  std::string frames(Client& client) {
    if (one_in(80)) {
      client.said_bye = true;
      return one_in(2) ? client_frame(kClose, "\x03\xE8") : client_frame(kFin | kBinary, "");
    }
    auto words = line(client);
    words.erase(words.find_last_not_of("\r\n") + 1);
    const auto ping = one_in(4) ? client_frame(one_in(2) ? kPing : kPong, "there?") : std::string{};
    if (!one_in(4)) return ping + client_frame(kFin | kText, words);
    const auto cut = choose_() % (words.size() + 1);
    return client_frame(kText, words.substr(0, cut)) + ping +
           client_frame(kFin | kContinuation, words.substr(cut));
  }

  static bool is_of_web(const Client& client) {
    return client.setting == DialectSetting::kWebSocket || client.setting == DialectSetting::kWeb;
  }

  /// What is written, as the client understands it.
  static std::string understood(const Client& client, std::string_view bytes) {
    if (client.setting == DialectSetting::kWeb) {
      const auto said = core::web_text(bytes);
      must(said.author.empty() || said.author == "ann" || said.author == "bob", "the author");
      return std::string{said.text};
    }
    if (client.setting != DialectSetting::kWebSocket) return std::string{bytes};
    must(bytes.size() >= 2, "half a frame");
    const auto head = static_cast<std::uint8_t>(bytes[0]);
    const auto length = static_cast<std::uint8_t>(bytes[1]);
    const std::size_t from = length < 126 ? 2 : 4;
    std::size_t size = length;
    if (length == 126) {
      size = static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[2])) << 8U |
             static_cast<std::uint8_t>(bytes[3]);
    }
    must(length < 127 && bytes.size() == from + size, "no whole frame");
    const bool is_text = head == (kFin | kText);
    must(is_text || head == kClose || head == kPing || head == kPong, "an unknown frame");
    return std::string{is_text ? bytes.substr(from) : std::string_view{}};
  }

  std::string line(Client& client) {
    if (one_in(60)) {
      client.said_bye = true;
      return "bye\n";
    }
    if (one_in(80)) {
      client.lossy = true;
      return std::string(up_to(2000), 'z') + "\n";
    }
    const bool names_itself =
        !client.room.empty() && (client.setting == DialectSetting::kLine || is_of_web(client));
    if (names_itself && one_in(12)) return "/name n" + std::to_string(choose_() % 9) + "n\n";
    std::string bytes;
    if (client.setting == DialectSetting::kTelnet || (one_in(10) && can_be_telnet(client))) {
      static const std::vector<std::string> kSequences = {
          "\xff\xfd\x03", "\xff\xfb\x18", "\xff\xf1", "\xff\xfa\x1f q\xff\xff\xff\xf0"};
      bytes = kSequences[choose_() % kSequences.size()];
    }
    bytes += said(client, one_in(10) ? "" : text().substr(0, 60) + ".");
    return bytes + (one_in(2) ? "\r\n" : "\n");
  }

  /// For all but telnet clients IAC is a byte like any other, and never UTF-8.
  bool can_be_telnet(const Client& client) const {
    const auto* session = router_.find(client.id);
    return session->dialect() == Dialect::kTelnet ||
           (session->dialect() == Dialect::kUndecided && client.setting == DialectSetting::kAuto &&
            !client.spoken && client.to_say.empty());
  }

  /// Notes what operators must hear. (Cutting text() may have cut a character.)
  static std::string said(Client& client, std::string_view text) {
    std::string whole;
    append_repaired(whole, text);
    if (whole != "bye") client.said += whole;
    return whole;
  }

  void end_input(Slot slot) {
    auto& client = clients_[slot];
    if (client.input_over || client.paused) return;
    if (!client.to_say.empty()) client.lossy = true;  // it may end inside a character
    client.input_over = true;
    client.ended_input = now_;
    router_.end_of_input(slot, now_, outbox_);
    deliver();
  }

  void break_connection(Slot slot) {
    gone_ = slot;
    router_.broken(slot, "reset", unsent(clients_[slot]), now_, outbox_);
    for (const auto& write : outbox_.writes())
      must(write.slot != slot, "a write to a gone connection");
    for (const auto& close : outbox_.closes())
      must(close.slot != slot, "a close of a gone connection");
    deliver();
    must(!router_.has(slot), "a session without a connection");
  }

  static bool is_in(const std::vector<Slot>& slots, Slot slot) {
    return std::find(slots.begin(), slots.end(), slot) != slots.end();
  }

  static std::uint32_t unsent(const Client& client) {
    std::uint32_t sum = 0;
    for (const auto& payload : client.queue) sum += payload.weight();
    return sum;
  }

  /// Whether the network has room for so many more bytes.
  bool has_room(Slot slot, std::size_t bytes) override {
    for (const auto& payload : clients_[slot].queue) bytes += payload.size();
    return bytes <= (clients_[slot].reads ? 3000U : 300U);
  }
  [[nodiscard]] std::uint32_t unsent(Slot slot) const override { return unsent(clients_[slot]); }

  bool hears_room(const Client& client) const {
    const auto* session = router_.find(client.id);
    return !client.room.empty() && session != nullptr && session->hears_room();
  }

  /// Somebody gives way to others: the oldest that waits for one answer, one that never spoke, or
  /// anybody.
  void make_room() {
    SessionId chosen = 0;
    for (Slot slot = 0; slot < kSlots; ++slot) {
      const auto& client = clients_[slot];
      if (is_there(client) && client.input_over) {
        must(router_.asking().contains(client.id), "who asks is not known as such");
        if (chosen == 0 || client.id < chosen) chosen = client.id;
      }
    }
    for (const SessionId id : router_.silent()) {
      must(!router_.find(id)->has_spoken(), "one that has spoken is taken for silent");
      if (chosen == 0) chosen = id;
    }
    const auto& any = clients_[choose_() % kSlots];
    if (chosen == 0 || one_in(3)) chosen = any.id;
    const bool there =
        chosen != 0 && router_.find(chosen) != nullptr && !router_.find(chosen)->ended();
    const bool made = router_.give_way(chosen, "gave way", now_, outbox_);
    must(made == there, "room was made, or was not");
    must(!there || router_.find(chosen) == nullptr, "it did not give way");
    deliver();
  }

  static bool is_there(const Client& client) { return client.id != 0 && !client.closing; }

  /// What was written to one that has ended has arrived, or will not arrive any more.
  void let_close(Slot slot) {
    router_.closed(slot, one_in(3) ? unsent(clients_[slot]) : 0, now_, outbox_);
  }

  void let_network_take(Slot slot) {
    auto& queue = clients_[slot].queue;
    if (queue.empty() || !clients_[slot].reads) return;
    const auto taken = one_in(3) ? queue.size() : up_to(queue.size());
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  // ---- operators ----

  void send(Slot slot) {
    const auto message = text();
    const auto by = somebody();
    Recipients to;
    if (one_in(10)) {
      to.everyone = true;
    } else if (one_in(5)) {
      for (auto i = up_to(4); i > 0; --i) to.sessions.push_back(up_to(last_id_ + 1));
      to.sessions.push_back(clients_[slot].id);
    } else if (clients_[slot].id != 0) {
      to.sessions = {clients_[slot].id};
    }
    const auto receipt = router_.send(to, message, by, now_, outbox_);
    for (const auto id : receipt.delivered) {
      must(to.everyone || may(by, by_id(id)), "sent to another's");
      if (!to.everyone) by_id(id).waits = kNever;
      by_id(id).told += message;
    }
    for (const auto id : receipt.held) {
      must(to.everyone || may(by, by_id(id)), "held for another's");
      if (!to.everyone) by_id(id).waits = kNever;
      by_id(id).told += message;
      held_now_.emplace_back(id, by_id(id).told.size());
    }
    numbers_.out += receipt.delivered.size() + receipt.held.size();
    numbers_.delivered += receipt.delivered.size();
    numbers_.held += receipt.held.size();
    for (const auto& refused : receipt.refused) {
      if (refused.why == Refusal::kNoSession) {
        must(router_.find(refused.session) == nullptr, "refused as unknown, and known");
      } else if (refused.why == Refusal::kClaimed) {
        must(!to.everyone && !may(by, by_id(refused.session)), "refused as claimed");
      } else if (router_.find(refused.session) == nullptr) {
        ++numbers_.out;
        ++numbers_.lost;
        lost_now_.push_back(refused.session);
      } else {
        const auto& client = by_id(refused.session);
        must(client.parting || client.closing || router_.find(client.id)->held() > 0,
             "refused without a cause");
      }
    }
    deliver();
  }

  std::string somebody() { return one_in(3) ? "bob" : "ann"; }

  static bool may(const std::string& name, const Client& client) {
    return client.holder.empty() || client.holder == name;
  }

  static Outcome expected(const std::string& by, const Client& client) {
    return client.id == 0    ? Outcome::kNoSession
           : may(by, client) ? Outcome::kDone
                             : Outcome::kClaimed;
  }

  void operator_acts(Slot slot) {
    auto& client = clients_[slot];
    const auto by = somebody();
    const auto outcome = expected(by, client);
    switch (choose_() % 8) {
      case 0: {
        const bool before = client.parting || client.closing;
        must(router_.bye(client.id, by, now_, outbox_) == outcome, "bye");
        if (outcome != Outcome::kDone || before) break;
        client.parting = true;
        client.parted = now_;
        client.told += "bye";
        break;
      }
      case 1:
        if (one_in(4)) must(router_.kick(client.id, "", by, now_, outbox_) == outcome, "kick");
        break;
      case 2:
        name(client, by);
        break;
      case 3:
        claim(client, by);
        break;
      case 4:
        must(router_.release(client.id, by, outbox_) == outcome, "release");
        if (outcome == Outcome::kDone) client.holder.clear();
        break;
      case 6:
        go_or_come_back();
        break;
      case 7:
        must(router_.add_note(client.id, text(), by, now_, outbox_) ==
                 expected(client.holder, client),
             "note");
        ++client.notes;
        break;
      case 5:
        router_.release_if([&](auto holder) { return holder == by; }, outbox_);
        for (auto& each : clients_) {
          if (each.holder == by && !each.claim_stays) each.holder.clear();
        }
        break;
      default:
        break;
    }
    deliver();
  }

  void name(Client& client, const std::string& by) {
    static constexpr std::string_view kNames[] = {"name", "n1n", "n2n", "n3n", ""};
    const auto wish = kNames[choose_() % std::size(kNames)];
    const auto other = router_.called(wish);
    if (other != 0 && other != client.id) return;
    must(router_.name(client.id, wish, by, now_, outbox_) == expected(client.holder, client),
         "name");
  }

  void go_or_come_back() {
    if (one_in(3)) {
      away_.clear();
      for (auto& client : clients_) client.due_away = kNever;
      router_.end_away();
      return;
    }
    const auto said = text().substr(0, 20) + ".";
    std::string whole;
    append_repaired(whole, said);
    if (whole == away_) return;
    away_ = whole;
    ++away_period_;
    router_.set_away({away_, "ann"});
  }

  void claim(Client& client, const std::string& by) {
    const bool force = one_in(3);
    const bool stays = one_in(3);
    const auto outcome = router_.claim(client.id, Claim{by, stays}, force, {}, outbox_);
    must(outcome == expected(force ? client.holder : by, client), "claim");
    if (outcome != Outcome::kDone) return;
    client.holder = by;
    client.claim_stays = stays;
  }

  // ---- time ----

  void let_time_pass() {
    static constexpr int kSteps[] = {0, 1, 5, 20, 60, 300, 2000, 12'000};
    const Time target = now_ + Duration{kSteps[choose_() % (one_in(4) ? 8 : 6)]};
    const bool late = one_in(4);  // the loop was busy
    while (!late && router_.deadline() <= target) {
      now_ = std::max(now_, router_.deadline());
      tick();
    }
    now_ = target;
    tick();
  }

  void tick() {
    router_.tick(now_, outbox_);
    deliver();
    must(router_.deadline() > now_, "it would spin");
  }

  // ---- what Clients does in the daemon ----

  Client& by_id(SessionId id) {
    for (auto& client : clients_) {
      if (client.id == id) return client;
    }
    throw Violation{"nobody has that id"};
  }

  void deliver() {
    for (const auto& abort : outbox_.aborts()) {
      must(!router_.has(abort.slot), "a session after its abort");
      ++given_up_;
      full_.push_back(abort.slot);
    }
    std::size_t events = 0;
    const auto expect = [&] {
      for (; events < outbox_.events().size(); ++events) expect_in_room(outbox_.events()[events]);
    };
    for (std::size_t i = 0; i < outbox_.writes().size(); ++i) {
      expect();
      const auto write = outbox_.writes()[i];
      must(std::none_of(outbox_.aborts().begin(), outbox_.aborts().end(),
                        [&](const auto& abort) { return abort.slot == write.slot; }),
           "a write to whom it gives up");
      auto& client = clients_[write.slot];
      must(client.id != 0, "a write where nobody is");
      if (is_in(full_, write.slot)) {
        router_.lost_after_end(write.slot, write.bytes.weight());
        numbers_.delivered -= write.bytes.weight();
        numbers_.lost += write.bytes.weight();
        continue;
      }
      if (router_.has(write.slot) && router_.at(write.slot).ended() &&
          !has_room(write.slot, write.bytes.size())) {
        router_.lost_after_end(write.slot, write.bytes.weight());
        continue;
      }
      if (router_.has(write.slot) && !has_room(write.slot, write.bytes.size())) {
        ++overflows_;
        full_.push_back(write.slot);
        router_.broken(write.slot, "full", unsent(client) + write.bytes.weight(), now_, outbox_);
        continue;
      }
      client.queue.push_back(write.bytes);
      const auto bytes = understood(client, write.bytes.view());
      if (bytes.starts_with('<') || bytes.starts_with('*')) {
        overhears(write.slot, bytes);
      } else {
        write_to(write.slot, bytes);
      }
    }
    expect();
    for (const auto& said : overheard_) check_heard(said);
    for (const auto& flow : outbox_.flows()) {
      if (clients_[flow.slot].paused == flow.reading) {
        clients_[flow.slot].paused = !flow.reading;
      }
      if (!flow.reading) ++pauses_;
    }
    for (const auto& close : outbox_.closes()) {
      must(router_.has(close.slot) != close.at_once, "a close, and not the end that it has");
      const bool has_words = !close.last_words.empty();
      const auto setting = clients_[close.slot].setting;
      must(!has_words || setting == DialectSetting::kWebSocket || setting == DialectSetting::kWeb,
           "last words");
      closed_.push_back(close.slot);
    }
    for (const auto slot : closed_) {
      if (!router_.has(slot)) continue;
      clients_[slot].closing = true;
      if (one_in(2)) let_close(slot);
    }
    for (const auto& event : outbox_.events()) happened(event);
    for (auto& client : clients_) {
      if (client.due_away > now_) continue;
      must(client.parting || client.input_over || client.closing || !client.held.empty(),
           "not told that all are away");
      client.due_away = kNever;
    }
    must(lost_now_.empty(), "lost, says the receipt and no event");
    overheard_.clear();
    outbox_.clear();
    held_now_.clear();
    closed_.clear();
    full_.clear();
    gone_ = kSlots;
  }

  /// What a client of a room says, and what the others are to hear.
  struct Overheard {
    SessionId by;
    std::string room;
    std::string line;
    std::vector<Slot> heard;
  };

  void expect_in_room(const Event& event) {
    if (event.kind != EventKind::kMessage && event.kind != EventKind::kNamed) return;
    auto& client = by_id(event.session);
    const auto text = outbox_.text(event.text);
    if (event.kind == EventKind::kNamed) {
      const bool wished = event.operator_name.size == 0 && !event.automatic;
      if (!wished || client.given != text) client.given = wished ? std::string_view{} : text;
      client.name = text.empty() ? "guest-" + std::to_string(client.id) : std::string{text};
    } else if (!client.room.empty()) {
      overheard_.push_back({client.id, client.room, "<" + client.name + "> ", {}});
      append_escaped(overheard_.back().line, text);
    }
  }

  /// A client gets lines that no operator has said.
  void overhears(Slot slot, std::string_view bytes) {
    const auto& client = clients_[slot];
    must(!client.room.empty(), "it overhears others, and is in no room");
    must(!client.input_over, "it overhears others instead of an answer");
    must(router_.has(slot) && router_.at(slot).dialect() != Dialect::kOriginal,
         "an original client overhears others");
    while (!bytes.empty()) {
      auto line = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.starts_with('*')) continue;
      const auto said = std::find_if(overheard_.begin(), overheard_.end(), [&](const auto& each) {
        return each.line == line && each.room == client.room && !is_in(each.heard, slot);
      });
      must(said != overheard_.end(), "it overhears what nobody said");
      must(said->by != client.id, "it overhears itself");
      said->heard.push_back(slot);
    }
  }

  void check_heard(const Overheard& said) const {
    for (Slot slot = 0; slot < hears_.size(); ++slot) {
      const auto& client = clients_[slot];
      if (!hears_[slot] || client.id == said.by || client.room != said.room) continue;
      if (!router_.has(slot) || router_.at(slot).ended() || is_in(full_, slot)) continue;
      must(is_in(said.heard, slot), "it does not hear what was said in its room");
    }
  }

  /// The letters that a client gets, without what its dialect adds to them.
  void write_to(Slot slot, std::string_view bytes) {
    auto& client = clients_[slot];
    must(client.spoken || client.setting == DialectSetting::kRaw || is_of_web(client) ||
             now_ >= client.connected + kSilence,
         "it was spoken to too soon");
    const bool greeted = bytes.find(kGreeting) != std::string_view::npos;
    if (router_.has(slot) && router_.at(slot).dialect() == Dialect::kOriginal) {
      must(!greeted, "an original client was greeted");
      must(is_utf8(bytes), "a part of a character");
      if (router_.at(slot).state() != Session::State::kAsking && !client.input_over) {
        must(bytes.size() <= 1024, "more than it reads at once");
      }
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char byte = bytes[i];
      if (byte == '\xff') {  // a refusal
        i += 2;
      } else if (byte != '\r' && byte != '\n' && byte != kGreeting) {
        client.got += byte;
      }
    }
  }

  void happened(const Event& event) {
    ++last_event_;
    if (event.kind == EventKind::kSent) {
      const auto by = outbox_.text(event.operator_name);
      must(by == "ann" || by == "bob", "who sent it?");
      if (event.automatic) return answered(event);
      if (event.session != 0) return sent(event, event.session, event.message);
      must(event.sessions.size > 0, "an event for nobody");
      const auto ids = outbox_.ids(event.sessions);
      const auto numbers = outbox_.messages(event.messages);
      must(numbers.size() == (event.state == SendState::kHeld ? ids.size() : 0), "numbers");
      for (std::size_t i = 0; i < ids.size(); ++i) {
        sent(event, ids[i], numbers.empty() ? 0 : numbers[i]);
      }
      return;
    }
    auto& client = by_id(event.session);
    switch (event.kind) {
      case EventKind::kMessage:
        client.heard += outbox_.text(event.text);
        client.lossy = client.lossy || event.cut;  // maybe inside a character
        client.was_heard = true;
        if (client.waits == kNever) client.waits = now_;
        if (!away_.empty() && client.told_away != away_period_) {
          client.due_away = std::min(client.due_away, now_ + kEndWithWords);
        }
        ++numbers_.in;
        break;
      case EventKind::kDelivered:
        must(!client.held.empty(), "delivered, and not held");
        must(client.held.front().number == event.message, "delivered out of order");
        delivered_.emplace_back(client.id, client.held.front().end);
        client.held.erase(client.held.begin());
        --numbers_.held;
        ++numbers_.delivered;
        break;
      case EventKind::kDisconnected:
        over(client, event);
        break;
      default:
        break;
    }
  }

  /// A client was answered for those who are away.
  void answered(const Event& event) {
    auto& client = by_id(event.session);
    must(client.was_heard && client.told_away != away_period_,
         "told that everybody is away, and not owed that");
    must(!client.input_over, "told instead of an answer");
    must(outbox_.text(event.text) == away_, "it was told something else");
    client.due_away = kNever;
    client.told_away = away_period_;
    client.told += away_;
    ++numbers_.out;
    switch (event.state) {
      case SendState::kSent:
        ++numbers_.delivered;
        break;
      case SendState::kHeld:
        ++numbers_.held;
        hold(client, event.message, client.told.size());
        break;
      case SendState::kLost:
        ++numbers_.lost;
        break;
    }
  }

  void hold(Client& client, MessageNumber number, std::size_t end) const {
    must(client.held.empty() || client.held.back().number < number, "numbers do not count up");
    client.held.push_back({number, last_event_, end});
  }

  void sent(const Event& event, SessionId id, MessageNumber number) {
    if (event.state == SendState::kLost) {
      must(std::erase(lost_now_, id) == 1, "lost, says the event and not the receipt");
    } else if (event.state == SendState::kHeld) {
      const auto place = std::find_if(held_now_.begin(), held_now_.end(),
                                      [id](const auto& held) { return held.first == id; });
      must(place != held_now_.end(), "held, says the event and not the receipt");
      hold(by_id(id), number, place->second);
    }
  }

  /// A session has ended: checks that all that had to be said about it was said.
  void over(Client& client, const Event& event) {
    const auto reason = outbox_.text(event.text);
    const auto slot = event.slot;
    must(&client == &clients_[slot], "gone from another slot");
    const bool closed = is_in(closed_, slot) || client.closing;
    must(closed == (gone_ != slot && !is_in(full_, slot)), "gone, and not closed");
    check_words(client);
    // It could say nothing more: all that it had said was heard.
    if ((client.input_over || reason == "bye" || reason == "left") && !client.lossy) {
      must(letters(client.heard) == client.said, "a session ended before all was heard");
    }
    const auto held = client.held.size();
    numbers_.held -= held;
    const auto never_left = event.lost - held;
    numbers_.delivered -= never_left;
    numbers_.lost += event.lost;
    client = {};
  }

  /// The text without what `said` leaves out. A bye is heard if other words came with it.
  static std::string letters(std::string_view text) {
    std::string all{text};
    std::erase_if(all, [](char c) { return c == '\r' || c == '\n'; });
    for (auto at = all.find("bye"); at != std::string::npos; at = all.find("bye")) all.erase(at, 3);
    return all;
  }

  void check_words(const Client& client) const {
    must(std::string_view{client.told}.starts_with(client.got), "it got what was not said to it");
    must(client.lossy || std::string_view{client.said}.starts_with(letters(client.heard)),
         "operators heard what it did not say");
  }

  void check() {
    const auto& counters = router_.counters();
    must(counters.messages_out == numbers_.out, "messages_out");
    must(counters.delivered == numbers_.delivered, "delivered");
    must(counters.held == numbers_.held, "held");
    must(counters.lost == numbers_.lost, "lost");
    must(counters.messages_in == numbers_.in, "messages_in");
    must(numbers_.out == numbers_.delivered + numbers_.held + numbers_.lost, "the sum");

    for (const auto& [id, end] : delivered_) {
      const auto* session = router_.find(id);
      must(session == nullptr || clients_[session->slot()].got.size() >= end,
           "delivered, and not written");
    }
    delivered_.clear();

    std::size_t sessions = 0;
    for (Slot slot = 0; slot < kSlots; ++slot) {
      const auto& client = clients_[slot];
      must(router_.has(slot) == (client.id != 0), "a session that ended silently");
      if (client.id == 0) continue;
      ++sessions;
      check_session(client, router_.at(slot));
    }
    must(router_.size() == sessions, "sessions that nobody knows");
    check_words(clients_[checks_++ % kSlots]);  // one client a step: this check is expensive
  }

  /// Checks that nothing is overdue, as far as that can be seen from outside.
  void check_session(const Client& client, const Session& session) const {
    must(router_.find(client.id) == &session, "its id is not its slot's");
    must(session.held() == client.held.size(), "held");
    must(session.ended() == client.closing, "closing");
    if (client.closing) return;
    must(session.waiting_since() == client.waits, "waiting since");
    const auto notes = session.talk() == nullptr ? 0 : session.talk()->notes().size();
    must(notes == std::min(client.notes, core::Talk::kMostNotes), "notes");
    must(client.given.empty() || router_.called(client.given) == client.id, "called");
    must(session.has_wished_name() == (!session.name().empty() && client.given.empty()), "wished");
    for (const auto& each : clients_) {
      const bool other = is_there(each) && each.id != client.id && each.room == client.room;
      must(!other || client.room.empty() || each.name != client.name, "two of a room are one");
    }
    must((session.claim() == nullptr ? "" : session.claim()->holder) == client.holder, "claimed");
    const auto& settings = router_.settings();
    const bool reads_lines =
        session.dialect() == Dialect::kLine || session.dialect() == Dialect::kTelnet;
    if (session.dialect() == Dialect::kUndecided && client.spoken && !client.paused) {
      must(now_ < client.last_byte + kCharacterWait + settings.settle, "still undecided");
    }
    must(!reads_lines || !client.spoken || session.held() == 0, "held for a line client");
    must(client.setting != DialectSetting::kRaw || session.held() == 0, "held for a raw client");
    must(!is_of_web(client) || session.held() == 0, "held for a websocket or web client");
    if (!client.spoken && client.setting != DialectSetting::kOriginal) {
      must(session.held() == 0 || now_ < client.connected + kSilence, "held for a silent one");
    }
    must((session.state() == Session::State::kAsking) == client.input_over, "asking");
    must(!client.input_over || now_ < client.ended_input + settings.answer_timeout, "still asking");
    must((session.state() == Session::State::kParting) == client.parting, "parting");
    if (client.parting) {
      // The word may have gone out when that was nearly over.
      must(now_ < client.parted + 2 * settings.bye_grace + settings.original_hold, "still parting");
    }
    must(now_ < session.last_activity() + settings.idle_timeout, "still idle");
    must(router_.deadline() <= session.deadline(settings), "it would sleep too long");
  }

  Choose choose_;
  Router router_;
  Outbox outbox_;
  Time now_{Duration{1'000'000}};
  SessionId last_id_ = 0;
  std::uint64_t last_event_ = 0;
  std::array<Client, kSlots> clients_;
  Numbers numbers_;
  std::string away_;  ///< empty: somebody is there
  std::uint32_t away_period_ = 0;
  std::size_t checks_ = 0;
  int sessions_ = 0;
  int overflows_ = 0;
  int given_up_ = 0;
  int pauses_ = 0;

  // The delivery that is under way.
  std::vector<std::pair<SessionId, std::size_t>> held_now_;
  std::vector<std::pair<SessionId, std::size_t>> delivered_;
  std::vector<SessionId> lost_now_;
  std::vector<Overheard> overheard_;
  std::vector<bool> hears_;  ///< whether the client of that slot heard its room before it began
  std::vector<Slot> closed_;
  std::vector<Slot> full_;
  Slot gone_ = kSlots;
};

}  // namespace chatd::test::model
