/// What was recorded, as operators get it: pages of messages, and events again as the
/// lines that they were. Runs on a thread of the store's; knows no operator. Every answer is
/// bounded in bytes, whatever was said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "events/event.hpp"
#include "store/reader.hpp"

namespace chatd {

/// What history and search ask for.
struct MessageQuery {
  bool search = false;
  std::string text;  ///< what to search for
  store::Question where;
  std::size_t limit = 0;  ///< messages
};

/// The newest messages that `query` is about, as {"messages": [...], "more": ...}, below
/// 1 MiB. History is in the order in which it was said, search begins with the newest.
[[nodiscard]] Result<std::string> messages_json(store::Reader& reader, const MessageQuery& query);

/// Events of the database as lines.
struct ReplayPage {
  std::string lines;
  Seq last = 0;  ///< the number of the last event in it, or that is missing
};

/// The events after `after`, up to `upto`, as many as fit into `max_bytes`, at least one
/// (`after` < `upto`). Where there are none, a `lagged` line says how many are missing.
[[nodiscard]] ReplayPage replay_page(store::Reader& reader, Seq after, Seq upto,
                                     std::size_t max_bytes);
/// A page that says that all of them are missing.
[[nodiscard]] ReplayPage missing_page(Seq after, Seq upto);

}  // namespace chatd
