/// The file of the log: what it is made as, and that it can be moved away.
#include "log/log_file.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "log/log.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"

namespace chatd::test {
namespace {

TEST_CASE("log file: it is made for this user alone, and appended to", "[log][log_file]") {
  const Folder folder;
  const Umask umask{0};
  const auto path = folder / "made/chatd.log";
  for (int i = 0; i < 2; ++i) {
    auto file = LogFile::open(path);
    REQUIRE(file);
    CHECK((*file)->write("line\n") == 5);
    CHECK_FALSE((*file)->was_tightened());
  }
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(folder / "made") == 0700);
  CHECK(text_of(path) == "line\nline\n");
}

TEST_CASE("log file: its group may read one that is there, and nobody may do more",
          "[log][log_file]") {
  const Folder folder;
  const auto path = make_file(folder / "chatd.log", 0666);
  auto file = LogFile::open(path);
  REQUIRE(file);
  CHECK((*file)->was_tightened());
  CHECK(mode_of(path) == 0640);
  REQUIRE((*file)->reopen());
  CHECK_FALSE((*file)->was_tightened());
}

TEST_CASE("log file: after it was moved away it goes on in a new one, once that is asked for",
          "[log][log_file]") {
  const Folder folder;
  const auto path = folder / "chatd.log";
  const auto moved = folder / "chatd.log.1";
  auto file = LogFile::open(path);
  REQUIRE(file);
  CHECK((*file)->write("one\n") == 4);
  std::filesystem::rename(path, moved);
  CHECK((*file)->write("two\n") == 4);
  REQUIRE((*file)->reopen());
  CHECK((*file)->write("three\n") == 6);
  CHECK(text_of(moved) == "one\ntwo\n");
  CHECK(text_of(path) == "three\n");
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("log file: where a new one cannot be opened the old one goes on", "[log][log_file]") {
  const Folder folder;
  const auto path = folder / "chatd.log";
  const auto moved = folder / "chatd.log.1";
  auto file = LogFile::open(path);
  REQUIRE(file);
  CHECK((*file)->write("one\n") == 4);
  std::filesystem::rename(path, moved);
  const auto other = make_file(folder / "other", 0600);
  std::filesystem::create_symlink(other, path);
  auto reopened = (*file)->reopen();
  REQUIRE_FALSE(reopened);
  CHECK(reopened.error().message == "open " + path + ": " + path + " is a symbolic link");
  CHECK((*file)->write("two\n") == 4);
  CHECK(text_of(moved) == "one\ntwo\n");
  CHECK(text_of(other).empty());
}

TEST_CASE("log file: the log says that it tightened the mode, and goes on in another file",
          "[log][log_file]") {
  const Folder folder;
  Config::Log config;
  config.target = LogTarget::kFile;
  config.file = make_file(folder / "chatd.log", 0644);
  {
    auto log = Log::open(config, nullptr);
    REQUIRE(log);
    spdlog::default_logger()->flush();
    std::filesystem::rename(config.file, config.file + ".1");
    REQUIRE((*log)->reopen());
    spdlog::info("after");
  }
  const auto first = text_of(config.file + ".1");
  CHECK(first.find("others could read or write " + config.file) != std::string::npos);
  CHECK(text_of(config.file).find("info: after\n") != std::string::npos);
}

TEST_CASE("log file: lines that a full disk does not take are counted", "[log][log_file]") {
  // Nothing but a regular file is taken as a log, so the disk is a limit of this process.
  const Folder folder;
  Config::Log config;
  config.target = LogTarget::kFile;
  config.file = folder / "chatd.log";
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto log = Log::open(config, nullptr);
    if (!log) _exit(2);
    spdlog::info("first");
    spdlog::default_logger()->flush();
    const auto size = static_cast<rlim_t>(std::filesystem::file_size(config.file));
    const rlimit full{size, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &full);
    spdlog::info("second");
    spdlog::info("third");
    spdlog::default_logger()->flush();
    const rlimit room{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &room);
    spdlog::info("fourth");
    log->reset();
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  const auto text = text_of(config.file);
  INFO(text);
  CHECK(text.find("first\n2 log lines were lost here\n") != std::string::npos);
  CHECK(text.ends_with("fourth\n"));
}

}  // namespace
}  // namespace chatd::test
