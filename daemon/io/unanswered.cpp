#include "io/unanswered.hpp"

#include <linux/tcp.h>  // netinet/tcp.h has half of tcp_info, and both at once do not compile
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace chatd::io {

std::optional<Unanswered> unanswered(int socket) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  // A kernel before 5.4 does not tell the window: there it is as if it might be closed.
  const bool open = length >= offsetof(tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd &&
                    info.tcpi_snd_wnd > 0;
  return Unanswered{info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
                    info.tcpi_unacked > 0 && open,
                    Duration{std::min(info.tcpi_last_ack_recv, info.tcpi_last_data_recv)}};
}

}  // namespace chatd::io
