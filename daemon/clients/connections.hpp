/// The connections of clients, each at the slot by which the router knows its session. What a
/// client sends goes to the router; what the core wants done, which is in outbox(), becomes
/// writes, closes and events in deliver(), and nowhere else. Wakes the core when it is time.
/// Connections that are no session (yet) are somebody else's (Audience).
///
/// Invariant: the slot of a session has it in the router as long as its stream is open; while it
/// closes, as long as something that was written to it is not acknowledged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/payload.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/accounts.hpp"
#include "clients/doors.hpp"
#include "clients/heap_trim.hpp"
#include "clients/reading_queue.hpp"
#include "clients/ways.hpp"
#include "core/capacity.hpp"
#include "core/outbox.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "io/loop.hpp"
#include "io/peer.hpp"
#include "io/saved_stream.hpp"
#include "io/stream.hpp"
#include "io/stream_cipher.hpp"
#include "io/timer.hpp"

namespace chatd {

class Connections : private io::StreamListener, public core::Capacity {
 public:
  /// Whose a connection is.
  enum class Kind : std::uint8_t {
    kSession,
    kSilent,       ///< a session to and from which nothing has gone yet: see set_late()
    kArrival,      ///< nobody knows yet what it is
    kPage,         ///< a page's, whose session has another slot
    kPageSession,  ///< no connection: the session of a page, which comes and goes
    kLeaving,      ///< nothing is heard of it any more
  };
  /// What is known of a client besides its session.
  struct Client {
    io::Peer peer;
    Doors::Index listener = 0;
    Kind kind = Kind::kSession;
    bool gone : 1 = false;   ///< nothing can be written any more; what was unsent is counted
    bool extra : 1 = false;  ///< there may be no place for a session of it: Entrance::Answer
    Accounts::Number account = Accounts::kNone;
    Ways::Number way = Ways::kBare;  ///< of Connections alone: see way()
  };
  static_assert(sizeof(Client) <= 32);  // there may be tens of thousands
  using Way = chatd::Way;

  /// What stands for the connections of sessions that have none.
  class PageSessions {
   public:
    virtual ~PageSessions() = default;
    [[nodiscard]] virtual bool has_room(core::Slot slot, std::size_t bytes) const = 0;
    /// False: it was not taken, and what waits is lost.
    [[nodiscard]] virtual bool write(core::Slot slot, Payload payload) = 0;
    /// It has ended; `words`, which may be empty, are for who is at the page. With `at_once`
    /// nothing waits for a page that does not read.
    virtual void closed(core::Slot slot, std::string_view words, bool at_once) = 0;
    /// Messages that its page has not shown.
    [[nodiscard]] virtual std::uint32_t unsent(core::Slot slot) const = 0;
    /// Bytes of all payloads that are kept for it.
    [[nodiscard]] virtual std::size_t payload_bytes(core::Slot slot) const = 0;
    /// Other memory for it, in bytes, in this process or outside.
    [[nodiscard]] virtual std::size_t kept_bytes(core::Slot slot) const = 0;
  };

  /// Hears connections of one kind that are no session.
  class Audience {
   public:
    virtual ~Audience() = default;
    virtual void on_read(core::Slot slot, std::string_view bytes) = 0;
    /// It says no more.
    virtual void on_end(core::Slot slot) = 0;
    /// See io::StreamListener. Of one that is insecure nothing more is heard.
    virtual void on_secured(core::Slot slot) = 0;
    virtual void on_insecure(core::Slot slot) = 0;
    /// What waits for it fell to output_soft, after it had been above.
    virtual void on_drained(core::Slot /*slot*/) {}
    /// There is no connection any more. Not called for one that was given away, or told to leave.
    virtual void on_gone(core::Slot slot) = 0;
  };
  /// The connection at a slot is closed; the slot may be used again.
  using Closed = std::function<void(core::Slot slot, const Client& client)>;

  /// `router` asks this for room, and may be made after this. Everything must outlive this but
  /// the router, which is not called any more when this is destroyed.
  Connections(io::Loop& loop, core::Router& router, Accounts& accounts, Journal& journal,
              const Doors& doors, io::StreamLimits limits, Closed on_closed);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void set_limits(io::StreamLimits limits) { streams_.set_limits(limits); }

