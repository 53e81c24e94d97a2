#include "service/pack.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

using chatd::UniqueFd;

namespace {

ino_t inode(int fd) {
  struct stat found {};
  return ::fstat(fd, &found) == 0 ? found.st_ino : 0;
}

std::vector<UniqueFd> files(std::size_t count) {
  std::vector<UniqueFd> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(::memfd_create("file", MFD_CLOEXEC));
  return all;
}

}  // namespace

TEST_CASE("pack: each descriptor comes out at its place", "[service][pack]") {
  for (const std::size_t count : {0UL, 1UL, 253UL, 254UL, 700UL}) {
    const auto originals = files(count);
    std::vector<int> numbers;
    for (const auto& file : originals) numbers.push_back(file.get());
    auto ends = chatd::service::pack(numbers);
    REQUIRE(ends);
    std::vector<UniqueFd> taken;
    // In any order.
    for (auto end = ends->rbegin(); end != ends->rend(); ++end) {
      chatd::service::unpack(end->get(), taken);
    }
    REQUIRE(taken.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(taken[i].get() != originals[i].get());
      REQUIRE(inode(taken[i].get()) == inode(originals[i].get()));
    }
    std::vector<UniqueFd> again;
    for (const auto& end : *ends) chatd::service::unpack(end.get(), again);
    CHECK(again.empty());
  }
}

TEST_CASE("pack: more than fits into one pair goes into several", "[service][pack]") {
  const auto one = files(1);
  const std::vector<int> numbers(200'000, one[0].get());
  auto ends = chatd::service::pack(numbers);
  // An unprivileged process may not have so many on their way; then it is told so.
  if (ends) CHECK(ends->size() > 2);
}

TEST_CASE("pack: what is not open cannot be packed", "[service][pack]") {
  CHECK_FALSE(chatd::service::pack({12345}));
}
