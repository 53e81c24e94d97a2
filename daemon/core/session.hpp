/// One client from connect to close: what it says (Framer), when it may be spoken
/// to (Turn), and how it ends. A pure machine: bytes, operator's words and time go
/// in, effects go to the Outbox. It knows no other session and no operator.
///
/// Invariants: once it has ended() nothing more is heard of it, said to it or said about it but
/// one last event, `disconnected`; with that it is_over().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "core/framer.hpp"
#include "core/outbox.hpp"
#include "core/outgoing.hpp"
#include "core/rooms.hpp"
#include "core/settings.hpp"
#include "core/talk.hpp"
#include "core/turn.hpp"
#include "http/frame.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

/// Counted over the life of the daemon. A message of an operator to several sessions counts
/// once for each of them.
///
/// Invariant: messages_out = delivered + held + lost.
struct Counters {
  std::uint64_t accepted = 0;      ///< sessions
  std::uint64_t messages_in = 0;   ///< messages of clients
  std::uint64_t messages_out = 0;  ///< messages taken from operators
  std::uint64_t delivered = 0;     ///< of those, written to the client's connection
  std::uint64_t held = 0;          ///< of those, waiting for the client (a gauge)
  std::uint64_t lost = 0;          ///< of those, never to reach the client

  [[nodiscard]] bool add_up() const { return messages_out == delivered + held + lost; }
};

class Session;
struct Context;

/// Who gives the clients of a room the names that they wish.
class RoomNames {
 public:
  virtual ~RoomNames() = default;
  /// `session` wishes to be called `name`, which may be anything.
  virtual void wish(Session& session, std::string_view name, Context& context) = 0;
  /// Another client of its room has been given the name that `session` had wished.
  virtual void lose(Session& session, Context& context) = 0;
};

/// What a session works with besides its own state.
struct Context {
  const Settings& settings;
  Time now;
  Outbox& outbox;
  Reading& reading;
  Counters& counters;
  std::size_t first_write = 0;  ///< of the outbox: from there on all are to this session
  /// The connection is gone: there is nothing to write to or to close.
  bool gone = false;
  std::uint32_t unsent = 0;         ///< messages that were written to it and never sent
  RoomNames* room_names = nullptr;  ///< not null while a session of a room may read
};

/// What a WebSocket is closed with: RFC 6455, section 5.5.1.
struct CloseFrame {
  std::uint16_t code = http::kNormalClosure;
  std::string_view words;  ///< for whoever looks into it; well-formed UTF-8
};

/// The operator who alone answers a session.
struct Claim {
  std::string holder;
  bool stays = false;  ///< also when the holder is not there
};

