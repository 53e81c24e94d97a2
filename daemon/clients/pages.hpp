/// The sessions of visitors' pages, and the connections by which their pages speak chat.chatd.v1.
/// A session has a slot of its own in the core, and no socket; its page's connection is another
/// slot, which comes and goes. Texts in, texts out: it knows no socket, no frames of a WebSocket
/// and no clock.
///
/// Invariants: a connection is of one session at most, and a session has one connection at most; a
/// session without one ends `resume` later; a token leads to one session. Whatever the host does
/// when it is called, it may call this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/payload.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/wall_time.hpp"
#include "clients/page.hpp"
#include "clients/page_protocol.hpp"
#include "core/outbox.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

/// What pages need done. A connection that breaks inside a call may be called for until Pages has
/// returned; then that does nothing.
class PageHost {
 public:
  virtual ~PageHost() = default;

  // To a connection.
  /// Sends one frame. False: it was taken, but what is not urgent shall wait until drained().
  virtual bool send(core::Slot connection, std::string_view json) = 0;
  /// Closes it, when all has been sent. It is not known to Pages any more; detach() need not be
  /// called. `reason` is empty, or a sentence of at most 123 bytes.
  virtual void close(core::Slot connection, std::uint16_t code, std::string_view reason) = 0;

  // To the core.
  /// A new session is to begin, at a slot that no other has. The error is for the visitor. What is
  /// written to it is written when this has returned.
  virtual Result<core::Slot> open_session(core::Slot connection) = 0;
  /// Whether the visitor may say something more now.
  [[nodiscard]] virtual bool may_say(core::Slot session) = 0;
  virtual void say(core::Slot session, std::string_view text) = 0;
  // When these two return, the session is not known to Pages any more. Until then unseen() says
  // what is lost with it, and closed() may be called.
  /// The visitor has ended it, and has seen all that the page was told.
  virtual void bye(core::Slot session) = 0;
  /// Its page did not come back in time.
  virtual void expired(core::Slot session) = 0;
  /// The page of a session that was there before is there, perhaps by another connection than just
  /// now; perhaps from another address.
  virtual void came_back(core::Slot session, core::Slot connection) = 0;
  /// The connection of a session's page is lost.
  virtual void went_away(core::Slot session) = 0;
};

