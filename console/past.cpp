#include "console/past.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "console/wire.hpp"

namespace chatd::console {
namespace {

// Messages that are shown at once.
constexpr std::size_t kPage = 20;
constexpr std::size_t kLongestPage = 200;

}  // namespace

void Past::begin(const Command& command) {
  Wish wish;
  wish.verb = command.verb;
  wish.words = command.text;
  wish.session = command.session;
  // Without an ID: of whom the operator talks with.
  if (command.verb == Verb::kHistory && !command.session && !command.everyone) {
    wish.session = desk_.focus();
  }
  wish.page.limit = std::clamp<std::size_t>(command.number.value_or(kPage), 1, kLongestPage);
  ask(wish);
}

void Past::more() {
  if (next_) {
    // Not a second time before the answer has come.
    ask(*std::exchange(next_, std::nullopt));
  } else {
    desk_.problem("there is nothing more to show; /history and /search begin");
  }
}

void Past::ask(const Wish& wish) {
  const auto show = [this, wish](const nlohmann::json& result) { take(wish, decode_past(result)); };
  if (wish.verb == Verb::kSearch) {
    client_.search(wish.words, wish.page, replies_.shown("no search", show));
  } else {
    client_.history(wish.session, wish.page, replies_.shown("no history", show));
  }
}

void Past::take(Wish wish, const PastPage& page) {
  for (const PastMessage& each : page.messages) {
    desk_.print(desk_.view().past(each, desk_.roster(), desk_.own_name()));
  }
  if (page.more && !page.messages.empty()) {
    wish.page.before = page.messages.front().seq;
    next_ = std::move(wish);
    desk_.say("there is more before that; /more shows it");
    return;
  }
  if (page.messages.empty()) desk_.say(wish.page.before > 0 ? "that was all" : "nothing was found");
  next_.reset();
}

}  // namespace chatd::console
