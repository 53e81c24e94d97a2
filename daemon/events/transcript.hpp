/// Transcripts as the rest of the daemon sees them: events go in as they happen, and
/// what was said comes back as JSON. Puts the store's threads beside the loop. There is
/// one or none: whoever uses it must do without.
///
/// Invariant: no event is seen by anybody before its number is reserved here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "config/config.hpp"
#include "events/event.hpp"
#include "events/transcript_json.hpp"
#include "io/async.hpp"
#include "io/loop.hpp"
#include "store/store.hpp"

namespace chatd {

class Transcript {
 public:
  /// As the configuration has it. `sessions_go_on`: messages that are held for them still
  /// wait. Null if transcripts are off or, after saying so in the log, if they cannot be
  /// opened at the default path. The error is about a path that was configured.
  [[nodiscard]] static Result<std::unique_ptr<Transcript>> open(io::Loop& loop,
                                                                const Config::Transcript& config,
                                                                bool sessions_go_on = false);
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;
  ~Transcript() = default;

  [[nodiscard]] const store::Opened& opened() const { return store_->opened(); }
  [[nodiscard]] store::Counts counts() const { return store_->counts(); }

  /// Records event number `seq`, whose line has this `body` (see event_json.hpp). It is charged
  /// to `origin`.
  void record(Seq seq, WallTime time, const Event& event, std::string_view body,
              std::uint32_t origin = store::kNoOrigin);
  /// Gives the store's thread what was recorded. To be called at the end of each turn, before
  /// anybody is sent the events of the turn.
  void submit() { store_->submit(); }

  /// What is recorded and not written yet. Whoever reads from strangers does better to wait than
  /// to have it grow: beyond 16 MiB those who record most lose events, see on_dropped().
  [[nodiscard]] store::Waiting backlog() const { return store_->waiting(); }
  /// Called within submit() when `events` that were charged to `origin` had to go.
  void on_dropped(std::function<void(std::uint32_t origin, std::size_t events)> callback) {
    dropped_ = std::move(callback);
  }

  /// Answers what `query` asks, later, on the loop's thread. Those who ask take turns. What takes
  /// longer than 2 s is an error of code ETIMEDOUT.
  void ask(std::uint64_t asker, MessageQuery query,
           std::function<void(Result<std::string>)> answer);
  /// The events after `after`, up to `upto`, as replay_page() has them, later.
  void replay(std::uint64_t asker, Seq after, Seq upto, std::size_t max_bytes,
              const std::function<void(ReplayPage)>& answer);
  /// Operators have heard everything up to `seq`; store::kAttending: they hear all that comes.
  void attended(Seq seq);

  /// The messages that nobody had heard when this was opened: those that are counted so far.
  [[nodiscard]] store::Unread unread() const { return store_->unread(); }

  /// Called with a sentence for the operators when recording fails or works again, and when the
  /// oldest events go because there is no room.
  void on_notice(std::function<void(const std::string&)> callback) {
    notice_ = std::move(callback);
  }

  /// Waits, at most `patience`, until all that was recorded is in the file, so that the
  /// next process goes on with the next number. For the end of a process that has no
  /// time to close it; the loop stands still meanwhile. What was asked is answered inside
  /// this call.
  bool drain(Duration patience);

  /// Gives back the memory that is kept for the next batch, if none has begun.
  void release_memory() { store_->release_memory(); }
  [[nodiscard]] std::size_t retained_bytes() const { return store_->retained_bytes(); }

  /// Takes what the configuration says is kept.
  void set_bounds(const Config::Transcript& config);
  /// Keeps one ban more, in place of one of the same address.
  void add_ban(store::Ban ban) { store_->add_ban(std::move(ban)); }
  /// `address` as it was added.
  void remove_ban(const std::string& address) { store_->remove_ban(address); }

 private:
  explicit Transcript(io::Loop& loop);
  void woken();
  void ask_replay(std::uint64_t asker, Seq after, Seq upto, std::size_t max_bytes,
                  const std::function<void(ReplayPage)>& answer, int tries);

  std::function<void(const std::string&)> notice_;
  std::function<void(std::uint32_t, std::size_t)> dropped_;
  std::string scratch_;
  io::Async wake_;  ///< before store_, whose threads call it
  std::unique_ptr<store::Store> store_;
};

}  // namespace chatd
