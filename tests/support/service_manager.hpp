/// The notification socket of a service manager with a descriptor store: what is put there is
/// kept under its name until it is taken out.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"
#include "service/descriptor_store.hpp"
#include "service/notify.hpp"
#include "support/catch.hpp"

namespace chatd::test {

class ServiceManager {
 public:
  /// Its store has room for that many descriptors.
  explicit ServiceManager(std::size_t room)
      : notify_{bind(socket_)}, store_{store_with(room, notify_)} {}

  [[nodiscard]] const service::DescriptorStore& store() const { return store_; }

  /// What is in the store now, by name.
  const std::map<std::string, UniqueFd>& kept() {
    while (hear()) {
    }
    return kept_;
  }
  bool has(const std::string& name) { return kept().contains(name); }

  /// From now on it receives nothing.
  void leave() { socket_.reset(); }

 private:
  static service::DescriptorStore store_with(std::size_t room, const service::Notify& notify) {
    ::setenv("FDSTORE", std::to_string(room).c_str(), 1);
    service::DescriptorStore store{notify};
    ::unsetenv("FDSTORE");
    return store;
  }

  static std::string bind(UniqueFd& socket) {
    static int count = 0;
    const auto name = "chatd-test-" + std::to_string(::getpid()) + '-' + std::to_string(++count);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    socket = UniqueFd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    return '@' + name;
  }

  bool hear() {
    char text[256];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec part{text, sizeof text};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size <= 0) return false;
    UniqueFd fd;
    if (const cmsghdr* part_of = CMSG_FIRSTHDR(&message); part_of != nullptr) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part_of), sizeof number);
      fd = UniqueFd{number};
    }
    const std::string_view said{text, static_cast<std::size_t>(size)};
    constexpr std::string_view kName = "\nFDNAME=";
    const auto name = std::string{said.substr(said.find(kName) + kName.size())};
    if (said.starts_with("FDSTOREREMOVE=1")) {
      kept_.erase(name);
    } else if (said.starts_with("FDSTORE=1")) {
      kept_.insert_or_assign(name, std::move(fd));
    }
    return true;
  }

  UniqueFd socket_;
  service::Notify notify_;
  service::DescriptorStore store_;
  std::map<std::string, UniqueFd> kept_;
};

}  // namespace chatd::test
