/// /history, /search and /more: earlier messages, a page at a time, from the newest back.
#pragma once

#include <optional>
#include <string>

#include "console/command.hpp"
#include "console/control_client.hpp"
#include "console/desk.hpp"
#include "console/reply_display.hpp"

namespace chatd::console {

class Past {
 public:
  Past(ControlClient& client, Desk& desk, const ReplyDisplay& replies)
      : client_{client}, desk_{desk}, replies_{replies} {}

  /// /history or /search: the newest page of it.
  void begin(const Command& command);
  /// The page before the one that was shown last.
  void more();

 private:
  // What is asked, and which page of its answer.
  struct Question {
    Verb verb = Verb::kHistory;
    std::string words;
    Whose whose;
    Page page;
  };
  void ask(const Question& question);
  void show_page(Question question, const PastPage& page);

  ControlClient& client_;
  Desk& desk_;
  const ReplyDisplay& replies_;
  std::optional<Question> next_;  // for /more
};

}  // namespace chatd::console
