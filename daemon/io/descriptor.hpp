/// Reading and writing of descriptors that somebody else gave us, as standard
/// input and output are: a terminal, a pipe, a socket, a file, /dev/null, a folder
/// or nothing at all. Neither ever blocks the loop nor spins on it.
///
/// Why not uv_pipe_t and uv_tty_t: they abort on a file or /dev/null, and they make
/// the file description non-blocking, which the shell and the other programs on the
/// same terminal share. Here it is opened anew where that is possible (terminals,
/// pipes), used with MSG_DONTWAIT (sockets), or asked for readiness before each
/// call (everything else).
/// Invariant: the flags of the descriptor that was given are never changed.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "io/handle.hpp"
#include "io/loop.hpp"
#include "io/poller.hpp"
#include "io/timer.hpp"

namespace chatd::io {

enum class DescriptorKind {
  kMissing,   ///< closed, or never open
  kTerminal,  ///< also one that has hung up
  kPipe,
  kSocket,
  kFile,
  kFolder,
  kOther,  ///< /dev/null and its like
};

[[nodiscard]] DescriptorKind kind_of(int fd);

/// Whether `fd` is the terminal of this process and another job has it: reading it,
/// or changing its settings, would stop the whole process (SIGTTIN, SIGTTOU).
[[nodiscard]] bool in_background(int fd);

/// How wide a terminal counts as that does not know its own size.
constexpr std::size_t kUsualColumns = 80;

/// The columns of the terminal behind `fd`; 0 if there is none.
[[nodiscard]] std::size_t terminal_columns(int fd);

/// The rows of the terminal `fd`; 0 if it is none, or does not say.
[[nodiscard]] std::size_t terminal_rows(int fd);

/// The same for whoever asks before each line: what is no terminal is asked only once. Does not
/// own `fd`.
class TerminalWidth {
 public:
  explicit TerminalWidth(int fd) : fd_{fd}, is_terminal_{terminal_columns(fd) > 0} {}
  [[nodiscard]] std::size_t columns() const { return is_terminal_ ? terminal_columns(fd_) : 0; }

 private:
  int fd_;
  bool is_terminal_;
};

/// Opens anew what stands behind `fd`, non-blocking, where that gives the same
/// bytes (terminals and pipes), and duplicates it otherwise. Empty if `fd` is not
/// open. `shared` tells whether the flags are still shared with the giver.
[[nodiscard]] UniqueFd open_again(int fd, int access_mode, bool& shared);

/// Tells when a descriptor is ready, or that it always is: files and /dev/null cannot be
/// waited for.
class Readiness : private Watcher {
 public:
  /// `wanted`: kReadable or kWritable. The descriptor must outlive this.
  Readiness(Loop& loop, int fd, Events wanted, std::function<void()> on_ready);
  ~Readiness() override;
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  /// False: the descriptor cannot be waited for. It is told as ready once a turn.
  [[nodiscard]] bool possible() const { return possible_; }
  void start();
  void stop();

 private:
  void on_ready(Tag tag, Events events) override;

  int fd_;
  Events wanted_;
  Events now_ = kNothing;
  std::function<void()> on_ready_;
  bool possible_;
  Handle<uv_idle_t> idle_;  // where waiting is not possible
};

/// Reads what arrives, at most kChunk bytes a turn of the loop. A terminal is left
/// alone while another job has it.
class Reader {
 public:
  static constexpr std::size_t kChunk = 64 * 1024;

  /// `bytes` is never empty and valid during the call only.
  using ReadCallback = std::function<void(std::string_view bytes)>;
  /// End of file (0) or an errno, once, and then nothing more. A descriptor that
  /// is not open ends with EBADF, a folder with EISDIR.
  using EndCallback = std::function<void(int error)>;

  /// Begins to read at once; nothing is called before the loop runs. Must not be
  /// destroyed inside one of its own callbacks.
  Reader(Loop& loop, int fd, ReadCallback on_read, EndCallback on_end);
  ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Both may be repeated. A reader that has ended stays so.
  void pause();
  void resume();

 private:
  void step();
  bool waits_in_background();
  void end(int error);

  DescriptorKind kind_;
  bool shared_ = false;
  UniqueFd fd_;
  ReadCallback on_read_;
  EndCallback on_end_;
  Readiness readiness_;
  Timer background_;  // looks again whether the terminal is ours
  bool ended_ = false;
};

/// Writes what is queued, at the end of the turn and then as fast as the other end takes
/// it.
class Writer {
 public:
  /// All that was queued has been taken.
  using DrainedCallback = std::function<void()>;
  /// The other end has gone (EPIPE, EIO, ENOSPC, ...). What is queued is dropped,
  /// and so is everything from then on. Called once.
  using BrokenCallback = std::function<void(int error)>;

  /// Nothing is called inside write(). Must not be destroyed inside one of its
  /// own callbacks.
  Writer(Loop& loop, int fd, DrainedCallback on_drained, BrokenCallback on_broken);
  /// Makes one last try, without waiting, to write what is queued.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Queues `bytes`. Never blocks. There is no limit here: whoever writes looks
  /// at queued_bytes() and stops what makes the output.
  void write(std::string_view bytes);
  /// Writes what can be written now, without waiting.
  void flush();

  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size() - written_; }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  void step();
  [[nodiscard]] long write_some(std::string_view bytes) const;

  Loop& loop_;
  DescriptorKind kind_;
  bool shared_ = false;
  UniqueFd fd_;
  DrainedCallback on_drained_;
  BrokenCallback on_broken_;
  Readiness readiness_;
  TurnEnd turn_end_;
  std::string queue_;
  std::size_t written_ = 0;  // how much of queue_ has been taken
  int error_ = 0;
  bool fresh_ = false;    // something was queued in this turn
  bool waiting_ = false;  // for the other end
  bool broken_ = false;
};

}  // namespace chatd::io
