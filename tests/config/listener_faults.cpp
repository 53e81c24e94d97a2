/// The sentences about faulty listeners and texts, word for word.

#include "config/support.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("config: listeners are checked one by one and together", "[config]") {
  check_faults({
      {R"([[listen]]
port = 65536)",
       "F:2:8: listen.port: 65536 is out of range; 0 to 65535 would be right"},
      {R"([[listen]]
port = "8080")",
       R"(F:2:8: listen.port: "8080" is a string; a whole number would be right)"},
      {R"([[listen]]
backlog = 0)",
       "F:2:11: listen.backlog: 0 is out of range; 1 to 65535 would be right"},
      {R"([[listen]]
dialect = "klingon")",
       R"(F:2:11: listen.dialect: "klingon" is not known; auto, original, line, telnet, raw or web would be right)"},
      {R"([[listen]]
room = "Our Lab")",
       R"(F:2:8: listen.room: "Our Lab" cannot be a room's name; a to z, 0 to 9 and - would be right)"},
      {R"([[listen]]
address = "localhost")",
       R"(F:2:11: listen.address: "localhost" is not an address; "127.0.0.1", "::1" or "unix:/path" would be right (a name such as localhost can mean several))"},
      {R"([[listen]]
address = "127.0.0.1:8080")",
       R"(F:2:11: listen.address: "127.0.0.1:8080" holds a port; that has a key of its own: port = 8080)"},
      {R"([[listen]]
address = "[::1]:8080")",
       R"(F:2:11: listen.address: "[::1]:8080" holds a port; that has a key of its own: port = 8080)"},
      {R"([[listen]]
address = "[::1]")",
       R"(F:2:11: listen.address: "[::1]" stands in brackets; "::1" would be right)"},
      {R"([[listen]]
address = "*")",
       R"(F:2:11: listen.address: "*" is not an address; for all of them, "0.0.0.0" or "::" would be right)"},
      {R"([[listen]]
address = "")",
       R"(F:2:11: listen.address: "" is not an address; for all of them, "0.0.0.0" or "::" would be right)"},
      {R"([[listen]]
address = "::ffff:10.0.0.1")",
       R"(F:2:11: listen.address: "::ffff:10.0.0.1" is IPv4 written as IPv6; "10.0.0.1" would be right)"},
      {R"([[listen]]
address = "fe80::1")",
       R"(F:2:11: listen.address: "fe80::1" is a link-local address, which is of one network; "fe80::1%eth0" would be right, with the name of the interface)"},
      {R"([[listen]]
address = "fe80::1%no-such")",
       R"(F:2:11: listen.address: "fe80::1%no-such" names an interface that this machine does not have)"},
      {R"([[listen]]
address = "/run/chat.sock")",
       R"(F:2:11: listen.address: "/run/chat.sock" is a path; for a unix socket "unix:/run/chat.sock" would be right)"},
      {R"([[listen]]
address = "unix:")",
       R"(F:2:11: listen.address: "unix:" names no socket; "unix:/path" would be right)"},
      {R"([[listen]]
address = "unix:chat.sock")",
       R"(F:2:11: listen.address: "chat.sock" is not absolute; a path that begins with / would be right)"},
      {R"([[listen]]
address = "unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")",
       R"(F:2:11: listen.address: "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." has 108 bytes; at most 107 would be right)"},
      {R"([[listen]]
address = "unix:/run/chat.sock"
port = 80)",
       "F:3:1: listen.port: a unix socket has no port; leave this out"},
      {R"([[listen]]
address = 127)",
       "F:2:11: listen.address: 127 is an integer; a string in quotation marks would be right"},
      {R"([[listen]]
[[listen]])",
       R"(F:2:1: listen: "127.0.0.1:8080" is listened on already, by line 1)"},
      {R"([[listen]]
address = "::1"
port = 80
[[listen]]
address = "0:0::1"
port = 80)",
       R"(F:4:1: listen: "[::1]:80" is listened on already, by line 1)"},
      {R"([[listen]]
address = "0.0.0.0"
[[listen]]
address = "127.0.0.1")",
       R"(F:3:1: listen: "127.0.0.1:8080" overlaps "0.0.0.0:8080", which is listened on already, by line 1)"},
      {R"([[listen]]
address = "unix:/a"
[[listen]]
address = "unix:/a")",
       R"(F:3:1: listen: "unix:/a" is listened on already, by line 1)"},
      {R"([control]
path = "/run/x"
[[listen]]
address = "unix:/run/x")",
       R"(F:3:1: listen: "unix:/run/x" is the operators' socket (control.path))"},
      {"listen = [{ port = 1 }, { port = 2, bcklog = 3 }]",
       "F:1:37: listen.bcklog: unknown key; did you mean backlog?"},
  });
}

