#include "service/record_file.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <string>

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
