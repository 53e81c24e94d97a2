#include "console/resolve.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace chatd::console {

Result<std::vector<io::Endpoint>> resolve(const ServerName& server) {
  if (server.is_unix()) return std::vector{io::Endpoint{server.host, 0}};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  // Not AI_ADDRCONFIG: on a machine without an IPv6 address it takes ::1 from localhost. An
  // address of a family that is not there fails at once, which costs no time.
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(server.port);
  const int status = ::getaddrinfo(server.host.c_str(), port.c_str(), &hints, &list);
  if (status != 0) {
    const char* why = status == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(status);
    return Error{"cannot resolve " + server.host + ": " + why};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
  std::vector<io::Endpoint> addresses;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, each->ai_addr, each->ai_addrlen);
    addresses.push_back(io::Endpoint::of(storage, each->ai_addrlen));
  }
  return addresses;
}

}  // namespace chatd::console
