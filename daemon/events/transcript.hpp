/// Transcripts as the rest of the daemon sees them: events go in as they happen, and
/// what was said comes back as JSON. Puts the store's worker beside the loop. There is
/// one or none: whoever uses it must do without.
///
/// Invariant: no event is seen by anybody before its number is reserved here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  /// Records event number `seq`, whose line has this `body` (see event_json.hpp).
  void record(Seq seq, WallTime time, const Event& event, std::string_view body);
  /// Gives the store's thread what was recorded. To be called at the end of each turn, before
  /// anybody is sent the events of the turn.
  void submit() { store_->submit(); }

  /// Answers what `query` asks, later, on the loop's thread.
  void ask(MessageQuery query, std::function<void(Result<std::string>)> answer);
  /// The events after `after`, up to `upto`, as replay_page() has them, later.
  void replay(Seq after, Seq upto, std::size_t max_bytes, std::function<void(ReplayPage)> answer);
  /// Operators have heard everything up to `seq`; store::kAttending: they hear all that comes.
  void attended(Seq seq);

  /// Called with a sentence for the operators when recording fails or works again.
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

  void set_keep(Duration keep) { store_->set_keep(keep); }
  /// Keeps these bans in place of those that were kept.
  void set_bans(std::vector<store::Ban> bans) { store_->set_bans(std::move(bans)); }

 private:
  explicit Transcript(io::Loop& loop);
  void woken();

  std::function<void(const std::string&)> notice_;
  std::string scratch_;
  io::Async wake_;  ///< before store_, whose worker calls it
  std::unique_ptr<store::Store> store_;
};

}  // namespace chatd
