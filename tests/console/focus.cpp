// An answer must never reach the wrong person: the focus, and the guard of the line
// being typed, as tables of what happens and what becomes of the line.
#include "console/focus.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

namespace chatd::console {

using Verdict = LineGuard::Verdict;

TEST_CASE("focus: a client that connects alone takes it, and it moves by no other client",
          "[console][focus]") {
  Focus focus;
  CHECK_FALSE(focus.current());
  focus.connected(1, true);
  CHECK(focus.current() == Target{1});
  focus.connected(2, false);
  CHECK(focus.current() == Target{1});
  focus.disconnected(2);
  CHECK(focus.current() == Target{1});
  focus.connected(3, false);
  focus.disconnected(1);
  CHECK_FALSE(focus.current());
  focus.connected(4, false);
  CHECK_FALSE(focus.current());
  focus.set(3);
  CHECK(focus.current() == Target{3});
  focus.set({});
  CHECK_FALSE(focus.current());
}

namespace {

// Steps, one word each: "see3"/"see-": the screen shows this focus; "type": a key on the
// line; "clear": a key that empties it; "enter3"/"enter-": Enter while this is in focus.
// The last step is Enter, whose verdict is checked.
Verdict played(const std::vector<std::string>& story) {
  LineGuard guard;
  Verdict verdict = Verdict::kSend;
  const auto target = [](const std::string& word, std::size_t at) -> Target {
    return word[at] == '-' ? Target{} : Target{static_cast<SessionId>(word[at] - '0')};
  };
  for (const std::string& word : story) {
    if (word.starts_with("see")) guard.shown(target(word, 3));
    if (word == "type") guard.edited(false);
    if (word == "clear") guard.edited(true);
    if (word.starts_with("enter")) verdict = guard.entered(target(word, 5));
  }
  return verdict;
}

}  // namespace

TEST_CASE("guard: a line goes to whom it named when it was typed", "[console][focus]") {
  using Sessions = std::vector<SessionId>;
  LineGuard guard;
  guard.shown({});
  const auto type = [&guard](const std::string& address, const Sessions& meant) {
    guard.edited(false);
    guard.names(address, [&] { return meant; });
  };
  type("@anna", {3});
  CHECK(guard.entered_by_name({3}) == Verdict::kSend);
  guard.edited(true);
  // The name is another's by now: what counts is what it meant when it was typed.
  type("@anna", {3});
  type("@anna", {7});
  CHECK(guard.named().sessions == Sessions{3});
  CHECK(guard.entered_by_name({7}) == Verdict::kRenamed);
  CHECK(guard.entered_by_name({7}) == Verdict::kUnseen);
  guard.shown({});
  CHECK(guard.entered_by_name({7}) == Verdict::kSend);
  guard.edited(true);
  // Another word means what it means now.
  type("@anna", {3});
  type("@annab", {7});
  CHECK(guard.entered_by_name({7}) == Verdict::kSend);
  guard.edited(true);
  CHECK(guard.named().sessions.empty());
}

TEST_CASE("guard: at another daemon a begun line waits for a second Enter, also for all",
          "[console][focus]") {
  LineGuard guard;
  guard.shown({});
  guard.doubt();  // of no line
  guard.edited(false);
  CHECK(guard.entered_by_name({}) == Verdict::kSend);
  guard.doubt();
  // Whatever is typed after that.
  guard.names("@4", [] { return std::vector<SessionId>{4}; });
  CHECK(guard.entered_by_name({4}) == Verdict::kDoubted);
  CHECK(guard.is_unseen());
  guard.shown({});
  CHECK_FALSE(guard.is_unseen());
  CHECK(guard.entered_by_name({4}) == Verdict::kSend);
  guard.edited(true);
  guard.edited(false);
  guard.doubt();
  guard.edited(true);
  guard.edited(false);
  CHECK(guard.entered_by_name({}) == Verdict::kSend);
}

TEST_CASE("guard: a draft names whom it named, and does nothing before it was seen",
          "[console][focus]") {
  LineGuard guard;
  guard.shown(Target{2});
  guard.edited(false);
  guard.restored(Target{2}, Named{"@anna", {3}, false}, true);
  guard.edited(true);  // the command that brought it has ended
  CHECK(guard.is_unseen());
  guard.edited(false);
  guard.names("@anna", [] { return std::vector<SessionId>{7}; });
  CHECK(guard.entered_by_name({7}) == Verdict::kUnseen);
  guard.shown(Target{2});
  CHECK(guard.entered_by_name({7}) == Verdict::kRenamed);
  guard.edited(true);
  CHECK_FALSE(guard.is_unseen());
  guard.restored(Target{2}, Named{"@3", {3}, true}, false);
  guard.shown(Target{2});
  CHECK(guard.entered_by_name({3}) == Verdict::kDoubted);
}

TEST_CASE("guard: the line of one who has left may be taken along to another", "[console][focus]") {
  LineGuard guard;
  guard.shown(Target{3});
  guard.edited(false);
  CHECK_FALSE(guard.is_to_choose());
  guard.shown({});
  CHECK(guard.entered({}) == Verdict::kLeft);
  CHECK(guard.is_to_choose());
  guard.shown(Target{4});
  CHECK(guard.entered(Target{4}) == Verdict::kMoved);
  CHECK_FALSE(guard.is_to_choose());
  guard.edited(true);
  CHECK_FALSE(guard.is_to_choose());
}

TEST_CASE("guard: whoever was chosen for that line gets it, once that could be read",
          "[console][focus]") {
  LineGuard guard;
  guard.shown(Target{3});
  guard.edited(false);
  guard.shown({});
  CHECK(guard.entered({}) == Verdict::kLeft);
  guard.shown({});
  guard.choose(Target{4});
  CHECK_FALSE(guard.is_to_choose());
  CHECK(guard.entered(Target{4}) == Verdict::kUnseen);
  guard.shown(Target{4});
  CHECK(guard.entered(Target{4}) == Verdict::kSend);
}

TEST_CASE("guard: what becomes of a line at Enter", "[console][focus]") {
  struct Row {
    std::vector<std::string> story;
    Verdict verdict;
  };
  const std::vector<Row> table{
      // Nothing changed.
      {{"see3", "type", "type", "enter3"}, Verdict::kSend},
      {{"see-", "type", "enter-"}, Verdict::kNoFocus},
      // The client left: kept, however often Enter is pressed.
      {{"see3", "type", "see-", "enter-"}, Verdict::kLeft},
      {{"see3", "type", "see-", "enter-", "see-", "enter-"}, Verdict::kLeft},
      // Another one took the focus: kept once, then sent to the one that was named.
      {{"see3", "type", "see-", "see4", "enter4"}, Verdict::kMoved},
      {{"see3", "type", "see4", "enter4", "see4", "enter4"}, Verdict::kSend},
      // ... also after it was kept because nobody was there.
      {{"see3", "type", "enter-", "see-", "see4", "enter4"}, Verdict::kMoved},
      {{"see3", "type", "enter-", "see-", "see4", "enter4", "see4", "enter4"}, Verdict::kSend},
      // The focus moved again after the notice: the second Enter is not for this one.
      {{"see3", "type", "enter4", "see4", "see5", "enter5"}, Verdict::kMoved},
      // A double Enter does not confirm what could not be read yet.
      {{"see3", "type", "enter4", "enter4"}, Verdict::kUnseen},
      {{"see3", "type", "enter4", "enter4", "see4", "enter4"}, Verdict::kSend},
      // Begun without a focus, and then somebody came.
      {{"see-", "type", "see3", "enter3"}, Verdict::kMoved},
      // The focus went away and came back: the line is still for the same client.
      {{"see3", "type", "see4", "see3", "enter3"}, Verdict::kSend},
      // Known to the console, but not yet on the screen when the line was begun.
      {{"see3", "type", "enter4"}, Verdict::kMoved},
      // A line that was emptied, or sent, is no longer a line begun for somebody.
      {{"see3", "type", "see4", "clear", "type", "enter4"}, Verdict::kSend},
      {{"see3", "type", "enter3", "clear", "see4", "type", "enter4"}, Verdict::kSend},
      {{"see3", "type", "enter4", "clear", "type", "enter4"}, Verdict::kMoved},
      // A whole line in one read: begun at Enter.
      {{"see3", "enter3"}, Verdict::kSend},
      {{"see3", "enter4"}, Verdict::kMoved},
  };
  for (const Row& row : table) {
    std::string story;
    for (const std::string& word : row.story) story += word + " ";
    INFO(story);
    CHECK(played(row.story) == row.verdict);
  }
}

}  // namespace chatd::console
