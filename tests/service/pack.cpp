#include "service/pack.hpp"
#include "support/catch.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

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

TEST_CASE("pack: a descriptor that comes without a place has none", "[service][pack]") {
  const auto file = files(1);
  for (const std::size_t size : {1UL, 3UL, 4UL, 5UL}) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const UniqueFd ours{ends[0]};
    const UniqueFd theirs{ends[1]};
    char zeros[5] = {};
    iovec part{zeros, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file[0].get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    REQUIRE(::sendmsg(ours.get(), &message, 0) == static_cast<ssize_t>(size));
    std::vector<UniqueFd> taken;
    chatd::service::unpack(theirs.get(), taken);
    // What is longer is cut to the place.
    CHECK(taken.size() == (size < 4 ? 0 : 1));
  }
}

TEST_CASE("pack: what is not open cannot be packed", "[service][pack]") {
  CHECK_FALSE(chatd::service::pack({12345}));
}
