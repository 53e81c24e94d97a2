/// What the daemon says, as plain values: events, sessions and the outcomes of
/// requests, named as in the control protocol. Holds no JSON and no behaviour.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/event_kinds.hpp"

namespace chatd::console {

using SessionId = std::uint64_t;

struct Event {
  std::optional<EventKind> kind;  ///< absent: a newer daemon's; `method` has its word
  std::string method;
  std::uint64_t seq = 0;            ///< 0: it has none
  std::string time;                 ///< RFC 3339, UTC
  std::vector<SessionId> sessions;  ///< one, but for a `sent` that went to several
  std::string text;           ///< message, sent, noted, ops, warning; operator: why it is away
  std::string operator_name;  ///< who did it; unbanned: empty if its time was over
  std::string from;           ///< claimed: who had it until now, if anybody
  std::string by;             ///< claimed: who gave it to its holder; empty: nobody did
  /// named: the session's new name; message, sent to one: what it was called then, if known.
  std::string name;
  std::string address;     ///< connected; banned, unbanned: perhaps with /BITS
  std::string listener;    ///< connected
  std::string verified;    ///< connected: whom a certificate names; empty: nobody
  std::string via;         ///< connected: the proxy by which it came; empty: by none
  std::string tls;         ///< connected: the version, and perhaps more; empty: without TLS
  std::string reason;      ///< disconnected
  std::string until;       ///< banned: RFC 3339, UTC; empty: without end
  std::string state;       ///< sent: "sent", "held", "lost"; operator: "attached", ...
  std::uint64_t ref = 0;   ///< delivered: the number of its `sent`
  std::uint64_t lost = 0;  ///< disconnected: messages; lagged: events
  bool cut = false;        ///< message: it was longer than the daemon takes
  bool automatic = false;  ///< sent: the answer of an operator who is away; named: by its network
  bool announced = false;  ///< sent: to all, or to several at once

  /// The session of an event about one; 0 if it is about none.
  [[nodiscard]] SessionId session() const { return sessions.empty() ? 0 : sessions.front(); }
};

/// What an operator has noted about a session.
struct NoteInfo {
  std::string time;  ///< RFC 3339, UTC
  std::string operator_name;
  std::string text;
};

struct SessionInfo {
  SessionId session = 0;
  std::string name;  ///< empty: none
  std::string address;
  std::string listener;
  std::string dialect;
  std::string state;
  std::string since;  ///< RFC 3339, UTC
  std::uint64_t idle_ms = 0;
  std::uint64_t unread = 0;
  std::uint64_t held = 0;
  std::string claimed_by = {};  ///< an operator's name; empty: nobody's
  /// RFC 3339, UTC: when the oldest message came that nobody has answered; empty: there is none.
  std::string waiting_since = {};
  std::optional<std::string> last_text = {};  ///< the beginning of what was said last
  std::string last_operator = {};             ///< who has said that; empty: the client, or nobody
  std::string answered_by = {};               ///< who has answered it last; empty: nobody
  std::uint64_t notes = 0;                    ///< how many operators have made
  std::string verified = {};                  ///< these three: as those of Event
  std::string via = {};
  std::string tls = {};
};

/// One operator who is there, with all its connections.
struct OperatorInfo {
  std::string name;
  std::string state;  ///< "present", "away" or "watching"
  std::string text;   ///< what clients are told while all are away; empty: it is not away
  std::string since;  ///< RFC 3339, UTC
  std::uint64_t connections = 0;
};

/// What the configuration says of an operator's console.
struct DeskInfo {
  std::string bell;                            ///< "none", "first" or "all"; empty: not told
  std::vector<std::string> highlight;          ///< words
  std::map<std::string, std::string> replies;  ///< texts by name
  bool claim_on_answer = false;
};

struct HelloInfo {
  std::string version;
  std::string operator_name;
  std::uint64_t seq = 0;     ///< of the last event so far
  std::uint64_t unread = 0;  ///< messages of clients that no operator was there for
  /// The last event that an operator was there for; absent: the daemon does not tell.
  std::optional<std::uint64_t> attended = {};
  bool counting = false;  ///< there may be more that are unread
  std::string away = {};  ///< what is said for this operator; empty: it is not away
  /// Of the sessions: where it is the same as before, the same ids are the same people. Empty: the
  /// daemon does not tell.
  std::string lineage = {};
};

/// An earlier message, as `history` and `search` give it.
struct PastMessage {
  std::uint64_t seq = 0;
  std::string time;                 ///< RFC 3339, UTC
  std::vector<SessionId> sessions;  ///< several, if it went to several
  bool incoming = false;            ///< a client said it
  std::string operator_name;
  std::string text;
  std::string state;
  std::string name = {};   ///< of that one session when it was said; empty: none is known
  bool automatic = false;  ///< the answer of an operator who was away
};

struct PastPage {
  std::vector<PastMessage> messages;  ///< oldest first
  bool more = false;                  ///< there are older ones
};

struct BanInfo {
  std::string address;        ///< perhaps with /BITS
  std::string until;          ///< RFC 3339, UTC; empty: without end
  std::string operator_name;  ///< who did it; empty: the daemon does not tell
};

/// What one origin costs; the members are those of the method `origins`.
struct OriginInfo {
  std::string origin;
  std::uint64_t sessions = 0;
  std::uint64_t connects = 0;
  std::uint64_t refused = 0;
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  std::uint64_t memory = 0;
  std::uint64_t records = 0;
  std::uint64_t records_lost = 0;
};

/// A session for which something was not done.
struct RefusedSession {
  SessionId session = 0;
  std::string reason;
};

/// What became of several sessions that were to end.
struct KickOutcome {
  std::vector<SessionId> kicked;
  std::vector<RefusedSession> refused;
};

/// What a ban means for sessions that are connected already.
struct BanOutcome {
  std::vector<SessionId> sessions;  ///< that stay connected from that address
  bool kept = true;                 ///< it outlives the daemon
  KickOutcome ended = {};           ///< if it ends who is connected
};

struct SendOutcome {
  std::vector<SessionId> delivered;
  std::vector<SessionId> held;
  std::vector<RefusedSession> refused;
  std::vector<SessionId> left_out;  ///< of a message to all: who waits for one answer
};

struct ReloadOutcome {
  std::vector<std::string> changed;
  std::vector<std::string> needs_restart;
};

/// Name and value of each number, in the order of the names.
using Stats = std::vector<std::pair<std::string, std::string>>;

}  // namespace chatd::console
