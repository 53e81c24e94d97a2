// Standard input and output of every kind: nothing blocks, nothing spins, and the
// flags of what was given stay as they are.
#include "io/descriptor.hpp"

#include <sys/ioctl.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "io/signal.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::io {

using test::is_quiet;
using test::run_pending;
using test::run_until;

namespace {

struct Ends {
  UniqueFd read;
  UniqueFd write;
};

Ends pipe_ends() {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

// read is the controlling side, write the terminal itself, which does not echo.
Ends terminal_ends() {
  UniqueFd master{::posix_openpt(O_RDWR | O_NOCTTY)};
  REQUIRE(master);
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  UniqueFd slave{::open(::ptsname(master.get()), O_RDWR | O_NOCTTY)};
  REQUIRE(slave);
  return {std::move(master), std::move(slave)};
}

UniqueFd file_with(std::string_view text) {
  char path[] = "/tmp/chatd-test-XXXXXX";
  UniqueFd file{::mkstemp(path)};
  REQUIRE(file);
  ::unlink(path);
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Reading {
  Loop loop;
  std::string got;
  std::size_t largest = 0;
  std::vector<int> ends;
  std::optional<Reader> reader;

  explicit Reading(int fd) {
    reader.emplace(
        loop, fd,
        [this](std::string_view bytes) {
          got += bytes;
          largest = std::max(largest, bytes.size());
        },
        [this](int error) { ends.push_back(error); });
  }
  bool ended() {
    const bool held = run_until(loop, [&] { return !ends.empty(); });
    run_pending(loop);
    return held && is_quiet(loop);
  }
};

struct Writing {
  Loop loop;
  int drained = 0;
  std::vector<int> errors;
  std::optional<Writer> writer;

  explicit Writing(int fd) {
    ignore_sigpipe();
    writer.emplace(
        loop, fd, [this] { ++drained; }, [this](int error) { errors.push_back(error); });
  }
};

std::string taken_from(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::string all;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

}  // namespace

TEST_CASE("descriptor: its kind is that of what stands behind it", "[io][descriptor]") {
  const Ends pipe = pipe_ends();
  const Ends terminal = terminal_ends();
  const test::Pair sockets = test::unix_pair();
  const UniqueFd file = file_with("");
  const UniqueFd folder{::open("/", O_RDONLY)};
  const UniqueFd null{::open("/dev/null", O_RDWR)};
  CHECK(kind_of(pipe.read.get()) == DescriptorKind::kPipe);
  CHECK(kind_of(terminal.write.get()) == DescriptorKind::kTerminal);
  CHECK(kind_of(sockets.ours.get()) == DescriptorKind::kSocket);
  CHECK(kind_of(file.get()) == DescriptorKind::kFile);
  CHECK(kind_of(folder.get()) == DescriptorKind::kFolder);
  CHECK(kind_of(null.get()) == DescriptorKind::kOther);
  CHECK(kind_of(-1) == DescriptorKind::kMissing);
  CHECK(kind_of(9999) == DescriptorKind::kMissing);
}

TEST_CASE("descriptor: a terminal is asked for its width each time, anything else is none",
          "[io][descriptor]") {
  const Ends pipe = pipe_ends();
  CHECK(TerminalWidth{pipe.write.get()}.columns() == 0);
  CHECK(TerminalWidth{-1}.columns() == 0);
  const Ends terminal = terminal_ends();
  const TerminalWidth width{terminal.write.get()};
  winsize size{};
  for (const unsigned short columns : std::initializer_list<unsigned short>{40, 132}) {
    size.ws_col = columns;
    REQUIRE(::ioctl(terminal.write.get(), TIOCSWINSZ, &size) == 0);
    CHECK(width.columns() == columns);
  }
}

TEST_CASE("descriptor: a reader comes to the end of whatever it is given, once",
          "[io][descriptor]") {
  SECTION("nothing") {
    Reading reading{-1};
    CHECK(reading.ended());
    CHECK(reading.ends == std::vector<int>{EBADF});
  }
  SECTION("a folder") {
    const UniqueFd folder{::open("/", O_RDONLY)};
    Reading reading{folder.get()};
    CHECK(reading.ended());
    CHECK(reading.ends == std::vector<int>{EISDIR});
  }
  SECTION("/dev/null") {
    const UniqueFd null{::open("/dev/null", O_RDONLY)};
    Reading reading{null.get()};
    CHECK(reading.ended());
    CHECK(reading.ends == std::vector<int>{0});
  }
  SECTION("a file, in pieces, from where it stood") {
    const UniqueFd file = file_with("x" + std::string(300'000, 'y'));
    ::lseek(file.get(), 1, SEEK_SET);
    Reading reading{file.get()};
    CHECK(reading.ended());
    CHECK(reading.got == std::string(300'000, 'y'));
    CHECK(reading.largest <= Reader::kChunk);
    CHECK(::lseek(file.get(), 0, SEEK_CUR) == 300'001);
  }
  SECTION("a pipe") {
    Ends pipe = pipe_ends();
    REQUIRE(::write(pipe.write.get(), "abc", 3) == 3);
    pipe.write.reset();
    Reading reading{pipe.read.get()};
    CHECK(reading.ended());
    CHECK(reading.got == "abc");
    CHECK(reading.ends == std::vector<int>{0});
  }
  SECTION("a socket") {
    test::Pair sockets = test::unix_pair();
    REQUIRE(::write(sockets.theirs.get(), "abc", 3) == 3);
    sockets.theirs.reset();
    Reading reading{sockets.ours.get()};
    CHECK(reading.ended());
    CHECK(reading.got == "abc");
  }
  SECTION("a terminal that hangs up") {
    Ends terminal = terminal_ends();
    REQUIRE(::write(terminal.read.get(), "abc\n", 4) == 4);
    Reading reading{terminal.write.get()};
    REQUIRE(run_until(reading.loop, [&] { return reading.got == "abc\n"; }));
    terminal.read.reset();
    CHECK(reading.ended());
  }
}

TEST_CASE("descriptor: a pipe that nobody writes to is waited for in peace", "[io][descriptor]") {
  const Ends pipe = pipe_ends();
  Reading reading{pipe.read.get()};
  run_pending(reading.loop);
  CHECK(is_quiet(reading.loop));
  CHECK(reading.ends.empty());
}

TEST_CASE("descriptor: paused it reads nothing, resumed everything", "[io][descriptor]") {
  const Ends pipe = pipe_ends();
  Reading reading{pipe.read.get()};
  reading.reader->pause();
  REQUIRE(::write(pipe.write.get(), "abc", 3) == 3);
  run_pending(reading.loop);
  CHECK(reading.got.empty());
  CHECK(is_quiet(reading.loop));
  reading.reader->resume();
  REQUIRE(run_until(reading.loop, [&] { return reading.got == "abc"; }));
}

TEST_CASE("descriptor: flags that others share are never changed", "[io][descriptor]") {
  const Ends pipe = pipe_ends();
  const Ends terminal = terminal_ends();
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const UniqueFd socket{ends[0]};
  const UniqueFd other{ends[1]};
  for (const int fd : {pipe.read.get(), terminal.write.get(), socket.get()}) {
    const int before = ::fcntl(fd, F_GETFL);
    Reading reading{fd};
    run_pending(reading.loop);
    CHECK(::fcntl(fd, F_GETFL) == before);
    CHECK((before & O_NONBLOCK) == 0);
  }
  for (const int fd : {pipe.write.get(), terminal.write.get(), socket.get()}) {
    const int before = ::fcntl(fd, F_GETFL);
    Writing writing{fd};
    writing.writer->write("x");
    run_pending(writing.loop);
    CHECK(::fcntl(fd, F_GETFL) == before);
  }
}

TEST_CASE("descriptor: a writer waits for a reader that stands still, and loses nothing",
          "[io][descriptor]") {
  const bool terminal = GENERATE(false, true);
  const Ends ends = terminal ? terminal_ends() : pipe_ends();
  Writing writing{ends.write.get()};
  std::string all;
  for (int i = 0; all.size() < 600'000; ++i) {
    const std::string line = std::to_string(i) + " and so on, line after line\n";
    writing.writer->write(line);
    all += line;
  }
  CHECK(writing.writer->queued_bytes() == all.size());
  run_pending(writing.loop);
  CHECK(is_quiet(writing.loop));
  CHECK(writing.drained == 0);
  CHECK(writing.writer->queued_bytes() > 0);
  std::string got;
  REQUIRE(run_until(writing.loop, [&] {
    got += taken_from(ends.read.get());
    return writing.drained > 0;
  }));
  got += taken_from(ends.read.get());
  if (terminal) std::erase(got, '\r');
  CHECK((got == all));
  CHECK(writing.writer->queued_bytes() == 0);
  run_pending(writing.loop);
  CHECK(is_quiet(writing.loop));
  CHECK(writing.drained == 1);
}

TEST_CASE("descriptor: a writer whose reader has gone says so once and takes no more",
          "[io][descriptor]") {
  Ends pipe = pipe_ends();
  Writing writing{pipe.write.get()};
  pipe.read.reset();
  writing.writer->write("abc");
  REQUIRE(run_until(writing.loop, [&] { return !writing.errors.empty(); }));
  writing.writer->write("def");
  run_pending(writing.loop);
  CHECK(writing.errors == std::vector<int>{EPIPE});
  CHECK(writing.writer->queued_bytes() == 0);
  CHECK(writing.writer->broken());
  CHECK(is_quiet(writing.loop));
}

TEST_CASE("descriptor: files, /dev/null, full disks and nothing at all can be written to",
          "[io][descriptor]") {
  const auto written = [](int fd) {
    Writing writing{fd};
    writing.writer->write("abc");
    REQUIRE(
        run_until(writing.loop, [&] { return writing.drained > 0 || !writing.errors.empty(); }));
    run_pending(writing.loop);
    CHECK(is_quiet(writing.loop));
    return writing.errors;
  };
  const UniqueFd file = file_with("12345");
  ::lseek(file.get(), 1, SEEK_SET);
  CHECK(written(file.get()).empty());
  ::lseek(file.get(), 0, SEEK_SET);
  CHECK(taken_from(file.get()) == "1abc5");
  const UniqueFd null{::open("/dev/null", O_WRONLY)};
  CHECK(written(null.get()).empty());
  const UniqueFd full{::open("/dev/full", O_WRONLY)};
  CHECK(written(full.get()) == std::vector<int>{ENOSPC});
  CHECK(written(-1) == std::vector<int>{EBADF});
}

}  // namespace chatd::io
