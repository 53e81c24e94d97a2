#include "core/session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/text.hpp"
#include "base/words.hpp"

namespace chatd::core {

namespace {

/// A client past its rate is let on again when it may send this many messages, so
/// that a flood costs a few wake-ups a second and not one for each message.
constexpr double kResumeTokens = 8;

Payload bytes_of(CloseFrame frame) {
  std::string bytes;
  http::append_close(bytes, frame.code, frame.words);
  return Payload{bytes, 0};
}

/// What a client of a room says to have a name.
constexpr std::string_view kNameCommand = "/name";

bool wishes_name(std::string_view text) {
  text = trimmed(text);
  return text == kNameCommand ||
         (text.starts_with(kNameCommand) && text[kNameCommand.size()] == ' ');
}

Time after(Time now, Duration delay) {
  return delay > Duration{0} ? now + delay : kNever;
}

/// With a burst below one message nothing could ever be read.
double burst_of(const Settings& settings) {
  return std::max(settings.messages_burst, 1.0);
}

double resume_tokens(const Settings& settings) {
  return settings.messages_per_second > 0 ? std::min(kResumeTokens, burst_of(settings)) : 0;
}

}  // namespace

std::string_view to_string(Session::State state) {
  switch (state) {
    case Session::State::kOpen:
      return "open";
    case Session::State::kAsking:
      return "asking";
    case Session::State::kParting:
      return "parting";
    case Session::State::kClosing:
    case Session::State::kOver:
      return "closing";
  }
  return "open";
}

Session::Session(SessionId id, Slot slot, DialectSetting setting, Time now)
    : framer_{setting},
      id_{id},
      connected_at_{now},
      last_activity_{now},
      refilled_{now},
      slot_{slot},
      setting_{setting} {}

void Session::connected(Context& context) {
  ++context.counters.accepted;
  context.outbox.add(EventKind::kConnected, id_).slot = slot_;
  framer_.written(context.now);
  if (!is_there_at_once()) return;
  spoken_to_ = true;
  greet(context);
}

// ---- what the client does ----

void Session::receive(std::string_view bytes, Context& context) {
  assert(!ended_);
  // The programs at the ends of a WebSocket ping each other while nobody says anything.
  if (dialect() != Dialect::kWebSocket) last_activity_ = context.now;
  if (!spoken_ && spoken_to_) framer_.expect_lines();
  if (backlog_) {  // what was on its way when reading was paused
    *backlog_ += bytes;
    return;
  }
  read(bytes, context);
}

void Session::say(std::string_view text, Context& context) {
  assert(!ended_ && dialect() == Dialect::kWeb && is_utf8(text));
  (void)may_read(context);
  spoken_ = true;
  context.reading.text = prefix_of(text, context.settings.max_message);
  context.reading.cut = context.reading.text.size() < text.size();
  message(context);
}

void Session::read(std::string_view input, Context& context) {
  read_messages(input, context);
  if (ended_) context.reading.pong.clear();
  answer(context.reading.pong, context);
}

void Session::read_messages(std::string_view input, Context& context) {
  while (!input.empty() && !ended_) {
    if (!may_read(context)) {
      backlog_ = std::make_unique<std::string>(input);
      if (!context.gone) context.outbox.flow(slot_, false);
      return;
    }
    const auto before = framer_.dialect();
    const bool found = framer_.next(input, context.now, context.settings, context.reading);
    if (!spoken_ && framer_.has_begun()) {
      spoken_ = true;
      if (reads_always()) decided(context);
    }
    answer(context.reading.reply, context);
    if (framer_.dialect() != before) decided(context);
    if (found) message(context);
    if (auto& reading = context.reading; !reading.ended.empty()) {
      const auto reason = std::exchange(reading.ended, {});
      close(reason, context, {reading.close_code, reading.is_fault ? reason : std::string_view{}});
    }
  }
  if (!ended_) part(context);
}

/// A token bucket. False if the client has to wait.
bool Session::may_read(const Context& context) {
  if (context.settings.messages_per_second <= 0 || unpaced_) return true;
  tokens_ = tokens_at(context.now, context.settings);
  refilled_ = context.now;
  return tokens_ >= 1;
}

float Session::tokens_at(Time now, const Settings& settings) const {
  const double burst = burst_of(settings);
  if (tokens_ < 0) return static_cast<float>(burst);
  if (now <= refilled_) return tokens_;
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  return static_cast<float>(std::min(burst, tokens_ + seconds * settings.messages_per_second));
}

bool Session::may_say(Time now, const Settings& settings) const {
  return settings.messages_per_second <= 0 || tokens_at(now, settings) >= 1;
}

/// Reads on in what waited for its turn: the client can send no more, and what it sent
/// before that counts, as far as it may still be read.
void Session::read_backlog(Context& context) {
  if (!backlog_) return;
  const auto rest = std::exchange(backlog_, {});
  read(*rest, context);
}

void Session::message(Context& context) {
  const auto text = context.reading.text;
  if (is_there_at_once()) last_activity_ = context.now;
  tokens_ = std::max(tokens_ - 1, tokens_ < 0 ? tokens_ : 0.0F);
  // A page has a button for it, so that the word is a word there.
  if (!context.reading.cut && dialect() != Dialect::kWeb && is_bye(text)) {
    if (takes_turns()) heard(context);
    close("bye", context);
    return;
  }
  assert(!ended_);
  if (room_ != 0 && reads_always() && wishes_name(text)) {
    context.room_names->wish(*this, trimmed(trimmed(text).substr(kNameCommand.size())), context);
    return;
  }
  ++context.counters.messages_in;
  if (++unread_ == 1) talk_.waits_since(context.now);
  talk_.said(text);
  Event& event = context.outbox.add(EventKind::kMessage, id_);
  event.slot = slot_;
  event.text = context.outbox.keep(text);
  event.cut = context.reading.cut;
  if (takes_turns()) heard(context);
}

/// An original client has spoken: it listens.
void Session::heard(Context& context) {
  turn().heard(context.now, after(context.now, context.settings.original_hold));
  let_out(context);
}

bool Session::is_bye(std::string_view text) const {
  if (!is_delimited()) {
    while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
    return text == "bye";
  }
  text = trimmed(text);
  return text.size() == 3 && (text[0] | 0x20) == 'b' && (text[1] | 0x20) == 'y' &&
         (text[2] | 0x20) == 'e';
}

/// It may be known now to be a client that reads at any time: then it is written to freely.
void Session::decided(Context& context) {
  if (!reads_always()) return;
  let_out_all(context);
  if (greeted_ || state_ != State::kOpen) return;
  if (context.settings.greeting.empty()) {
    greeted_ = true;  // and it costs no wake-up
  } else {
    wait_for_end(context.now);
  }
}

void Session::wait_for_end(Time now) {
  assert(state_ == State::kOpen);
  until_ = std::min(until_, now + kEndWithWords);
}

/// No end of file came with its words: it is there to be spoken to.
void Session::clear_of_end(Context& context) {
  assert(state_ == State::kOpen);
  until_ = kNever;
  greet(context);
}

void Session::owe_away(Time now) {
  if (state_ != State::kOpen) return;
  owes_away_ = true;
  wait_for_end(now);
}

/// It has been silent for a second: a person, who waits to be spoken to.
void Session::speak_first(Context& context) {
  spoken_to_ = true;
  greet(context);
  let_out_all(context);
  if (state_ == State::kParting) close(*farewell_reason_, context);
}

void Session::greet(Context& context) {
  if (dialect() == Dialect::kOriginal || dialect() == Dialect::kRaw) return;
  if (greeted_) return;
  greeted_ = true;
  if (context.settings.greeting.empty()) return;
  write(encode(context.settings.greeting, dialect(), 0), context);
}

/// Sends all that is held, in one write, to a client that takes no turns (any more).
void Session::let_out_all(Context& context) {
  if (!turn_ || context.gone) return;
  std::string bytes;
  std::vector<MessageNumber> messages;
  turn_->let_out_all(messages, [&](const Payload& text) {
    // Without delimiters of the dialect's own, LF stands between.
    if (dialect() == Dialect::kOriginal && !bytes.empty()) bytes += '\n';
    bytes += encode(text.view(), dialect()).view();
  });
  turn_.reset();
  if (messages.empty()) return;
  greeted_ = true;
  write(Payload{bytes, static_cast<std::uint32_t>(messages.size())}, context);
  delivered(messages, context);
}

/// Bye was said before the client was known to read lines: by now it has got everything.
void Session::part(Context& context) {
  if (state_ == State::kParting && is_delimited() && !backlog_) close(*farewell_reason_, context);
}

void Session::end_of_input(Context& context) {
  unpaced_ = true;
  read_backlog(context);
  if (ended_) return;
  if (framer_.finish(context.settings, context.reading)) message(context);
  if (ended_) return;
  if (state_ == State::kParting) {
    close(*farewell_reason_, context);
  } else if (unread_ > 0 && !is_there_at_once()) {
    // It takes no turns any more: whoever closes only the sending side reads on.
    state_ = State::kAsking;
    context.outbox.add(EventKind::kAsking, id_).slot = slot_;
    until_ = after(context.now, context.settings.answer_timeout);
    let_out_all(context);
  } else {
    close("left", context);
  }
}

void Session::broken(std::string_view reason, std::uint32_t unsent, Context& context) {
  context.gone = true;
  context.unsent = unsent;
  // Of what waited one burst is read, and no more: tens of thousands of messages may be in
  // it, and a client could get around its rate by a reset.
  if (backlog_) tokens_ = kWholeBurst;
  read_backlog(context);
  if (ended_) return;
  if (!backlog_ && framer_.finish(context.settings, context.reading)) {
    context.reading.cut = true;  // nobody knows what was to follow
    message(context);
  }
  std::string why{reason};
  if (backlog_) why += "; it had sent more, too fast to be read";
  say_over(why, context);
}

// ---- what operators do ----

/// Whether it must be treated as the original client: it has a turn.
bool Session::takes_turns() const {
  return dialect() == Dialect::kOriginal && state_ != State::kAsking;
}

bool Session::reads_lines() const {
  return dialect() == Dialect::kLine || dialect() == Dialect::kTelnet;
}

/// Whether it may be written to from its connect on. No script is at the other end that closes its
/// sending side behind a question: the end of what it sends is its end.
bool Session::is_there_at_once() const {
  return dialect() == Dialect::kWebSocket || dialect() == Dialect::kWeb;
}

/// Whether its dialect says where a message ends.
bool Session::is_delimited() const {
  return reads_lines() || is_there_at_once();
}

bool Session::reads_always() const {
  return is_delimited() || dialect() == Dialect::kRaw;
}

/// Whether it may be written to at any time: it takes no turns, and it has spoken or
/// waits to be spoken to.
bool Session::writable() const {
  if (dialect() == Dialect::kRaw) return true;
  return spoken_to_ ? !takes_turns() : spoken_ && (reads_lines() || state_ == State::kAsking);
}

Session::Disposition Session::disposition(std::size_t size, const Settings& settings) const {
  if (ended_) return Disposition::kClosing;
  if (state_ == State::kParting) return Disposition::kParting;
  if (size > settings.output_hard) return Disposition::kTooLong;
  // An undecided one may turn out to be original while the message is held.
  const bool may_be_original =
      dialect() == Dialect::kOriginal || (dialect() == Dialect::kUndecided && !spoken_to_);
  if (size == 0 && (may_be_original || dialect() == Dialect::kRaw)) return Disposition::kEmpty;
  if (writable()) return Disposition::kNow;
  if (takes_turns() && turn_ && turn_->fits(size)) return Disposition::kNow;
  const auto held = turn_ ? turn_->held_bytes() : 0;
  return held + size > settings.output_hard ? Disposition::kFull : Disposition::kHold;
}

void Session::send(Outgoing& message, Context& context, Writer writer) {
  ++context.counters.messages_out;
  ++context.counters.delivered;
  if (writer == Writer::kOperator) unread_ = 0;
  greeted_ = true;  // a greeting behind an answer would be none
  if (takes_turns()) turn().sent(message.text().size(), context.now);
  write(message.as(dialect()), context);
  if (state_ == State::kAsking && writer == Writer::kOperator) close("answered", context);
}

void Session::answered(std::string_view text, std::string_view operator_name) {
  talk_.answered(text, operator_name);
}

bool Session::hears_room() const {
  const bool reads_on = state_ == State::kOpen && !unpaced_;
  return reads_on && dialect() != Dialect::kOriginal && writable();
}

void Session::hear(Outgoing& message, Context& context) {
  write(message.as(dialect()), context);
}

void Session::lose(Context& context) {
  ++context.counters.messages_out;
  ++context.counters.lost;
}

MessageNumber Session::hold(Outgoing& message, Context& context, Writer writer) {
  ++context.counters.messages_out;
  ++context.counters.held;
  if (writer == Writer::kOperator) unread_ = 0;
  const auto number = ++last_message_;
  turn().hold(message.as(Dialect::kOriginal), number, hold_until(context));
  if (takes_turns()) let_out(context);
  return number;
}

/// When a message that is held from now on goes out unasked. A client that has not
/// spoken gets nothing in its first second, whatever original_hold is.
Time Session::hold_until(const Context& context) const {
  const auto due = after(context.now, context.settings.original_hold);
  return spoken_ || due == kNever ? due : std::max(due, connected_at_ + kSilence);
}

void Session::let_out(Context& context) {
  if (!turn_ || context.gone) return;
  Turn::LetOut out;
  turn_->let_out(context.now, out);
  if (out.bytes.empty()) return;
  // It stands for the messages that end in it.
  write(Payload{out.bytes, static_cast<std::uint32_t>(out.delivered.size())}, context);
  delivered(out.delivered, context);
  if (out.bye) until_ = after(context.now, context.settings.bye_grace);
}

void Session::bye(std::string_view operator_name, Context& context) {
  if (state_ == State::kParting || ended_) return;
  const auto reason = "bye from " + std::string{operator_name};
  if (writable()) {
    close(reason, context);
    return;
  }
  state_ = State::kParting;
  farewell_reason_ = std::make_unique<std::string>(reason);
  // Until the word is out; let_out() then starts the grace anew.
  const auto& settings = context.settings;
  until_ = after(context.now, settings.bye_grace);
  if (until_ != kNever) until_ += settings.original_hold;
  turn().hold_bye(hold_until(context));
  if (takes_turns()) let_out(context);
}

void Session::end(std::string_view reason, CloseFrame frame, std::uint32_t unsent,
                  Context& context) {
  context.unsent = unsent;
  Payload words;
  if (!ended_ && dialect() == Dialect::kWebSocket) words = bytes_of(frame);
  if (!ended_ && dialect() == Dialect::kWeb) words = Payload{frame.words, 0};
  context.outbox.close_at_once(slot_, std::move(words));
  say_over(reason, context);
}

void Session::give_way(std::string_view why, std::uint32_t unsent, Context& context) {
  context.unsent = unsent;
  context.outbox.abort(slot_);
  say_over(why, context);
}

void Session::stop(Context& context) {
  if (ended_) return;
  const bool reads_words = dialect() != Dialect::kOriginal && dialect() != Dialect::kRaw;
  if (writable() && reads_words && !is_left_out() && !context.settings.farewell.empty()) {
    write(encode(context.settings.farewell, dialect(), 0), context);
  }
  constexpr std::string_view kStops = "the daemon stops";
  close(kStops, context, {http::kGoingAway, kStops});
}

void Session::set_name(std::string_view name, bool wished) {
  name_ = name.empty() ? nullptr : std::make_unique<std::string>(name);
  name_wished_ = wished;
}

// ---- time ----

void Session::expire(Context& context) {
  if (ended_) return;
  const auto now = context.now;
  const auto& settings = context.settings;
  if (backlog_ && may_read(context) && tokens_ >= resume_tokens(settings)) {
    const auto rest = std::exchange(backlog_, {});
    context.outbox.flow(slot_, true);
    read(*rest, context);
    if (ended_) return;
  }
  const auto before = framer_.dialect();
  const bool found = framer_.expire(now, settings, context.reading);
  answer(context.reading.reply, context);
  if (framer_.dialect() != before) decided(context);
  if (found) message(context);
  if (!ended_) part(context);
  if (ended_) return;
  if (may_be_spoken_to() && now >= connected_at_ + kSilence) {
    speak_first(context);
    if (ended_) return;
  }
  if (takes_turns() && turn_ && now >= turn_->deadline()) let_out(context);
  if (now >= until_ && state_ == State::kOpen) clear_of_end(context);
  if (now >= until_) {
    close(state_ == State::kParting ? std::string_view{*farewell_reason_} : "no answer in time",
          context);
  } else if (settings.idle_timeout > Duration{0} && now >= last_activity_ + settings.idle_timeout) {
    close("idle", context, {.words = "idle"});
  }
}

/// Whether silence will show that it waits to be spoken to.
bool Session::may_be_spoken_to() const {
  return !spoken_ && !spoken_to_ && setting_ != DialectSetting::kOriginal;
}

bool Session::is_due_by_silence(Time now) const {
  if (ended_ || backlog_) return false;
  return now >= framer_.deadline() || (may_be_spoken_to() && now >= connected_at_ + kSilence);
}

Time Session::deadline(const Settings& settings) const {
  if (ended_) return kNever;
  Time when = std::min(framer_.deadline(), until_);
  if (may_be_spoken_to()) when = std::min(when, connected_at_ + kSilence);
  if (takes_turns() && turn_) when = std::min(when, turn_->deadline());
  if (settings.idle_timeout > Duration{0}) {
    when = std::min(when, last_activity_ + settings.idle_timeout);
  }
  if (backlog_) {
    const double rate = std::max(settings.messages_per_second, 0.001);
    const double missing = std::max(resume_tokens(settings) - tokens_, 0.0);
    when =
        std::min(when, refilled_ + Duration{static_cast<Duration::rep>(missing / rate * 1000) + 1});
  }
  return when;
}

// ---- its end, and other effects ----

/// It ends, and is over when everything that was written to it is acknowledged.
void Session::close(std::string_view reason, Context& context, CloseFrame frame) {
  assert(!ended_);
  if (context.gone) return say_over(reason, context);
  if (dialect() == Dialect::kWebSocket) put(bytes_of(frame), context);
  context.outbox.close(slot_);
  farewell_reason_ = std::make_unique<std::string>(reason);
  state_ = State::kClosing;
  ended_ = true;
  backlog_ = nullptr;
}

void Session::closed(std::uint32_t unsent, Context& context) {
  assert(state_ == State::kClosing);
  context.gone = true;
  context.unsent = unsent + lost_;
  say_over(*farewell_reason_, context);
}

void Session::say_over(std::string_view reason, Context& context) {
  assert(!is_over());
  state_ = State::kOver;
  ended_ = true;
  const auto never_sent = held();
  context.counters.held -= never_sent;
  context.counters.delivered -= context.unsent;
  context.counters.lost += never_sent + context.unsent;
  Event& event = context.outbox.add(EventKind::kDisconnected, id_);
  event.slot = slot_;
  event.text = context.outbox.keep(reason);
  event.lost = never_sent + context.unsent;
}

void Session::write(Payload bytes, Context& context) {
  if (!context.gone) last_activity_ = context.now;
  put(std::move(bytes), context);
}

/// What the framer says by itself.
void Session::answer(std::string& bytes, Context& context) {
  if (!bytes.empty()) put(Payload{std::exchange(bytes, {}), 0}, context);
}

void Session::put(Payload bytes, Context& context) {
  if (context.gone) return;
  assert(!ended_);
  framer_.written(context.now);
  context.outbox.write(slot_, std::move(bytes));
}

void Session::delivered(const std::vector<MessageNumber>& messages, Context& context) {
  for (const MessageNumber message : messages) {
    context.outbox.add(EventKind::kDelivered, id_).message = message;
    --context.counters.held;
    ++context.counters.delivered;
  }
}

Turn& Session::turn() {
  if (!turn_) turn_ = std::make_unique<Turn>();
  return *turn_;
}

}  // namespace chatd::core
