/// The command line, as tables of arguments and what becomes of them.
#include "config/options.hpp"
#include "base/version.hpp"
#include "support/catch.hpp"

#include <algorithm>

namespace chatd::test {
namespace {

std::variant<Options, EarlyExit> parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"chatd"};
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

Options good(const std::vector<std::string>& arguments) {
  auto parsed = parse(arguments);
  const auto* exit = std::get_if<EarlyExit>(&parsed);
  INFO((exit != nullptr ? exit->err : std::string{}));
  REQUIRE(exit == nullptr);
  return std::get<Options>(parsed);
}

EarlyExit early(const std::vector<std::string>& arguments) {
  auto parsed = parse(arguments);
  REQUIRE(std::holds_alternative<EarlyExit>(parsed));
  return std::get<EarlyExit>(parsed);
}

TEST_CASE("options: without arguments nothing is decided", "[config][options]") {
  const Options options = good({});
  CHECK_FALSE(options.config);
  CHECK(options.listen.empty());
  CHECK(options.console == ConsoleMode::kAuto);
  CHECK(options.color == ColorMode::kAuto);
  CHECK_FALSE(options.check_config);
  CHECK_FALSE(options.print_config);
}

TEST_CASE("options: each one sets what it names", "[config][options]") {
  CHECK(good({"--config", "a b"}).config == "a b");
  CHECK(good({"--config=x=y"}).config == "x=y");
  CHECK(good({"--config", "a", "--config", "b"}).config == "b");
  CHECK(good({"--console", "on"}).console == ConsoleMode::kOn);
  CHECK(good({"--console=off"}).console == ConsoleMode::kOff);
  CHECK(good({"--console=off", "--console=auto"}).console == ConsoleMode::kAuto);
  CHECK(good({"--color=always"}).color == ColorMode::kOn);
  CHECK(good({"--color", "never"}).color == ColorMode::kOff);
  CHECK(good({"--check-config"}).check_config);
  CHECK(good({"--print-config", "--print-config"}).print_config);
  CHECK(good({"--make-certificate", "a", "b", "--into", "x"}).make_certificate ==
        std::vector<std::string>{"a", "b"});
  CHECK(good({"--make-certificate=a", "--into=x", "--make-certificate", "b"}).into == "x");
  CHECK(good({"--into", "x", "--make-certificate", "a"}).make_certificate ==
        std::vector<std::string>{"a"});
  CHECK(good({"--"}).listen.empty());
  CHECK(good({"--listen", "[::1]:8080", "--listen=127.0.0.1:0", "--listen", "unix:/run/x",
              "--listen=[0:0::1]:0", "--listen", "127.0.0.1:0"})
            .listen ==
        std::vector<io::Endpoint>{
            {"::1", 8080}, {"127.0.0.1", 0}, {"unix:/run/x", 0}, {"::1", 0}, {"127.0.0.1", 0}});
}

TEST_CASE("options: wrong usage is one line and exit code 2", "[config][options]") {
  struct Row {
    std::vector<std::string> arguments;
    std::string err;
  };
  const std::vector<Row> rows{
      {{"--lisen", "x"}, "chatd: unknown option \"--lisen\"; did you mean --listen?\n"},
      {{"--confg=x"}, "chatd: unknown option \"--confg\"; did you mean --config?\n"},
      {{"--check"}, "chatd: unknown option \"--check\"; did you mean --check-config?\n"},
      {{"--colour=never"}, "chatd: unknown option \"--colour\"; did you mean --color?\n"},
      {{"-x"}, "chatd: unknown option \"-x\"; chatd --help lists all of them\n"},
      {{"--frobnicate"},
       "chatd: unknown option \"--frobnicate\"; chatd --help lists all of them\n"},
      {{"list"},
       "chatd: unexpected argument \"list\"; chatctl has the commands for a running daemon\n"},
      {{""}, "chatd: unexpected argument \"\"; chatctl has the commands for a running daemon\n"},
      {{"--", "--config"},
       "chatd: unexpected argument \"--config\"; chatctl has the commands for a running daemon\n"},
      {{"--listen", "127.0.0.1:1", "127.0.0.1:2"},
       "chatd: unexpected argument \"127.0.0.1:2\"; chatctl has the commands "
       "for a running daemon\n"},
      {{"\x1b[31m\xff"},
       "chatd: unexpected argument \"\\x1b[31m\\xff\"; chatctl has the commands "
       "for a running daemon\n"},
      {{"--config"}, "chatd: --config: its value is missing\n"},
      {{"--config="}, "chatd: --config: its value is missing\n"},
      {{"--config", ""}, "chatd: --config: the name of a file is missing\n"},
      {{"--listen"}, "chatd: --listen: its value is missing\n"},
      {{"--make-certificate"}, "chatd: --make-certificate: the name of a host is missing\n"},
      {{"--make-certificate", "--into", "x"},
       "chatd: --make-certificate: the name of a host is missing\n"},
      {{"--make-certificate", "h", "--into", ""},
       "chatd: --into: the name of a folder is missing\n"},
      {{"--into", "x"}, "chatd: --into belongs to --make-certificate\n"},
      {{"--check-config=no"}, "chatd: --check-config takes no value\n"},
      {{"--help=no"}, "chatd: --help takes no value\n"},
      {{"--console", "perhaps"},
       "chatd: --console: \"perhaps\" is not known; auto, on or off would be right\n"},
      {{"--color=ON"},
       "chatd: --color: \"ON\" is not known; auto, always or never would be right\n"},
      {{"--listen", "127.0.0.1:80", "--listen", "127.0.0.1:80"},
       "chatd: --listen: \"127.0.0.1:80\" is given twice\n"},
      {{"--listen", "[::1]:80", "--listen", "[0::1]:80"},
       "chatd: --listen: \"[::1]:80\" is given twice\n"},
      {{"--listen", "0.0.0.0:80", "--listen", "127.0.0.1:80"},
       "chatd: --listen: \"127.0.0.1:80\" overlaps \"0.0.0.0:80\"\n"},
  };
  for (const Row& row : rows) {
    const EarlyExit exit = early(row.arguments);
    INFO(row.err);
    CHECK(exit.code == 2);
    CHECK(exit.out.empty());
    CHECK(exit.err == row.err);
  }
}

TEST_CASE("options: a wrong address to listen on is answered with what would be right",
          "[config][options]") {
  for (const std::string text :
       {"80800", ":", ":99999", "localhost", "localhost:", "local:80", "127.0.0.1",
        "127.0.0.1:99999", "::1:80", "unix:", "", "127.0.0.1:80x", "[::1]"}) {
    const EarlyExit exit = early({"--listen", text});
    INFO(text << " " << exit.err);
    CHECK(exit.code == 2);
    CHECK(exit.out.empty());
    CHECK(exit.err.starts_with("chatd: --listen: "));
    CHECK(std::count(exit.err.begin(), exit.err.end(), '\n') == 1);
  }
  CHECK(early({"--listen", "80800"}).err.find("ADDR:PORT") != std::string::npos);
  CHECK(early({"--listen", ":99999"}).err.find("ADDR:PORT") != std::string::npos);
}

TEST_CASE("options: a port alone, localhost and all addresses are places to listen on, too",
          "[config][options]") {
  using All = std::vector<io::Endpoint>;
  CHECK(good({"--listen", "8081"}).listen == All{{"127.0.0.1", 8081}});
  CHECK(good({"--listen", "0"}).listen == All{{"127.0.0.1", 0}});
  // Where the machine has no IPv6, the second is left out.
  const auto local = good({"--listen", "localhost:8081"}).listen;
  REQUIRE_FALSE(local.empty());
  CHECK(local.front() == io::Endpoint{"127.0.0.1", 8081});
  CHECK((local.size() == 1 || (local.size() == 2 && local[1] == io::Endpoint{"::1", 8081})));
  const auto all = good({"--listen", ":8081"}).listen;
  REQUIRE_FALSE(all.empty());
  CHECK(all.front() == io::Endpoint{"0.0.0.0", 8081});
  CHECK((all.size() == 1 || (all.size() == 2 && all[1] == io::Endpoint{"::", 8081})));
  CHECK(early({"--listen", ":8081", "--listen", "8081"}).err ==
        "chatd: --listen: \"127.0.0.1:8081\" overlaps \"0.0.0.0:8081\"\n");
}

TEST_CASE("options: help and version are data", "[config][options]") {
  for (const std::string flag : {"--help", "-h"}) {
    const EarlyExit exit = early({flag});
    CHECK(exit.code == 0);
    CHECK(exit.err.empty());
    for (const std::string part :
         {"--config FILE", "--listen ADDR:PORT", "--console auto|on|off",
          "--color auto|always|never", "--check-config", "--print-config", "--version", "--help",
          "/etc/chatd/chatd.toml", "CHATD_CONFIG", "CHATD_LISTEN", "78"}) {
      INFO(part);
      CHECK(exit.out.find(part) != std::string::npos);
    }
    for (std::size_t at = 0; at < exit.out.size();) {
      const std::size_t end = exit.out.find('\n', at);
      CHECK(end - at <= 88);
      at = end + 1;
    }
  }
  for (const std::string flag : {"--version", "-V"}) {
    const EarlyExit exit = early({flag});
    CHECK(exit.code == 0);
    CHECK(exit.out == "chatd " + std::string{kVersion} + "\n");
    CHECK(exit.err.empty());
  }
}

}  // namespace
}  // namespace chatd::test