TEST_CASE("config: texts, choices and switches are checked", "[config]") {
  check_faults({
      {R"([control]
path = "run/chatd.sock")",
       R"(F:2:8: control.path: "run/chatd.sock" is not absolute; a path that begins with / would be right)"},
      {R"([control]
path = "/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")",
       R"(F:2:8: control.path: "/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy..." has 108 bytes; at most 107 would be right)"},
      {R"([control]
group = "a b")",
       R"(F:2:9: control.group: "a b" cannot be a group's name)"},
      {R"([control]
max_operators = 5000)",
       "F:2:17: control.max_operators: 5000 is out of range; 1 to 1024 would be right: up to 1MiB "
       "may wait for each of them"},
      {R"([log]
target = "file")",
       R"(F:2:10: log.target: "file" needs log.file, the path of that file)"},
      {R"([log]
level = "verbose")",
       R"(F:2:9: log.level: "verbose" is not known; trace, debug, info, warn or error would be right)"},
      {R"([log]
level = 3)",
       "F:2:9: log.level: 3 is an integer; trace, debug, info, warn or error would be right"},
      {R"([console]
timestamps = "Time")",
       R"(F:2:14: console.timestamps: "Time" is not known; none, time or datetime would be right)"},
      {R"([transcript]
enabled = "yes")",
       R"(F:2:11: transcript.enabled: "yes" is a string; true or false would be right)"},
      {R"([transcript]
enabled = 1)",
       "F:2:11: transcript.enabled: 1 is an integer; true or false would be right"},
      {R"([service]
stop_grace = "11m")",
       R"(F:2:14: service.stop_grace: "11m" is out of range; 0s, or 1ms to 10m would be right)"},
      {R"([session]
greeting = 5)",
       "F:2:12: session.greeting: 5 is an integer; a string in quotation marks would be right"},
  });
}

TEST_CASE("config: what is shown is escaped, and columns count characters", "[config]") {
  check_faults({
      {R"([session]
"a\u001b[31m" = 1)",
       R"(F:2:1: session."a\x1b[31m": unknown key)"},
      {R"([log]
level = "\u202einfo")",
       R"(F:2:9: log.level: "\u202einfo" is not known; trace, debug, info, warn or error would be right)"},
      {"# Grüße\n[session]\n\tgreeting = \"ü\" ; x",
       R"(F:3:17: not TOML: the line should end here; texts, durations and sizes stand in quotation marks, such as "50ms")"},
      {R"(session = { greeting = "über", setle = 1 })",
       "F:1:32: session.setle: unknown key; did you mean settle?"},
  });
}

TEST_CASE("config: all faults come at once, in the order of the file", "[config]") {
  check_faults({
      {R"([log]
target = "file"
[limits]
output_soft = "1GiB"
[[listen]]
[[listen]]
[session]
settle = 1)",
       R"(F:2:10: log.target: "file" needs log.file, the path of that file
F:4:15: limits.output_soft: "1GiB" is above output_hard, which is "256KiB"
F:6:1: listen: "127.0.0.1:8080" is listened on already, by line 5
F:8:10: session.settle: 1 has no unit; a duration such as "50ms" would be right)"},
      {R"([session]
settle = 50
max_message = "8 parsecs"

[limit]
sessions = 5

[limits]
output_hard = "32KB"
sessions = 0)",
       R"(F:2:10: session.settle: 50 has no unit; a duration such as "50ms" would be right
F:3:15: session.max_message: "8 parsecs" is not a size; a number with B, KiB, MiB or GiB would be right, such as "8KiB"
F:5:1: limit: unknown section; did you mean [limits]?
F:9:15: limits.output_hard: "32KB" has an unknown unit; B, KiB, MiB or GiB would be right
F:10:12: limits.sessions: 0 is out of range; 1 to 1000000 would be right)"},
  });
}

TEST_CASE("config: what is too long is refused, and shown in part", "[config]") {
  const std::string shown = '"' + ('/' + std::string(59, 'x')) + "...\" has ";
  const std::string path = '/' + std::string(107, 'x');
  CHECK(faults_of("[control]\npath = \"" + path + "\"\n") ==
        "F:2:8: control.path: " + shown + "108 bytes; at most 107 would be right\n");
  CHECK(faults_of("[[listen]]\naddress = \"unix:" + path + "\"\n") ==
        "F:2:11: listen.address: " + shown + "108 bytes; at most 107 would be right\n");
  CHECK(faults_of("[log]\nfile = \"/" + std::string(4095, 'x') + "\"\n") ==
        "F:2:8: log.file: " + shown + "4096 bytes; at most 4095 would be right\n");
  CHECK(faults_of("[session]\ngreeting = \"\"\"/" + std::string(2048, 'x') + "\"\"\"\n") ==
        "F:2:12: session.greeting: " + shown + "2049 bytes; at most 2048 would be right\n");
  CHECK(faults_of("[control]\ngroup = \"" + std::string(33, 'x') + "\"\n") ==
        "F:2:9: control.group: \"" + std::string(33, 'x') +
            "\" has 33 bytes; at most 32 would be right\n");
  for (const std::string_view part : {":", ",", "\\u007f", "\\u0001"}) {
    INFO(part);
    CHECK_FALSE(faults_of("[control]\ngroup = \"a" + std::string{part} + "b\"\n").empty());
  }
  CHECK(faults_of("[control]\ngroup = \"a-b_1.c$\"\n").empty());
  CHECK(faults_of("[control]\npath = \"" + path.substr(0, 107) + "\"\n").empty());
}

TEST_CASE("config: a NUL does not cut what is checked", "[config]") {
  CHECK(faults_of("[control]\npath = \"/a\\u0000b\"\n") ==
        "F:2:8: control.path: \"/a\\x00b\" holds a NUL, which ends a path\n");
  CHECK(faults_of("[[listen]]\naddress = \"::1\\u0000\"\n")
            .starts_with("F:2:11: listen.address: \"::1\\x00\" is not an address; "));
}

}  // namespace
}  // namespace chatd::test