  /// Begins to read from `socket`. A session is the caller's to make, before anything is read.
  /// Errors: it cannot be watched; the socket is closed then.
  [[nodiscard]] Result<core::Slot> add(UniqueFd socket, const Client& client);
  /// A connection of another process, but for its descriptor.
  struct Saved {
    io::SavedStream stream;
    Way way;
    std::unique_ptr<io::StreamCipher> cipher;  ///< null: there is none
    std::vector<Payload> text;                 ///< waits to be sealed
    bool input_over = false;  ///< its client has said, within TLS, that it says no more
  };
  [[nodiscard]] static Saved read(ByteReader& in);
  /// Goes on with it, as add().
  [[nodiscard]] Result<core::Slot> restore(UniqueFd socket, Saved saved, const Client& client);
  /// Who hears those of that kind; it must outlive this.
  void set_audience(Kind kind, Audience& audience) {
    audiences_[static_cast<std::size_t>(kind)] = &audience;
  }
  void set_page_sessions(PageSessions& sessions) { page_sessions_ = &sessions; }
  /// Hears what one of the kind kSilent says first, which is a kSession by then. True: it is none,
  /// and somebody else's from now on; nobody else is to hear those bytes.
  using Late = std::function<bool(core::Slot slot, std::string_view bytes)>;
  void set_late(Late late) { late_ = std::move(late); }
  /// Ends a session whose connection goes on as something else.
  void end_session(core::Slot slot, std::string_view reason);
  /// A slot for the session of a page, until that is over.
  [[nodiscard]] core::Slot add_page_session(const Client& client);
  /// One that has got no session.
  void forget_page_session(core::Slot slot);
  /// What the client of a session has said before this was one; with `over` it says no more.
  void hear(core::Slot slot, std::string_view bytes, bool over);
  /// From now on it is of that kind.
  void become(core::Slot slot, Kind kind) {
    if (clients_[slot].kind == Kind::kArrival) trim_.session_gone();  // as good as that
    clients_[slot].kind = kind;
  }
  /// Says something to one that is no session.
  /// False: more waits for it than output_soft, or it was not taken and the connection is lost.
  bool tell(core::Slot slot, std::string_view bytes);
  /// Ends one that has no session, as gently as others: what it says is taken, and not heard.
  void dismiss(core::Slot slot);
  /// Ends one that has no session at once.
  void drop(core::Slot slot);
  /// Begins TLS; see io::StreamSet::secure().
  void secure(core::Slot slot, std::unique_ptr<io::StreamCipher> cipher, std::string_view first) {
    streams_.secure(slot, std::move(cipher), first);
  }
  /// Whether there is a connection at that slot, open or closing.
  [[nodiscard]] bool has_stream(core::Slot slot) const { return streams_.exists(slot); }
  [[nodiscard]] bool is_open(core::Slot slot) const { return streams_.is_open(slot); }
  /// Null: it has none.
  [[nodiscard]] io::StreamCipher* cipher(core::Slot slot) { return streams_.cipher(slot); }
  /// Whether it has sent something that is not read yet. Asks the kernel.
  [[nodiscard]] bool has_unread(core::Slot slot) const { return streams_.has_unread(slot); }
  void pause(core::Slot slot) { streams_.pause(slot); }
  void resume(core::Slot slot) { streams_.resume(slot); }
  /// The widest account that is charged for it.
  [[nodiscard]] Accounts::Number widest_account(core::Slot slot) const {
    return accounts_.widest(clients_[slot].account);
  }
  /// It is somebody else's than was thought, who is charged from now on; the caller has entered
  /// `account`, and leaves the former one.
  void set_peer(core::Slot slot, const io::Peer& peer, Accounts::Number account,
                bool extra = false);
  [[nodiscard]] const Way& way(core::Slot slot) const { return ways_.at(clients_[slot].way); }
  void set_way(core::Slot slot, Way way);
  /// Waits no longer for those that close: what they have not acknowledged is lost.
  void give_up_closing();
  /// Ends those that another process cannot go on with: of TLS 1.2, and those whose handshake goes
  /// on. They hear that nothing more comes.
  void end_unsaveable();
  /// Writes down what waits for one of slots(), how its client came, and its cipher, for read().
  /// Returns its descriptor, which stays ours. What is written holds secrets.
  int save(core::Slot slot, ByteWriter& out);

