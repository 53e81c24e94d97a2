/// Events on their way from the loop to the worker, which records them: one after the
/// other in one string of bytes, so that an event costs a copy and no allocation.
/// Knows no database.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory.hpp"

namespace chatd::store {

enum class Kind : std::uint8_t {
  kOther,         ///< text is the event's name and its other members as JSON
  kMessage,       ///< of a client
  kSent,          ///< of an operator
  kDelivered,     ///< a held message went out
  kDisconnected,  ///< as kOther, and what still waits for the session is lost
  kAttended,      ///< no event: `ref` is the number up to which operators have heard all
};

/// The state of an operator's message.
enum class State : std::uint8_t { kSent, kHeld, kLost, kDelivered };

/// Of a record that is charged to nobody: what operators do, and the daemon itself.
inline constexpr std::uint32_t kNoOrigin = 0xFFFFFFFF;

/// As the `ref` of kAttended: somebody is there and hears all that comes.
inline constexpr std::uint64_t kAttending = INT64_MAX;

/// No name begins with it. Several clients may call themselves the same, each in its room, while
/// another one was given that name.
inline constexpr char kWishedName = ' ';

/// One event. Its texts are copied when it is added to a Batch.
struct Record {
  std::uint64_t seq = 0;
  std::int64_t time_ms = 0;          ///< since 1970, UTC
  std::uint64_t session = 0;         ///< 0 where `sessions` is used
  std::uint64_t ref = 0;             ///< kDelivered: the message's number; kAttended
                                     ///< kSent: 1 if it was an automatic answer
  std::uint32_t lost = 0;            ///< kDisconnected: messages that the session never got
  std::uint32_t origin = kNoOrigin;  ///< whose account it is charged to; it is not kept
  Kind kind = Kind::kOther;
  State state = State::kSent;  ///< kSent
  bool cut = false;            ///< kMessage
  std::string_view text;
  std::string_view operator_name;  ///< kSent
  /// kOther that names a session: look_of() its name, behind kWishedName if that is its own wish.
  std::string_view look;
  std::span<const std::uint64_t> sessions;  ///< kSent to several
};

class Batch {
 public:
  void add(const Record& record) {
    const Head head{record.seq,
                    record.time_ms,
                    record.session,
                    record.ref,
                    record.lost,
                    record.origin,
                    static_cast<std::uint32_t>(record.text.size()),
                    static_cast<std::uint32_t>(record.operator_name.size()),
                    static_cast<std::uint32_t>(record.look.size()),
                    static_cast<std::uint32_t>(record.sessions.size()),
                    record.kind,
                    record.state,
                    record.cut};
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof head);
    bytes_.append(record.text);
    bytes_.append(record.operator_name);
    bytes_.append(record.look);
    if (!record.sessions.empty()) {
      bytes_.append(reinterpret_cast<const char*>(record.sessions.data()),
                    record.sessions.size_bytes());
    }
    if (record.kind != Kind::kAttended) ++events_;
  }

  void append(const Batch& other) {
    bytes_ += other.bytes_;
    events_ += other.events_;
  }

  /// Forgets all; large buffers are given back.
  void clear() {
    empty_out(bytes_);
    events_ = 0;
  }

  /// Gives back the memory that clear() keeps, if it is empty.
  void release_memory() {
    if (bytes_.empty()) give_back(bytes_);
  }
  [[nodiscard]] std::size_t retained_bytes() const { return bytes_.capacity(); }

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

  /// Calls `visit(record)` for each, in order, until it returns false; returns whether
  /// it never did. The texts are valid during the call only.
  template <class Visit>
  bool each(Visit visit) const {
    std::vector<std::uint64_t> sessions;  // those in the bytes are not aligned
    for (std::string_view rest = bytes_; !rest.empty();) {
      const Head head = head_of(rest);
      rest.remove_prefix(sizeof head);
      Record record;
      record.seq = head.seq;
      record.time_ms = head.time_ms;
      record.session = head.session;
      record.ref = head.ref;
      record.lost = head.lost;
      record.origin = head.origin;
      record.kind = head.kind;
      record.state = head.state;
      record.cut = head.cut;
      record.text = cut_front(rest, head.text_size);
      record.operator_name = cut_front(rest, head.operator_size);
      record.look = cut_front(rest, head.look_size);
      sessions.resize(head.sessions);
      const auto ids = cut_front(rest, head.sessions * sizeof(std::uint64_t));
      if (!ids.empty()) std::memcpy(sessions.data(), ids.data(), ids.size());
      record.sessions = sessions;
      if (!visit(static_cast<const Record&>(record))) return false;
    }
    return true;
  }

  /// What of a record those need to know who choose which ones go.
  struct Share {
    std::uint32_t origin;
    std::size_t bytes;
    bool is_event;
  };

  /// Calls `visit(share)` for each, in order.
  template <class Visit>
  void each_share(Visit visit) const {
    for (std::string_view rest = bytes_; !rest.empty();) {
      const Head head = head_of(rest);
      visit(Share{head.origin, size_of(head), head.kind != Kind::kAttended});
      rest.remove_prefix(size_of(head));
    }
  }

  /// Keeps those for which `keeps(share)` is true, in their order, and the memory that they need.
  template <class Keeps>
  void keep_if(Keeps keeps) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < bytes_.size();) {
      const Head head = head_of(std::string_view{bytes_}.substr(at));
      const auto size = size_of(head);
      const Share share{head.origin, size, head.kind != Kind::kAttended};
      if (!keeps(share)) {
        if (share.is_event) --events_;
      } else {
        if (kept < at) std::memmove(bytes_.data() + kept, bytes_.data() + at, size);
        kept += size;
      }
      at += size;
    }
    if (kept == bytes_.size()) return;
    bytes_.resize(kept);
    bytes_.shrink_to_fit();
  }

 private:
  struct Head {
    std::uint64_t seq;
    std::int64_t time_ms;
    std::uint64_t session;
    std::uint64_t ref;
    std::uint32_t lost;
    std::uint32_t origin;
    std::uint32_t text_size;
    std::uint32_t operator_size;
    std::uint32_t look_size;
    std::uint32_t sessions;
    Kind kind;
    State state;
    bool cut;
  };

  static Head head_of(std::string_view bytes) {
    Head head;
    assert(bytes.size() >= sizeof head);
    std::memcpy(&head, bytes.data(), sizeof head);
    return head;
  }

  static std::size_t size_of(const Head& head) {
    return sizeof head + head.text_size + head.operator_size + head.look_size +
           head.sessions * sizeof(std::uint64_t);
  }

  static std::string_view cut_front(std::string_view& rest, std::size_t size) {
    assert(size <= rest.size());
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }

  std::string bytes_;
  std::size_t events_ = 0;
};

}  // namespace chatd::store
