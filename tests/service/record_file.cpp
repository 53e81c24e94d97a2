#include "service/record_file.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

using chatd::UniqueFd;
using chatd::service::RecordFile;

namespace {

UniqueFd copy(const RecordFile& file) {
  return UniqueFd{::fcntl(file.descriptor(), F_DUPFD_CLOEXEC, 3)};
}

}  // namespace

TEST_CASE("record file: what was written last is what the next process reads",
          "[service][record]") {
  auto file = RecordFile::make(4);
  REQUIRE(file);
  CHECK_FALSE(file->read(0));
  for (const std::string text : {"one", "another", "", "a third"}) {
    CHECK(file->write(3, text));
    auto next = RecordFile::open(copy(*file));
    REQUIRE(next);
    REQUIRE(next->places() == 4);
    CHECK(next->read(3) == text);
    CHECK_FALSE(next->read(2));
  }
  file->clear(3);
  CHECK_FALSE(file->read(3));
}

TEST_CASE("record file: what is too long leaves no record", "[service][record]") {
  auto file = RecordFile::make(1);
  REQUIRE(file);
  const std::string most(RecordFile::kMaxRecord, 'x');
  CHECK(file->write(0, most));
  CHECK(file->read(0) == most);
  CHECK_FALSE(file->write(0, most + 'x'));
  CHECK_FALSE(file->read(0));
}

