#include "console/past.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "console/wire.hpp"

namespace chatd::console {
namespace {

// How many messages are shown at once.
constexpr std::size_t kPage = 20;
constexpr std::size_t kLongestPage = 200;

}  // namespace

void Past::begin(const Command& command) {
  Question question;
  question.verb = command.verb;
  question.words = command.text;
  question.whose = {command.session, command.called};
  // Without an ID it is about the client in focus.
  if (command.verb == Verb::kHistory && !command.session && command.called.empty() &&
      !command.everyone) {
    question.whose.session = desk_.focus();
  }
  question.page.limit = std::clamp<std::size_t>(command.number.value_or(kPage), 1, kLongestPage);
  ask(question);
}

void Past::more() {
  if (next_) {
    // Not a second time before the answer has come.
    ask(*std::exchange(next_, std::nullopt));
  } else {
    desk_.problem("there is nothing more to show; begin with /history or /search");
  }
}

void Past::ask(const Question& question) {
  const auto show = [this, question](const nlohmann::json& result) {
    show_page(question, decode_past(result));
  };
  if (question.verb == Verb::kSearch) {
    client_.search(question.words, question.whose, question.page,
                   replies_.shown("no search", show));
  } else {
    client_.history(question.whose, question.page, replies_.shown("no history", show));
  }
}

void Past::show_page(Question question, const PastPage& page) {
  desk_.print_past(page.messages);
  if (page.more && !page.messages.empty()) {
    question.page.before = page.messages.front().seq;
    next_ = std::move(question);
    desk_.say("there are older messages; /more shows them");
    return;
  }
  if (page.messages.empty())
    desk_.say(question.page.before > 0 ? "there are no older messages" : "nothing was found");
  next_.reset();
}

}  // namespace chatd::console
