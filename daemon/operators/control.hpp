/// The operators' side of the daemon: the control socket, one connection for each
/// operator, its requests and the stream of events. What most requests do is known by
/// Methods; here are those that are about the connection itself.
///
/// Invariant: an operator who has subscribed gets every event after its cursor once
/// and in order, or is told how many it missed. One who is behind costs no memory:
/// it is served from the transcript and the event log when it reads again, and detached
/// when 1 MiB waits for it and it takes nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "clients/clients.hpp"
#include "config/config.hpp"
#include "events/event_log.hpp"
#include "events/transcript.hpp"
#include "io/acceptor.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/timer.hpp"
#include "log/refusal_log.hpp"
#include "operators/inbox.hpp"
#include "operators/methods.hpp"
#include "operators/rpc.hpp"
#include "operators/slow_clients.hpp"

namespace chatd {

class Control : private io::StreamListener {
 public:
  /// `transcript` may be null: then only what the log keeps can be replayed, and there
  /// is neither history nor search.
  Control(io::Loop& loop, Clients& clients, EventLog& log, const Config& config,
          Methods::Hooks hooks, Transcript* transcript = nullptr);
  ~Control() override;
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  /// Opens the control socket at `path`, in a folder that is made if it is missing
  /// (0750). Members of `group` may connect besides root and this user.
  [[nodiscard]] Result<> listen(const std::string& path, const std::string& group);
  /// Does and answers what operators have asked for already, or refuses it where it would
  /// have to wait for a client. The loop stands still meanwhile, at most for two seconds.
  void finish_requests();
  /// Opens it again if its file was removed. Errors: there is something else now. Who
  /// is attached stays.
  [[nodiscard]] Result<> reopen();
  /// Writes down the control socket for the next process and returns its descriptor.
  /// Operators are left behind; they come back by themselves, to the next process.
  int save(ByteWriter& out);
  /// The control socket of an earlier process, to be taken by listen() if it is the
  /// right one. What cannot be is refused by the reader.
  void restore(UniqueFd socket, ByteReader& in);

  /// Takes a connected socket as an operator's, whoever is at its other end: the
  /// console of this process.
  [[nodiscard]] Result<> attach(UniqueFd socket);

  /// The connections of all operators have been cut, through no fault of theirs: for some
  /// seconds their claims wait for them to come back.
  void await_return();

  [[nodiscard]] std::size_t operators() const { return count_; }
  void set_max_operators(std::size_t count) { max_operators_ = count; }

  /// No new operators; those who are there get what they have not read, then an end
  /// of file. `done` is called when the last one has gone, maybe inside this call.
  void stop(std::function<void()> done);

 private:
  struct Operator;

  void on_read(io::StreamId id, std::string_view bytes) override;
  void on_end(io::StreamId id) override;
  void on_broken(io::StreamId id, int error) override;
  void on_drained(io::StreamId id) override;
  void on_closed(io::StreamId id, std::size_t unsent) override;

  void accepted(UniqueFd socket);
  Result<std::unique_ptr<io::Acceptor>> open_socket(const std::string& path);
  Result<io::StreamId> admit(UniqueFd socket, std::string name);
  [[nodiscard]] bool allowed(int socket, unsigned uid, unsigned gid) const;
  [[nodiscard]] std::string unique_name(std::string_view wish, const Operator* self,
                                        bool itself = true) const;
  [[nodiscard]] std::string usual_name(const std::string& user) const;
  [[nodiscard]] bool is_there(std::string_view name, const Operator* except) const;
  std::string take_name(std::string_view wish, const Operator& self);
  void has_gone(std::string_view name);

  void process(io::StreamId id);
  void process_line(io::StreamId id, std::string_view line);
  void process_request(io::StreamId id, std::string_view line, Reply& reply);
  bool must_wait(io::StreamId id);
  void refuse_requests(io::StreamId id);
  void write(io::StreamId id, std::string_view bytes);
  void leave(io::StreamId id, std::string_view why);

  void publish();
  void catch_up(io::StreamId id);
  void judge();
  void fetch(io::StreamId id, core::Seq upto);
  void fetched(io::StreamId id, const ReplayPage& page);

  void question(io::StreamId id, std::string_view method, rpc::Params& params, Reply& reply);
  void answered(io::StreamId id, std::string_view request, Result<std::string> json);
  /// The operator of that number, if it is still there.
  Operator* find(io::StreamId id, std::uint64_t number);

  void hello(io::StreamId id, rpc::Params& params, Reply& reply);
  void subscribe(io::StreamId id, rpc::Params& params, Reply& reply);
  void away(io::StreamId id, rpc::Params& params, Reply& reply);
  void back(io::StreamId id, rpc::Params& params, Reply& reply);
  void count_away();

  io::Loop& loop_;
  Clients& clients_;
  EventLog& log_;
  Transcript* transcript_;
  Inbox inbox_;
  std::size_t max_operators_;
  Methods methods_;
  std::vector<std::unique_ptr<Operator>> operators_;  ///< by stream
  std::size_t count_ = 0;
  std::uint64_t last_number_ = 0;  ///< of operators and of what they wait for
  std::string path_;
  std::string group_name_;
  int group_ = -1;  ///< gid whose members may connect
  std::unique_ptr<io::Acceptor> acceptor_;
  std::function<void()> stopped_;
  SlowClients slow_clients_;
  io::Timer patience_;
  io::Timer return_;
  bool awaiting_ = false;                ///< operators who had to leave
  std::optional<core::Away> last_word_;  ///< of the last of them who was away
  io::Timer refusals_;
  RefusalLog refused_{"operator"};
  io::TurnEnd turn_end_;  ///< before flush_: events are sealed, then sent
  io::StreamSet streams_;
  io::TurnEnd flush_;
};

}  // namespace chatd