  /// Where the core puts what it wants done; to be delivered in the same turn.
  [[nodiscard]] core::Outbox& outbox() { return outbox_; }
  /// Does what is in the outbox. Returns the slots that it has filled beyond output_soft.
  std::vector<core::Slot> deliver();
  /// Reads those who could not be read when something came from them, as far as this turn allows;
  /// to be called at the end of each turn. With `slowly`, because somebody does not keep up with
  /// what is said, nobody is read much who says much.
  void read_waiting(bool slowly);
  /// Sends what can be sent; to be called at the end of each turn, after that.
  void flush() {
    release_page_sessions();
    streams_.flush();
  }
  /// The same without a limit: no turn follows.
  void flush_all() { streams_.flush_all(); }

  /// All that are open or closing, in ascending order.
  [[nodiscard]] std::vector<core::Slot> slots() const;
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  [[nodiscard]] const Client& client(core::Slot slot) const { return clients_[slot]; }
  /// The name of the listener by which a client came.
  [[nodiscard]] const std::string& listener(core::Slot slot) const;
  /// The client's socket, which from now on other processes may share.
  [[nodiscard]] int share_socket(core::Slot slot) { return streams_.share(slot); }
  /// Bytes that wait to be sent, to all clients, and to one.
  [[nodiscard]] std::size_t queued_bytes() const { return streams_.queued_bytes(); }
  [[nodiscard]] std::size_t queued_bytes(core::Slot slot) const {
    return is_page_session(slot) ? page_sessions_->payload_bytes(slot)
                                 : streams_.queued_bytes(slot);
  }
  /// Bytes that are kept of a client in no payload, besides what its session keeps.
  [[nodiscard]] std::size_t kept_bytes(core::Slot slot) const {
    return is_page_session(slot) ? page_sessions_->kept_bytes(slot) : 0;
  }
  /// Whether more waits for it than output_soft.
  [[nodiscard]] bool is_congested(core::Slot slot) const {
    return streams_.queued_bytes(slot) > streams_.limits().high_bytes;
  }
  /// Bytes that were read from clients, by this process.
  [[nodiscard]] std::uint64_t read_bytes() const { return read_bytes_; }
  /// Bytes that a slot's client has taken.
  [[nodiscard]] std::uint64_t sent_bytes(core::Slot slot) const;
  /// Called when a slot that was congested has room again, or has gone.
  void on_relieved(std::function<void(core::Slot)> callback) { relieved_ = std::move(callback); }

  [[nodiscard]] bool has_room(core::Slot slot, std::size_t bytes) override;
  [[nodiscard]] std::uint32_t unsent(core::Slot slot) const override;

 private:
  [[nodiscard]] bool may_read(io::StreamId id) override;
  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_secured(io::StreamId id) override;
  void on_insecure(io::StreamId id) override;
  void on_drained(io::StreamId id) override;
  void on_clear(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  [[nodiscard]] Audience* audience_of(core::Slot slot) const {
    return audiences_[static_cast<std::size_t>(clients_[slot].kind)];
  }
  [[nodiscard]] bool is_page_session(core::Slot slot) const {
    return clients_[slot].kind == Kind::kPageSession;
  }
  void end_page_session(core::Slot slot, std::string_view words, bool at_once);
  void release_page_sessions();
  void remember(core::Slot slot, const Client& client);
  Client forget(core::Slot slot);
  void say_closed(core::Slot slot, std::uint32_t lost);
  bool write(const core::Write& write);
  void close(const core::Close& close);
  void abort(core::Slot slot);
  void write_down_events();
  void charge(const core::Event& event, Event& line);
  [[nodiscard]] bool has_heard_enough() const;
  void tick();
  void release_memory();

  io::Loop& loop_;
  core::Router& router_;
  Accounts& accounts_;
  Journal& journal_;
  const Doors& doors_;
  Closed closed_;
  std::function<void(core::Slot)> relieved_;
  core::Outbox outbox_;
  std::vector<Client> clients_;  ///< by slot
  PageSessions* page_sessions_ = nullptr;
  std::vector<core::Slot> ended_page_sessions_;  ///< whose slots are free at the end of the turn
  std::array<Audience*, 6> audiences_{};         ///< by kind; null: nobody hears them
  Late late_;
  Ways ways_;
  ReadingQueue reading_;
  bool slowly_ = false;  ///< as read_waiting() was told last
  std::uint64_t read_bytes_ = 0;
  io::StreamSet streams_;
  io::Timer timer_;          ///< the core's next deadline
  io::Timer reading_timer_;  ///< when somebody in reading_ may be read who may not now
  HeapTrim trim_;
};

}  // namespace chatd