TEST_CASE("record file: a damaged record is left out, and the others stay", "[service][record]") {
  auto file = RecordFile::make(2);
  REQUIRE(file);
  file->write(0, "the first record");
  file->write(1, "the second record");
  const auto size = ::lseek(file->descriptor(), 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  REQUIRE(::pread(file->descriptor(), bytes.data(), bytes.size(), 0) == size);
  const auto place = bytes.find("second");
  REQUIRE(place != std::string::npos);
  REQUIRE(::pwrite(file->descriptor(), "S", 1, static_cast<off_t>(place)) == 1);
  auto next = RecordFile::open(copy(*file));
  REQUIRE(next);
  CHECK(next->read(0) == "the first record");
  CHECK_FALSE(next->read(1));
}

TEST_CASE("record file: a record that was being written when the process ended is the one before",
          "[service][record]") {
  auto file = RecordFile::make(1);
  REQUIRE(file);
  file->write(0, "the first record");
  file->write(0, "the second record");
  // As if the third had been half written: it goes where the first is.
  const auto size = ::lseek(file->descriptor(), 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  REQUIRE(::pread(file->descriptor(), bytes.data(), bytes.size(), 0) == size);
  const auto place = bytes.find("the first");
  REQUIRE(place != std::string::npos);
  REQUIRE(::pwrite(file->descriptor(), "the third", 9, static_cast<off_t>(place)) == 9);
  CHECK(file->read(0) == "the second record");
}

TEST_CASE("record file: a file of another kind, or of another version, is refused",
          "[service][record]") {
  auto file = RecordFile::make(1);
  REQUIRE(file);
  const auto change = [&](off_t place, char to) {
    char before = 0;
    REQUIRE(::pread(file->descriptor(), &before, 1, place) == 1);
    REQUIRE(::pwrite(file->descriptor(), &to, 1, place) == 1);
    auto taken = RecordFile::open(copy(*file));
    CHECK_FALSE(taken);
    REQUIRE(::pwrite(file->descriptor(), &before, 1, place) == 1);
    return taken ? "" : taken.error().message;
  };
  CHECK(change(0, 'x').find("no records") != std::string::npos);
  CHECK(change(8, 99).find("version 99") != std::string::npos);
  CHECK(change(12, 99).find("damaged") != std::string::npos);
  REQUIRE(RecordFile::open(copy(*file)));
  // With more places than may be, of the size that is right for them.
  const auto size_of = [](const RecordFile& of) { return ::lseek(of.descriptor(), 0, SEEK_END); };
  const auto size = size_of(*file);
  const auto of_one = size_of(*RecordFile::make(2)) - size;
  const std::uint32_t many = 65537;
  REQUIRE(::ftruncate(file->descriptor(), size + (many - 1) * of_one) == 0);
  REQUIRE(::pwrite(file->descriptor(), &many, sizeof many, 12) == sizeof many);
  CHECK_FALSE(RecordFile::open(copy(*file)));
  REQUIRE(::ftruncate(file->descriptor(), 100) == 0);
  CHECK_FALSE(RecordFile::open(copy(*file)));
  CHECK_FALSE(RecordFile::open(UniqueFd{::open("/dev/null", O_RDWR | O_CLOEXEC)}));
}

TEST_CASE("record file: a log is what it began with and all that was added", "[service][record]") {
  auto file = RecordFile::make(3);
  REQUIRE(file);
  CHECK_FALSE(file->read_log(1));
  CHECK(file->log_size(1) == 0);
  file->begin_log(1, "one");
  CHECK(file->append_log(1, ""));
  CHECK(file->append_log(1, ", two"));
  file->begin_log(2, "another");
  auto next = RecordFile::open(copy(*file));
  REQUIRE(next);
  CHECK(next->read_log(1) == "one, two");
  CHECK(next->log_size(1) == 3 * RecordFile::kPartHead + 8);
  CHECK(next->read_log(2) == "another");
  CHECK_FALSE(next->read_log(0));
  for (int i = 0; i < 3; ++i) {
    file->begin_log(1, "anew " + std::to_string(i));
    CHECK(file->append_log(1, "!"));
    CHECK(next->read_log(1) == "anew " + std::to_string(i) + "!");
  }
  file->write(1, "the record");
  file->clear(1);
  CHECK_FALSE(next->read(1));
  CHECK_FALSE(next->read_log(1));
  CHECK(next->read_log(2) == "another");
}

TEST_CASE("record file: a log takes the memory that it needs, and gives it back",
          "[service][record]") {
  auto file = RecordFile::make(2);
  REQUIRE(file);
  const auto memory = [&file] {
    struct stat found {};
    REQUIRE(::fstat(file->descriptor(), &found) == 0);
    return static_cast<std::size_t>(found.st_blocks) * 512;
  };
  const auto before = memory();
  const std::string most(RecordFile::kMaxLog - RecordFile::kPartHead, 'x');
  for (int i = 0; i < 3; ++i) {
    file->begin_log(0, most);
    CHECK(memory() - before <= RecordFile::kMaxLog + 16384);
  }
  CHECK_FALSE(file->append_log(0, ""));
  CHECK(file->read_log(0) == most);
  file->begin_log(0, "little");
  CHECK(memory() - before <= 16384);
  file->begin_log(1, "little");
  CHECK(memory() - before <= 32768);
  file->clear(0);
  file->clear(1);
  CHECK(memory() - before <= 16384);
}

TEST_CASE("record file: a damaged log is left out", "[service][record]") {
  auto file = RecordFile::make(2);
  REQUIRE(file);
  file->begin_log(0, "the first log");
  file->begin_log(1, "the second log");
  CHECK(file->append_log(1, ", and more"));
  // The file has holes: only what is written is looked at.
  const auto find = [&file](const std::string& text) {
    const auto end = ::lseek(file->descriptor(), 0, SEEK_END);
    for (auto data = ::lseek(file->descriptor(), 0, SEEK_DATA); data >= 0 && data < end;) {
      std::string bytes(65536, '\0');
      const auto got = ::pread(file->descriptor(), bytes.data(), bytes.size(), data);
      REQUIRE(got > 0);
      if (const auto place = bytes.find(text); place != std::string::npos) {
        return data + static_cast<off_t>(place);
      }
      data = ::lseek(file->descriptor(), data + got, SEEK_DATA);
    }
    FAIL("it is not there");
    return off_t{};
  };
  const auto change = [&](off_t place, std::string_view to) {
    std::string before(to.size(), '\0');
    REQUIRE(::pread(file->descriptor(), before.data(), to.size(), place) >= 0);
    REQUIRE(::pwrite(file->descriptor(), to.data(), to.size(), place) >= 0);
    const auto log = file->read_log(1);
    REQUIRE(::pwrite(file->descriptor(), before.data(), to.size(), place) >= 0);
    return log;
  };
  using namespace std::string_view_literals;
  const auto begin = find("the second log");
  CHECK_FALSE(change(begin, "T"));                                       // a byte of it
  CHECK_FALSE(change(begin - 8, "\xff\xff\xff\xff\xff\xff\xff\xff"sv));  // its length
  CHECK_FALSE(change(begin - 8, "\1"));
  CHECK_FALSE(change(begin - 16, "x"));  // its sum
  CHECK_FALSE(change(find(", and more"), ";"));
  CHECK(file->read_log(1) == "the second log, and more");
  CHECK(file->read_log(0) == "the first log");
  // How long it is, and which half is in force: at the head of the record.
  constexpr off_t kRecordOfOne = 4096 + 12288 + 2 * RecordFile::kMaxLog;
  for (const auto value : {"\xff\xff\xff\xff"sv, "\1\0\0\0"sv, "\0\0\0\0"sv}) {
    CHECK_FALSE(change(kRecordOfOne + 8, value));
  }
  for (const auto value : {"\2\0\0\0"sv, "\3\0\0\0"sv, "\0\0\0\0"sv}) {
    CHECK_FALSE(change(kRecordOfOne + 4, value));
  }
}

TEST_CASE("record file: a log that was being begun anew when the process ended is the one before",
          "[service][record]") {
  auto file = RecordFile::make(1);
  REQUIRE(file);
  file->begin_log(0, "the log");
  // As if another had been written into the other half, and were not in force yet.
  constexpr off_t kOther = 4096 + 12288 + RecordFile::kMaxLog;
  REQUIRE(::pwrite(file->descriptor(), "garbage", 7, kOther) == 7);
  CHECK(file->read_log(0) == "the log");
  // As if a part had been added, of which nobody has said yet that it is there.
  constexpr off_t kBehind = 4096 + 12288 + RecordFile::kPartHead + 7;
  REQUIRE(::pwrite(file->descriptor(), "garbage", 7, kBehind) == 7);
  CHECK(file->read_log(0) == "the log");
  CHECK(file->append_log(0, " goes on"));
  CHECK(file->read_log(0) == "the log goes on");
}
