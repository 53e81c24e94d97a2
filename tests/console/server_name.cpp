// Where a chat server is, as users write it.
#include "console/server_name.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace chatd::console {

TEST_CASE("server name: what each way of writing it means", "[console][server-name]") {
  struct Row {
    std::string text;
    ServerName meant;
    std::string again;
  };
  const std::vector<Row> table{
      {"localhost", {"localhost", 8080}, "localhost:8080"},
      {"localhost:1", {"localhost", 1}, "localhost:1"},
      {"chat.example:65535", {"chat.example", 65535}, "chat.example:65535"},
      {"192.0.2.1", {"192.0.2.1", 8080}, "192.0.2.1:8080"},
      {"192.0.2.1:99", {"192.0.2.1", 99}, "192.0.2.1:99"},
      {"::1", {"::1", 8080}, "[::1]:8080"},
      {"[::1]", {"::1", 8080}, "[::1]:8080"},
      {"[::1]:99", {"::1", 99}, "[::1]:99"},
      {"2001:db8::1:99", {"2001:db8::1:99", 8080}, "[2001:db8::1:99]:8080"},
      {"fe80::1%eth0", {"fe80::1%eth0", 8080}, "[fe80::1%eth0]:8080"},
      {"[fe80::1%eth0]:99", {"fe80::1%eth0", 99}, "[fe80::1%eth0]:99"},
      {"unix:/run/x:1", {"unix:/run/x:1", 8080}, "unix:/run/x:1"},
      {"unix:here", {"unix:here", 8080}, "unix:here"},
      {"tls:localhost", {"localhost", 8080, true}, "localhost:8080"},
      {"tls:chat.example:99", {"chat.example", 99, true}, "chat.example:99"},
      {"tls:192.0.2.1:99", {"192.0.2.1", 99, true}, "192.0.2.1:99"},
      {"tls:::1", {"::1", 8080, true}, "[::1]:8080"},
      {"tls:[::1]:8443", {"::1", 8443, true}, "[::1]:8443"},
      {"tls:[fe80::1%eth0]:99", {"fe80::1%eth0", 99, true}, "[fe80::1%eth0]:99"},
      {"TLS:99", {"TLS", 99}, "TLS:99"},
  };
  for (const Row& row : table) {
    INFO(row.text);
    auto parsed = ServerName::parse(row.text);
    REQUIRE(parsed);
    CHECK(*parsed == row.meant);
    CHECK(parsed->to_string() == row.again);
  }
}

TEST_CASE("server name: the port may be a word of its own", "[console][server-name]") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"localhost", "localhost"}, {"::1", "::1"}, {"[::1]", "::1"}};
  for (const auto& [text, host] : table) {
    INFO(text);
    auto parsed = ServerName::parse(text, 99);
    REQUIRE(parsed);
    CHECK(*parsed == ServerName{host, 99});
  }
}

TEST_CASE("server name: what is wrong is told with what would be right", "[console][server-name]") {
  struct Row {
    std::string text;
    std::optional<std::uint64_t> port;
    std::string said;
  };
  const std::vector<Row> table{
      {"", {}, "the host is missing"},
      {":8080", {}, "the host is missing"},
      {"[]:8080", {}, "the host is missing"},
      {"localhost:", {}, "the port is not a number from 1 to 65535"},
      {"localhost:0", {}, "the port is not a number from 1 to 65535"},
      {"localhost:65536", {}, "the port is not a number from 1 to 65535"},
      {"localhost:http", {}, "the port is not a number from 1 to 65535"},
      {"localhost:1x", {}, "the port is not a number from 1 to 65535"},
      {"localhost:1", 2, "the port is given twice"},
      {"[::1]:1", 2, "the port is given twice"},
      {"a:b:c", {}, "'a:b:c' is not an IPv6 address"},
      {"[localhost]:1", {}, "'localhost' is not an IPv6 address"},
      {"[192.0.2.1]:1", {}, "'192.0.2.1' is not an IPv6 address"},
      {"[::1", {}, "after [IPV6] comes :PORT or nothing"},
      {"[::1]8080", {}, "after [IPV6] comes :PORT or nothing"},
      {"tls:", {}, "the host is missing"},
      {"tls::99", {}, "the host is missing"},
      {"tls:localhost:0", {}, "the port is not a number from 1 to 65535"},
      {"tls:localhost:1", 2, "the port is given twice"},
      {"tls:unix:/x", {}, "a unix socket has no name to be checked"},
      {"unix:", {}, "the path is empty"},
      {"unix:/x", 1, "a unix socket has no port; leave it out"},
      {"unix:/" + std::string(200, 'x'), {}, "the path of a unix socket has at most 107 bytes"},
  };
  for (const Row& row : table) {
    INFO(row.text);
    auto parsed = ServerName::parse(row.text, row.port);
    REQUIRE(!parsed);
    CHECK(parsed.error().message.starts_with(row.text + ": " + row.said));
    CHECK(parsed.error().message.find("would be right") != std::string::npos);
  }
}

}  // namespace chatd::console
