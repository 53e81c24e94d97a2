/// The sessions as operators know them, by id: who is there, and what operators want done. A
/// wish goes to the router, and what comes of it is delivered inside the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/wall_time.hpp"
#include "clients/connections.hpp"
#include "core/outbox.hpp"
#include "core/router.hpp"
#include "io/loop.hpp"
#include "io/network.hpp"

namespace chatd {

/// What an operator has noted about a session.
struct NoteInfo {
  WallTime time;
  std::string_view operator_name;
  std::string_view text;
};

/// A session as an operator sees it in a list. All that is not its own is valid until the next
/// call.
struct SessionInfo {
  core::SessionId id;
  std::string_view name;  ///< empty if it has none
  std::string address;
  std::string listener;
  std::string_view dialect;
  std::string_view state;
  WallTime since;
  std::int64_t idle_ms;
  std::uint32_t unread;
  std::uint32_t held;
  std::string_view claimed_by;            ///< empty if nobody has
  std::optional<WallTime> waiting_since;  ///< of its oldest message that nobody has answered
  std::optional<std::string_view> last_text;
  std::string_view last_operator;  ///< who has said that; empty: the client, or nobody
  std::string_view answered_by;    ///< empty if nobody has
  std::size_t notes;               ///< how many there are
  // As in Connections::Way.
  std::string_view verified;
  std::string_view via;
  std::string_view tls;
};

/// What visitors' pages hear of operators besides messages.
class PageNews {
 public:
  virtual ~PageNews() = default;
  virtual void away(std::string_view text) = 0;
  virtual void here() = 0;
  virtual void writing(core::Slot slot, std::string_view operator_name) = 0;
  /// Whether the page of that session is away, and waited for.
  [[nodiscard]] virtual bool is_away(core::Slot slot) const = 0;
};

class Sessions {
 public:
  /// All of them must outlive this.
  Sessions(io::Loop& loop, core::Router& router, Connections& connections, PageNews& pages);
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// As core::Router::lineage().
  [[nodiscard]] std::uint64_t lineage() const { return router_.lineage(); }

  // Who is there.
  /// All, in the order of their ids.
  [[nodiscard]] std::vector<SessionInfo> list();
  /// What operators have noted about a session, the oldest first; nothing: there is no such
  /// session. The texts are valid until the next call.
  [[nodiscard]] std::optional<std::vector<NoteInfo>> notes(core::SessionId id);
  /// Those that are connected from `network`.
  [[nodiscard]] std::vector<core::SessionId> within(const io::Network& network) const;
  [[nodiscard]] bool has(core::SessionId id) const { return router_.find(id) != nullptr; }
  /// Whether it is there, and neither waits for one answer alone nor is about to end.
  [[nodiscard]] bool is_open(core::SessionId id) const;
  /// As core::Router::called().
  [[nodiscard]] core::SessionId called(std::string_view name) const { return router_.called(name); }
  /// How long ago a session left that is not there any more; nothing: it never was, or many others
  /// have left since.
  [[nodiscard]] std::optional<Duration> left_ago(core::SessionId id) const;
  /// Whether bye was said to it, and it stays until its client has taken that.
  [[nodiscard]] bool is_parting(core::SessionId id) const;
  /// Messages of clients since the start.
  [[nodiscard]] std::uint64_t messages_in() const { return router_.counters().messages_in; }

  // What operators want; see core::Router.
  struct Sent {
    core::Receipt receipt;
    /// Who has been filled beyond output_soft by it, although everything was sent that
    /// could be: whoever feeds them should pause.
    std::vector<core::Slot> congested;
  };
  Sent send(const core::Recipients& to, std::string_view text, std::string_view by);
  [[nodiscard]] core::Outcome bye(core::SessionId id, std::string_view by);
  [[nodiscard]] core::Outcome kick(core::SessionId id, std::string_view reason,
                                   std::string_view by);
  /// What became of several that were to end.
  struct Kicked {
    struct Refused {
      core::SessionId session;
      std::string reason;
    };
    std::vector<core::SessionId> kicked;
    std::vector<Refused> refused;  ///< who stays, or is not there, and why
  };
  /// The same for each of `ids`, in their order.
  [[nodiscard]] Kicked kick_all(std::span<const core::SessionId> ids, std::string_view reason,
                                std::string_view by);
  /// Nobody else is called so.
  [[nodiscard]] core::Outcome name(core::SessionId id, std::string_view name, std::string_view by);
  [[nodiscard]] core::Outcome note(core::SessionId id, std::string_view text, std::string_view by);

  // Claims.
  [[nodiscard]] core::Outcome claim(core::SessionId id, core::Claim claim, bool force,
                                    std::string_view by = {});
  [[nodiscard]] core::Outcome release(core::SessionId id, std::string_view by);
  void release_if(const std::function<bool(std::string_view holder)>& gone);
  /// Who has claimed a session; empty if nobody has, or there is no such session.
  [[nodiscard]] std::string_view claimed_by(core::SessionId id) const;

  /// An operator is writing to it.
  void writing(core::SessionId id, std::string_view operator_name);

  // While all operators are away.
  /// What is said for them then; nothing: somebody is there.
  void set_away(std::optional<core::Away> away);
  /// What was said in the process before this one, and since then nothing else.
  [[nodiscard]] const std::optional<core::Away>& away_before() const {
    return router_.away_before();
  }

 private:
  void add_talk(SessionInfo& info, const core::Session& session) const;

  io::Loop& loop_;
  core::Router& router_;
  Connections& connections_;
  PageNews& pages_;
  Dates dates_;
};

}  // namespace chatd
