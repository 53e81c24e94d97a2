// Which event is the answer to a question.
#include "console/question.hpp"

#include "support/catch.hpp"

namespace chatd::console {

namespace {

using State = Question::State;

/// One event after the other, each with the next number.
class Talk {
 public:
  State sent(SessionId to, std::string text, std::string by = "ann", std::string state = "sent") {
    Event event = made(EventKind::kSent, to);
    event.text = std::move(text);
    event.operator_name = std::move(by);
    event.state = std::move(state);
    return apply(event);
  }
  State sent_to_all(std::string text) {
    Event event = made(EventKind::kSent, 3);
    event.announced = true;
    event.text = std::move(text);
    event.operator_name = "ann";
    event.state = "sent";
    return apply(event);
  }
  State sent_by_itself(std::string text) {
    Event event = made(EventKind::kSent, 3);
    event.text = std::move(text);
    event.operator_name = "ann";
    event.state = "sent";
    event.automatic = true;
    return apply(event);
  }
  State message(SessionId from) { return apply(made(EventKind::kMessage, from)); }
  State disconnected(SessionId from) { return apply(made(EventKind::kDisconnected, from)); }
  State delivered(std::uint64_t ref) {
    Event event = made(EventKind::kDelivered, 3);
    event.ref = ref;
    return apply(event);
  }
  [[nodiscard]] std::uint64_t last() const { return seq_; }

 private:
  Event made(EventKind kind, SessionId session) {
    Event event;
    event.kind = kind;
    event.seq = ++seq_;
    event.sessions = {session};
    return event;
  }
  State apply(const Event& event) {
    question_.apply(event);
    return question_.state();
  }

  std::uint64_t seq_ = 0;
  Question question_{3, "deploy?", "ann"};
};

}  // namespace

TEST_CASE("question: the first message after it was sent is the answer", "[console][question]") {
  Talk talk;
  CHECK(talk.message(3) == State::kSending);
  CHECK(talk.sent(3, "deploy?") == State::kAsked);
  CHECK(talk.message(4) == State::kAsked);
  CHECK(talk.message(3) == State::kAnswered);
  CHECK(talk.disconnected(3) == State::kAnswered);
}

TEST_CASE("question: what others send, or send elsewhere, is not it", "[console][question]") {
  Talk talk;
  CHECK(talk.sent(3, "deploy?", "bob") == State::kSending);
  CHECK(talk.sent(4, "deploy?") == State::kSending);
  CHECK(talk.sent(3, "something else") == State::kSending);
  CHECK(talk.sent_to_all("deploy?") == State::kSending);
  CHECK(talk.sent_by_itself("deploy?") == State::kSending);
  CHECK(talk.message(3) == State::kSending);
}

TEST_CASE("question: while it is held nothing is an answer to it", "[console][question]") {
  Talk talk;
  CHECK(talk.sent(3, "earlier", "ann", "held") == State::kSending);
  const std::uint64_t earlier = talk.last();
  CHECK(talk.sent(3, "deploy?", "ann", "held") == State::kHeld);
  const std::uint64_t ours = talk.last();
  CHECK(talk.message(3) == State::kHeld);
  CHECK(talk.delivered(earlier) == State::kHeld);
  CHECK(talk.message(3) == State::kHeld);
  CHECK(talk.delivered(ours) == State::kAsked);
  CHECK(talk.message(3) == State::kAnswered);
}

TEST_CASE("question: whoever leaves gives none", "[console][question]") {
  Talk talk;
  CHECK(talk.sent(3, "deploy?", "ann", "held") == State::kHeld);
  CHECK(talk.disconnected(4) == State::kHeld);
  CHECK(talk.disconnected(3) == State::kLeft);
  CHECK(talk.message(3) == State::kLeft);
}

}  // namespace chatd::console