class Pages {
 public:
  struct Settings {
    Duration resume{600'000};           ///< for so long a session waits for its page
    std::size_t max_text = 65'536;      ///< bytes of one text
    std::size_t output_hard = 262'144;  ///< bytes that may wait to be seen
    bool show_operator = false;         ///< pages are told the operators' names
  };
  static constexpr Duration kHello{5'000};  ///< until the first frame of a connection

  static constexpr std::uint16_t kOver = 1000;
  static constexpr std::uint16_t kStops = 1001;
  static constexpr std::uint16_t kNotLetIn = 1008;
  static constexpr std::uint16_t kReplaced = 1012;
  static constexpr std::uint16_t kElsewhere = 4001;

  /// `host` must outlive this.
  Pages(PageHost& host, const Settings& settings) : host_{host}, settings_{settings} {}
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void set_settings(const Settings& settings) { settings_ = settings; }

  // What happens to connections.
  /// One whose handshake is over.
  void attach(core::Slot connection, Time now);
  /// A text message has come. `date` is now.
  void take(core::Slot connection, std::string_view text, Time now, WallTime date);
  /// There is room again, after send() had returned false.
  void drained(core::Slot connection);
  /// It is lost, or the other end has closed it.
  void detach(core::Slot connection, Time now);
  /// Closes all of them; the sessions go on to wait. For the end of the process (1001).
  void close_all(std::uint16_t code, std::string_view reason, Time now);

  // What the core does. A session that is not known has just ended, and is no mistake.
  /// Whether so many bytes more can wait to be seen.
  [[nodiscard]] bool has_room(core::Slot session, std::size_t bytes) const;
  enum class Written : std::uint8_t {
    kKept,       ///< it is told, and kept until the page has seen it
    kFull,       ///< not taken: has_room() is false
    kNoSession,  ///< the visitor has just ended it, or it has expired
  };
  /// Says it to the visitor: AUTHOR NUL TEXT.
  [[nodiscard]] Written write(core::Slot session, Payload payload, WallTime date);
  /// The session has ended; `farewell` is for the visitor, and may be empty. What was written is
  /// told before, if the page is there. With kStops it is not told that this was all: it comes
  /// back, to another process.
  void closed(core::Slot session, std::string_view farewell, std::uint16_t code = kOver);
  /// How many messages of operators the page has not seen.
  [[nodiscard]] std::uint32_t unseen(core::Slot session) const;

  // What operators do.
  /// All are away; `text` are their words.
  void away(std::string_view text);
  void here();
  /// Somebody is writing to the session.
  void writing(core::Slot session, std::string_view operator_name);

  // Time.
  /// When tick() is to be called next; kNever: not before something happens.
  [[nodiscard]] Time deadline() const;
  void tick(Time now);

  [[nodiscard]] bool has_connection(core::Slot slot) const { return connections_.contains(slot); }
  [[nodiscard]] bool has_session(core::Slot slot) const { return sessions_.contains(slot); }
  /// By which the session's page is there; nothing: it is away.
  [[nodiscard]] std::optional<core::Slot> connection_of(core::Slot session) const;
  /// Whose page has said hello by this connection.
  [[nodiscard]] std::optional<core::Slot> session_of(core::Slot connection) const;
  /// All, in ascending order.
  [[nodiscard]] std::vector<core::Slot> sessions() const;
  /// Memory for a session, in bytes; 0 if it is not known.
  [[nodiscard]] std::size_t memory(core::Slot session) const;

  /// Of a session that is known; null if it is not.
  [[nodiscard]] const Page* page(core::Slot session) const;
  /// From now on changed() tells of this session.
  void watch(core::Slot session);
  /// The watched sessions whose Page::add_to_log() may have something to add since changes_seen();
  /// some may not be known any more.
  [[nodiscard]] const std::vector<core::Slot>& changed() const { return changed_; }
  void changes_seen();

  /// What is kept of a token.
  [[nodiscard]] static PageTokens::Hash hashed(std::string_view token) {
    return PageTokens::hashed(token);
  }

  // Another process in place of this one.
  class Saved;
  /// Writes everything down. Slots are written as they are.
  void save(ByteWriter& out, Time now) const;
  /// Reads it back; what cannot be is refused, and the result is good for nothing then.
  [[nodiscard]] static Saved read(ByteReader& in, Time now);
  /// The slot that a connection or a session has now which had `slot`; nothing if it is gone.
  using SlotNow = std::function<std::optional<core::Slot>(core::Slot slot)>;
  /// Goes on with it, in one that was just made. A session that is gone is forgotten, and its page
  /// is asked to come back; a page whose connection is gone is waited for from now on. What was not
  /// told yet is told by the next tick(), which is to be called at deadline(), at once.
  void restore(Saved saved, const SlotNow& slot_now, Time now);

 private:
  struct Connection {
    std::optional<core::Slot> session;  ///< nothing: no hello has come
    Time hello_by = kNever;
    bool waits = false;  ///< until drained()
  };
  struct Session {
    Page page;
    std::optional<core::Slot> connection;
    Time lost_at = kNever;  ///< kNever: the page is there
    bool watched = false;
    bool noted = false;  ///< it is in changed_
  };

  [[nodiscard]] Session* find(core::Slot session);
  [[nodiscard]] const Session* find(core::Slot session) const;
  void greet(core::Slot connection, const page::Hello& frame, Time now);
  void resume(core::Slot connection, core::Slot slot, const page::Hello& frame);
  void begin(core::Slot connection, Time now);
  void welcome(core::Slot connection, core::Slot session, bool resumed);
  void say(core::Slot connection, core::Slot session, const page::Say& frame, WallTime date);
  void see(core::Slot slot, std::uint64_t seq);
  void bye(core::Slot connection, core::Slot session);
  void tell(core::Slot slot);
  void note(core::Slot slot, Session& session);
  void send(core::Slot connection, std::string_view frame);
  void send_to_all(std::string_view frame);
  template <class Change>
  void change_tokens(core::Slot slot, Change change);
  void forget_tokens(Session& session);
  /// Forgets it, with its tokens, but not its connection.
  [[nodiscard]] std::optional<Session> take_out(core::Slot session);
  void end(core::Slot connection, std::uint16_t code, std::string_view reason, Time now);
  /// Forgets it; its session, if it has one, waits from now on.
  std::optional<core::Slot> forget(core::Slot connection, Time now);

  PageHost& host_;
  Settings settings_;
  std::map<core::Slot, Connection> connections_;
  std::map<core::Slot, Session> sessions_;
  std::map<PageTokens::Hash, core::Slot> by_token_;
  std::set<std::pair<Time, core::Slot>> silent_;   ///< connections, by Connection::hello_by
  std::set<std::pair<Time, core::Slot>> waiting_;  ///< sessions, by Session::lost_at
  std::vector<core::Slot> changed_;
  std::optional<std::string> away_;
  Time restored_at_ = kNever;  ///< what was not told then has to be told
};

/// What another process has written down.
class Pages::Saved {
 public:
  Saved() = default;

  /// The session at `slot`, of a process that has ended without warning: its page is waited for
  /// from `now` on. False: somebody could come to two sessions by one token; then it is left out.
  [[nodiscard]] bool add(core::Slot slot, Page page, Time now);
  [[nodiscard]] bool has_session(core::Slot slot) const { return sessions_.contains(slot); }

 private:
  friend class Pages;

  std::map<core::Slot, Time> silent_;  ///< connections that have not said hello, and until when
  std::map<core::Slot, Session> sessions_;
  std::set<PageTokens::Hash> tokens_;  ///< of those that were added
  std::optional<std::string> away_;
};

}  // namespace chatd
