/// /history, /search and /more: what was said, a page at a time, from the newest back.
#pragma once

#include <optional>
#include <string>

#include "console/command.hpp"
#include "console/control_client.hpp"
#include "console/desk.hpp"
#include "console/replies.hpp"

namespace chatd::console {

class Past {
 public:
  Past(ControlClient& client, Desk& desk, const Replies& replies)
      : client_{client}, desk_{desk}, replies_{replies} {}

  /// /history or /search: the newest page of it.
  void begin(const Command& command);
  /// The page before the one that was shown last.
  void more();

 private:
  // Of which question the page before which event is wanted.
  struct Wish {
    Verb verb = Verb::kHistory;
    std::string words;
    std::optional<SessionId> session;
    Page page;
  };
  void ask(const Wish& wish);
  void take(Wish wish, const PastPage& page);

  ControlClient& client_;
  Desk& desk_;
  const Replies& replies_;
  std::optional<Wish> next_;  // for /more
};

}  // namespace chatd::console