class Session {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kAsking,   ///< closed its sending side; waits for one answer
    kParting,  ///< an operator said bye; waits for its own bye
    kClosing,  ///< it has ended, and what was written to it may still be on its way
    kOver,     ///< nothing is left of it
  };

  /// Whether a message can go to it.
  enum class Disposition : std::uint8_t {
    kNow,      ///< it goes out at once
    kHold,     ///< it will be held, in whole or in part
    kParting,  ///< refused: bye was said
    kFull,     ///< refused: output_hard bytes are held already
    kTooLong,  ///< refused: by itself more than output_hard
    kEmpty,    ///< refused: a client without line ends would never notice an empty message
    kClosing,  ///< refused: it has ended
  };

  /// Whether the others of its room have heard of it.
  enum class Presence : std::uint8_t { kUnseen, kThere, kLeft };

  Session(SessionId id, Slot slot, DialectSetting setting, Time now);

  /// Writes down all of its state but its slot. It must not be over. For `known` see
  /// Turn::save(). For a short record `most` bounds the bytes of the message that has begun,
  /// of those that are held, and of input that waits to be read.
  void save(ByteWriter& out, Time now, const KnownNumbers& known,
            std::size_t most = SIZE_MAX) const;
  /// Null if the bytes cannot be a session. It has no slot yet: Router::adopt() gives it one.
  static std::unique_ptr<Session> restore(ByteReader& in, Time now);
  void move_to(Slot slot) { slot_ = slot; }

  /// Adds the event `connected`. It must be called once, before all that follows. A websocket or
  /// web client is greeted.
  void connected(Context& context);

  // What the client does.
  void receive(std::string_view bytes, Context& context);
  /// A web client says a whole text, which is well-formed UTF-8, whatever its rate allows. Of a
  /// longer one than max_message the beginning is heard, as one that was cut.
  void say(std::string_view text, Context& context);
  /// Whether its rate allows it to say something now.
  [[nodiscard]] bool may_say(Time now, const Settings& settings) const;
  void end_of_input(Context& context);
  /// The connection is gone; `unsent` messages of it were still queued. A message that had
  /// begun is heard, as one that was cut.
  void broken(std::string_view reason, std::uint32_t unsent, Context& context);

  // What operators do.
  [[nodiscard]] Disposition disposition(std::size_t size, const Settings& settings) const;
  /// Who writes. What an operator says to everyone, and what is said automatically, is no answer:
  /// unread messages stay unread.
  enum class Writer : std::uint8_t { kOperator, kAnnouncer, kAutomatic };
  /// Sends at once; disposition() was kNow.
  void send(Outgoing& message, Context& context, Writer writer = Writer::kOperator);
  /// Its connection has no room for the message: it is lost, and the session is to end.
  static void lose(Context& context);
  /// Holds the message, and returns its number; disposition() was kHold. A part of it may
  /// go out at once.
  MessageNumber hold(Outgoing& message, Context& context, Writer writer = Writer::kOperator);
  void bye(std::string_view operator_name, Context& context);
  /// Ends it at once: kicked. Of what was written to it `unsent` messages never left. `frame`: for
  /// a WebSocket.
  void end(std::string_view reason, CloseFrame frame, std::uint32_t unsent, Context& context);
  /// Ends it to make room for others, without waiting for anything; `unsent` as for end().
  void give_way(std::string_view why, std::uint32_t unsent, Context& context);
  /// The daemon stops: a last word where one is due, then the end.
  void stop(Context& context);
  /// After its end `unsent` messages more are known to be lost.
  void lose_after_end(std::uint32_t unsent) { lost_ += unsent; }
  /// Everything that was written to it before its end is acknowledged, but for `unsent`
  /// messages, of which nothing more will be heard: it is over.
  void closed(std::uint32_t unsent, Context& context);
  /// `wished`: by the client itself.
  void set_name(std::string_view name, bool wished = false);
  /// `operator_name` has answered it by itself: the message was sent or is held.
  void answered(std::string_view text, std::string_view operator_name);
  void add_note(Note note) { talk_.add(std::move(note)); }

  // Its room; see Rooms and passing_on.cpp.
  void join(Rooms::Number room) { room_ = room; }
  [[nodiscard]] Rooms::Number room() const { return room_; }
  [[nodiscard]] Presence presence() const { return presence_; }
  void set_presence(Presence presence) { presence_ = presence; }
  /// Whether it is to hear what others of its room say: it reads at any time, and waits for no
  /// answer.
  [[nodiscard]] bool hears_room() const;
  /// It hears something that no operator has said.
  void hear(Outgoing& message, Context& context);

  /// Whether what is said to everyone, or by the daemon for itself, is kept from it: it waits
  /// for one answer, and would take that for it.
  [[nodiscard]] bool is_left_out() const { return state_ == State::kAsking; }
  /// It has said something, and should be told that all operators are away.
  void owe_away(Time now);
  /// Whether it is to be told that now: no end of file came with what it said.
  [[nodiscard]] bool is_due_away() const {
    return owes_away_ && state_ == State::kOpen && until_ == kNever;
  }
  void forgive_away() { owes_away_ = false; }
  void set_claim(std::unique_ptr<Claim> claim) { claim_ = std::move(claim); }

  /// Does what is due.
  void expire(Context& context);
  /// When expire() has something to do; may be too early, never too late.
  [[nodiscard]] Time deadline(const Settings& settings) const;
  /// Whether expire() would conclude something from its silence.
  [[nodiscard]] bool is_due_by_silence(Time now) const;

  [[nodiscard]] SessionId id() const { return id_; }
  [[nodiscard]] Slot slot() const { return slot_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool is_over() const { return state_ == State::kOver; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Dialect dialect() const { return framer_.dialect(); }
  [[nodiscard]] Time connected_at() const { return connected_at_; }
  /// When a byte last came from it or went to it; of a WebSocket, a message.
  [[nodiscard]] Time last_activity() const { return last_activity_; }
  /// Whether a byte came from it.
  [[nodiscard]] bool has_spoken() const { return spoken_; }
  /// Memory for what it has begun to say, for what it has said too fast, and for what is
  /// remembered of its conversation. What is written to it, or held for it, is not counted.
  [[nodiscard]] std::size_t kept_bytes() const {
    return framer_.kept_bytes() + (backlog_ ? backlog_->capacity() : 0) + talk_.kept_bytes();
  }
  /// Its messages since an operator last wrote to it.
  [[nodiscard]] std::uint32_t unread() const { return unread_; }
  /// What is remembered of its conversation; null: nothing.
  [[nodiscard]] const Talk* talk() const { return talk_.is_empty() ? nullptr : &talk_; }
  /// When the oldest of the unread messages came; kNever: there are none.
  [[nodiscard]] Time waiting_since() const { return unread_ > 0 ? talk_.waiting_since() : kNever; }
  /// Whether more was read than its rate allows: its stream is to be paused.
  [[nodiscard]] bool waits_to_be_read() const { return backlog_ != nullptr; }
  /// Messages that are held for it.
  [[nodiscard]] std::uint32_t held() const { return turn_ ? turn_->held() : 0; }
  /// Their numbers, which count up.
  [[nodiscard]] std::vector<MessageNumber> held_messages() const {
    return turn_ ? turn_->numbers() : std::vector<MessageNumber>{};
  }
  [[nodiscard]] std::string_view name() const { return name_ ? *name_ : std::string_view{}; }
  /// Whether it has a name, and that by its own wish.
  [[nodiscard]] bool has_wished_name() const { return name_ && name_wished_; }
  /// The last time that operators were away and it was told so, by number; 0: none.
  [[nodiscard]] std::uint32_t told_away() const { return told_away_; }
  void set_told_away(std::uint32_t period) { told_away_ = period; }
  /// Null if nobody has claimed it.
  [[nodiscard]] const Claim* claim() const { return claim_.get(); }
  /// Whether another operator than this one has claimed it.
  [[nodiscard]] bool is_anothers(std::string_view operator_name) const {
    return claim_ && claim_->holder != operator_name;
  }

  /// The deadline under which the router has filed this session.
  Time filed_at = kNever;
  bool watched = false;       ///< the router takes note of each change; see Router::watch()
  bool noted = false;         ///< and has taken note of one
  bool filed_silent = false;  ///< among those who have never said anything

 private:
  // Here, because these have a place here for which nothing else is needed.
  Rooms::Number room_ = 0;
  Presence presence_ = Presence::kUnseen;
  bool name_wished_ = false;  ///< see has_wished_name()
  std::uint32_t lost_ = 0;    ///< see lose_after_end()
  std::uint32_t told_away_ = 0;

  void read(std::string_view input, Context& context);
  void read_messages(std::string_view input, Context& context);
  void read_backlog(Context& context);
  void message(Context& context);
  void heard(Context& context);
  void decided(Context& context);
  [[nodiscard]] bool may_be_spoken_to() const;
  void speak_first(Context& context);
  void wait_for_end(Time now);
  void clear_of_end(Context& context);
  void greet(Context& context);
  void let_out_all(Context& context);
  void let_out(Context& context);
  void part(Context& context);
  void close(std::string_view reason, Context& context, CloseFrame frame = {});
  void say_over(std::string_view reason, Context& context);
  void write(Payload bytes, Context& context);
  void answer(std::string& bytes, Context& context);
  void put(Payload bytes, Context& context);
  void delivered(const std::vector<MessageNumber>& messages, Context& context);
  bool may_read(const Context& context);
  [[nodiscard]] float tokens_at(Time now, const Settings& settings) const;
  [[nodiscard]] bool takes_turns() const;
  [[nodiscard]] bool reads_lines() const;
  [[nodiscard]] bool is_there_at_once() const;
  [[nodiscard]] bool is_delimited() const;
  [[nodiscard]] bool reads_always() const;
  [[nodiscard]] bool writable() const;
  [[nodiscard]] bool is_bye(std::string_view text) const;
  Turn& turn();
  [[nodiscard]] Time hold_until(const Context& context) const;

  Framer framer_;
  std::unique_ptr<Turn> turn_;         ///< only while it matters
  std::unique_ptr<std::string> name_;  ///< only if it has one
  std::unique_ptr<Claim> claim_;
  Talk talk_;
  std::unique_ptr<std::string> backlog_;          ///< read, but past its rate; reading is paused
  std::unique_ptr<std::string> farewell_reason_;  ///< kParting, kClosing: why it ends
  SessionId id_;
  MessageNumber last_message_ = 0;  ///< the last number that was given
  Time connected_at_;
  Time last_activity_;
  /// kAsking, kParting: when that ends. kOpen: when it is clear that no end of file came with
  /// its words, if there is something to say to it then.
  Time until_ = kNever;
  Time refilled_;  ///< when tokens_ was right
  static constexpr float kWholeBurst = -1;
  float tokens_ = kWholeBurst;  ///< messages that it may send at once
  std::uint32_t unread_ = 0;
  Slot slot_;
  DialectSetting setting_;
  State state_ = State::kOpen;
  bool spoken_ : 1 = false;     ///< a byte came from it
  bool spoken_to_ : 1 = false;  ///< it may be written to although it has not spoken
  bool greeted_ : 1 = false;
  bool ended_ : 1 = false;
  bool unpaced_ : 1 = false;    ///< its end is near: what is left of it is read at once
  bool owes_away_ : 1 = false;  ///< see owe_away()
};

/// Tens of thousands of them may be idle; the next byte would cost sixteen.
static_assert(sizeof(Session) <= 200);

/// "open", "asking", "parting" or "closing".
std::string_view to_string(Session::State state);

}  // namespace chatd::core
