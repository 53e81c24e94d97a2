// bench_load: puts a load on a server and measures what it costs that server. One
// process, one thread, bounded in count and in time. See usage() for its arguments.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "arguments.hpp"
#include "sockets.hpp"
#include "workload.hpp"

namespace {

constexpr unsigned kMostSeconds = 240;

[[noreturn]] void usage() {
  std::fputs(
      "bench_load WORKLOAD --port N --pid N (--control PATH | --console IN OUT)\n"
      "           [--clients N] [--in-flight N] [--units N] [--hold]\n"
      "           [--original | --websocket | --page] [--tls]\n"
      "WORKLOAD: idle, broadcast, questions, fan-in, visits, handshakes, stall\n"
      "Visits and handshakes are always bare and by TLS; a page can do nothing but be idle.\n",
      stderr);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  using chatd::bench::number;
  if (argc < 2) usage();
  chatd::bench::Wish wish;
  wish.workload = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--original") {
      wish.original = true;
    } else if (flag == "--websocket") {
      wish.way.websocket = true;
    } else if (flag == "--page") {
      wish.way.websocket = wish.way.page = true;
    } else if (flag == "--tls") {
      wish.way.tls = true;
    } else if (flag == "--hold") {
      wish.hold = true;
    } else if (flag == "--console" && i + 2 < argc) {
      wish.console_input = argv[++i];
      wish.console_output = argv[++i];
    } else if (flag == "--port") {
      wish.port = number<std::uint16_t>(argv[++i], usage);
    } else if (flag == "--pid") {
      wish.pid = number<pid_t>(argv[++i], usage);
    } else if (flag == "--control") {
      if (++i == argc) usage();
      wish.control = argv[i];
    } else if (flag == "--clients") {
      wish.clients = number<std::uint32_t>(argv[++i], usage);
    } else if (flag == "--in-flight") {
      wish.in_flight = number<std::uint32_t>(argv[++i], usage);
    } else if (flag == "--units") {
      wish.units = number<std::uint32_t>(argv[++i], usage);
    } else {
      usage();
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  alarm(kMostSeconds);
  chatd::bench::raise_descriptor_limit();
  chatd::bench::run(wish);
  return 0;
}
