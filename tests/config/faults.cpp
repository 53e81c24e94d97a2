/// The sentences about faulty configurations, word for word.

#include "config/support.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("config: unknown keys and sections are answered with what is near", "[config]") {
  check_faults({
      {R"([session]
setle = "50ms")",
       "F:2:1: session.setle: unknown key; did you mean settle?"},
      {R"([session]
  colour = "red")",
       "F:2:3: session.colour: unknown key"},
      {R"([session]
sessions = 5)",
       "F:2:1: session.sessions: unknown key; limits.sessions would be right"},
      {R"([session]
"idle timeout" = "5s")",
       R"(F:2:1: session."idle timeout": unknown key; did you mean idle_timeout?)"},
      {R"([session]
idle-timeout = "5s")",
       "F:2:1: session.idle-timeout: unknown key; did you mean idle_timeout?"},
      {R"(settle = "50ms")",
       "F:1:1: settle: unknown key outside of any section; session.settle would be right"},
      {"port = 80", "F:1:1: port: unknown key outside of any section; listen.port would be right"},
      {"x = 1", "F:1:1: x: unknown key outside of any section"},
      {R"([sesion]
settle = 5)",
       "F:1:1: sesion: unknown section; did you mean [session]?"},
      {R"([[listeners]]
port = 80)",
       "F:1:1: listeners: unknown section; did you mean [[listen]]?"},
      {"[whatever]", "F:1:1: whatever: unknown section"},
      {R"([session.more]
x = 1)",
       "F:1:1: session.more: unknown key"},
      {R"(session.setle = "1s")", "F:1:9: session.setle: unknown key; did you mean settle?"},
      {"limits = { sessions = 5, sesions_per_address = 6 }",
       "F:1:26: limits.sesions_per_address: unknown key; did you mean sessions_per_address?"},
      {R"([[listen]]
port = 0

[[listen]]
adress = "::1")",
       "F:5:1: listen.adress: unknown key; did you mean address?"},
      {R"([session]
settle.x = "50ms")",
       R"(F:2:1: session.settle: this is a table; a duration such as "50ms" would be right)"},
  });
}

TEST_CASE("config: what is not a section is not taken for one", "[config]") {
  check_faults({
      {"session = 5", "F:1:1: session: is a section, not an integer; [session] would be right"},
      {R"([[session]]
settle = "50ms")",
       "F:1:1: session: is one section, not a list; [session] would be right"},
      {R"([listen]
port = 80)",
       "F:1:1: listen: is a list of listeners, not a table; [[listen]] in two brackets would be "
       "right"},
      {R"(listen = "127.0.0.1:8080")",
       "F:1:1: listen: is a list of listeners, not a string; [[listen]] in two brackets would be "
       "right"},
      {R"(listen = ["127.0.0.1:8080", 7])",
       R"(F:1:11: listen: each listener is a table, not a string; [[listen]] in two brackets would be right
F:1:29: listen: each listener is a table, not an integer; [[listen]] in two brackets would be right)"},
      {"listen = []",
       "F:1:10: listen: an empty list would let nobody in; without this key there is one listener "
       "on "
       "127.0.0.1:8080"},
      {"log = true", "F:1:1: log: is a section, not a boolean; [log] would be right"},
  });
}

TEST_CASE("config: durations have a unit and a range", "[config]") {
  check_faults({
      {R"([session]
settle = 50)",
       R"(F:2:10: session.settle: 50 has no unit; a duration such as "50ms" would be right)"},
      {R"([session]
settle = 0.5)",
       R"(F:2:10: session.settle: 0.5 has no unit; a duration such as "50ms" would be right)"},
      {R"([session]
settle = "50")",
       R"(F:2:10: session.settle: "50" has no unit; ms, s, m, h or d would be right, such as "50ms")"},
      {R"([session]
settle = "soon")",
       R"(F:2:10: session.settle: "soon" is not a duration; a number with ms, s, m, h or d would be right, such as "50ms")"},
      {R"([session]
settle = "50 ms")",
       R"(F:2:10: session.settle: "50 ms" is not a duration; a number with ms, s, m, h or d would be right, such as "50ms")"},
      {R"([session]
settle = "50sec")",
       R"(F:2:10: session.settle: "50sec" has an unknown unit; ms, s, m, h or d would be right)"},
      {R"([session]
settle = "-5ms")",
       R"(F:2:10: session.settle: "-5ms" is negative; a duration cannot be)"},
      {R"([session]
settle = "0.5ms")",
       R"(F:2:10: session.settle: "0.5ms" is not a whole number of milliseconds)"},
      {R"([session]
settle = "1.s")",
       R"(F:2:10: session.settle: "1.s" is not a duration; a number with ms, s, m, h or d would be right, such as "50ms")"},
      {R"([session]
settle = "")",
       R"(F:2:10: session.settle: "" is not a duration; a number with ms, s, m, h or d would be right, such as "50ms")"},
      {R"([session]
settle = "0s")",
       R"(F:2:10: session.settle: "0s" is out of range; 1ms to 10s would be right: an original client is heard only after this time)"},
      {R"([session]
settle = "11s")",
       R"(F:2:10: session.settle: "11s" is out of range; 1ms to 10s would be right: an original client is heard only after this time)"},
      {R"([session]
settle = true)",
       R"(F:2:10: session.settle: true is a boolean; a duration such as "50ms" would be right)"},
      {R"([session]
settle = 07:30:00)",
       R"(F:2:10: session.settle: 07:30:00 is a date or time; a duration such as "50ms" would be right)"},
      {R"([session]
settle = ["50ms"])",
       R"(F:2:10: session.settle: this is an array; a duration such as "50ms" would be right)"},
      {R"([session]
idle_timeout = "366d")",
       R"(F:2:16: session.idle_timeout: "366d" is out of range; 0s, or 1ms to 365d would be right)"},
      {R"([session]
idle_timeout = "99999999999999999999d")",
       R"(F:2:16: session.idle_timeout: "99999999999999999999d" is too large)"},
  });
}

TEST_CASE("config: sizes have a unit and a range", "[config]") {
  check_faults({
      {R"([session]
max_message = 8192)",
       R"(F:2:15: session.max_message: 8192 has no unit; a size such as "8KiB" would be right)"},
      {R"([session]
max_message = "8KB")",
       R"(F:2:15: session.max_message: "8KB" has an unknown unit; B, KiB, MiB or GiB would be right)"},
      {R"([session]
max_message = "8 parsecs")",
       R"(F:2:15: session.max_message: "8 parsecs" is not a size; a number with B, KiB, MiB or GiB would be right, such as "8KiB")"},
      {R"([session]
max_message = "3B")",
       R"(F:2:15: session.max_message: "3B" is out of range; 4B to 128KiB would be right: a character takes up to 4B, and a message, escaped as JSON, has to fit into a line of the control protocol)"},
      {R"([session]
max_message = "1MiB")",
       R"(F:2:15: session.max_message: "1MiB" is out of range; 4B to 128KiB would be right: a character takes up to 4B, and a message, escaped as JSON, has to fit into a line of the control protocol)"},
      {R"([session]
max_message = "1.5B")",
       R"(F:2:15: session.max_message: "1.5B" is not a whole number of bytes)"},
      {R"([limits]
output_soft = "128KiB"
output_hard = "64KiB")",
       R"(F:2:15: limits.output_soft: "128KiB" is above output_hard, which is "64KiB")"},
      {R"([limits]
output_hard = "32KiB")",
       R"(F:2:15: limits.output_hard: "32KiB" is below output_soft, which is "64KiB" unless it is set)"},
      {R"([limits]
output_hard = "0B")",
       R"(F:2:15: limits.output_hard: "0B" is out of range; 4KiB to 1GiB would be right: without a bound one slow client could take all memory)"},
      {R"([limits]
output_soft = "1B")",
       R"(F:2:15: limits.output_soft: "1B" is out of range; 0B, or 1KiB to 1GiB would be right)"},
  });
}

TEST_CASE("config: numbers are whole and in range", "[config]") {
  check_faults({
      {R"([limits]
sessions = 0)",
       "F:2:12: limits.sessions: 0 is out of range; 1 to 1000000 would be right"},
      {R"([limits]
sessions = -1)",
       "F:2:12: limits.sessions: -1 is out of range; 1 to 1000000 would be right"},
      {R"([limits]
sessions = 1.5)",
       "F:2:12: limits.sessions: 1.5 is a number with a fraction; a whole number would be right"},
      {R"([limits]
sessions = "many")",
       R"(F:2:12: limits.sessions: "many" is a string; a whole number would be right)"},
      {R"([limits]
sessions = 99999999999999999999)",
       "F:2:12: limits.sessions: 99999999999999999999 is out of range; 1 to 1000000 would be "
       "right"},
      {R"([limits]
messages_per_second = 0)",
       "F:2:23: limits.messages_per_second: 0 is out of range; 0.1 to 1000000 would be right"},
      {R"([limits]
messages_per_second = nan)",
       "F:2:23: limits.messages_per_second: nan is out of range; 0.1 to 1000000 would be right"},
      {R"([limits]
messages_per_second = inf)",
       "F:2:23: limits.messages_per_second: inf is out of range; 0.1 to 1000000 would be right"},
      {R"([limits]
messages_per_second = "50")",
       R"(F:2:23: limits.messages_per_second: "50" is a string; a number would be right)"},
  });
}

TEST_CASE("config: a list of words says which word is wrong", "[config]") {
  check_faults({
      {"[console]\nhighlight = \"help\"",
       R"(F:2:13: console.highlight: "help" is a string; a list such as ["help", "urgent"] would be right)"},
      {"[console]\nhighlight = [\"help\", 5]",
       R"(F:2:13: console.highlight: 5 is an integer; a list such as ["help", "urgent"] would be right)"},
      {"[console]\nhighlight = [\" \"]",
       R"(F:2:13: console.highlight: " " is blank, and would be found nowhere)"},
      {"[console]\nhighlight = [\"\\u202e\"]",
       "F:2:13: console.highlight: \"\\u202e\" holds control or invisible characters"},
      {"[console]\nbell = \"loud\"",
       R"(F:2:8: console.bell: "loud" is not known; none, first or all would be right)"},
  });
  CHECK(faults_of("", {{"CHATD_CONSOLE_HIGHLIGHT", "help,,urgent"}}) ==
        "environment: CHATD_CONSOLE_HIGHLIGHT: \"\" is blank, and would be found nowhere\n");
}

TEST_CASE("config: replies have one word for a name, and say something", "[config]") {
  const std::string long_name(33, 'a');
  check_faults({
      {"[replies]\n\"good day\" = \"x\"",
       R"(F:2:1: replies: "good day" cannot be the name of a reply; up to 32 letters, digits, - and _ would be right)"},
      {"[replies]\n" + long_name + " = \"x\"",
       "F:2:1: replies: \"" + long_name +
           "\" cannot be the name of a reply; up to 32 letters, digits, - and _ would be right"},
      {"[replies]\nhello = \" \\n\"",
       "F:2:9: replies.hello: \" \\x0a\" is blank; a reply says something"},
      {"[replies]\nhello = 5",
       "F:2:9: replies.hello: 5 is an integer; a string in quotation marks would be right"},
      {"replies = 5", "F:1:1: replies: is a section, not an integer; [replies] would be right"},
      {"[[replies]]\nx = \"y\"",
       "F:1:1: replies: is one section, not a list; [replies] would be right"},
      {"[replys]\nx = \"y\"", "F:1:1: replys: unknown section; did you mean [replies]?"},
  });
  const auto lines = [](std::size_t bytes) {
    std::string text;
    while (text.size() < bytes)
      text += std::string(std::min<std::size_t>(99, bytes - text.size() - 1), 'a') + '\n';
    return "[replies]\nhello = \"\"\"\n" + text + "\"\"\"\n";
  };
  CHECK(faults_of(lines(8192)).empty());
  CHECK(faults_of(lines(8193)).find("has 8193 bytes; at most 8192 would be right") !=
        std::string::npos);
}

TEST_CASE("config: names are those of clients, by networks as ban takes them", "[config]") {
  const std::string long_name(57, 'a');
  check_faults({
      {"[names]\n\"192.0.2.7/33\" = \"lab\"",
       "F:2:1: names: 192.0.2.7/33: an IPv4 address has 0 to 32 bits; 192.0.2.7, 192.0.2.0/24, "
       "2001:db8::/32 or uid:1000 would be right"},
      {"[names]\n192.0.2.7 = \"lab\"",
       "F:2:1: names.192: this is a table; a key with a dot in it belongs in quotation marks"},
      {"[names]\n\"uid:1\" = \"42\"",
       R"(F:2:11: names."uid:1": "42": a name must not be a number: that is the id of a session)"},
      {"[names]\n\"uid:1\" = \"all\"",
       R"(F:2:11: names."uid:1": "all": a name must not be "all", which means every client)"},
      {"[names]\n\"uid:1\" = \"a  b\"",
       R"(F:2:11: names."uid:1": "a  b": a name must not hold two blanks in a row)"},
      {"[names]\n\"uid:1\" = \"\"", R"(F:2:11: names."uid:1": "" is no name)"},
      {"[names]\n\"uid:1\" = \"" + long_name + "\"",
       "F:2:11: names.\"uid:1\": \"" + long_name + "\" has 57 bytes; at most 56 would be right"},
      {"[names]\n\"verified:\" = \"lab\"",
       R"(F:2:1: names: behind "verified:" the name of a certificate is missing)"},
      {"[names]\n\"verified:a\tb\" = \"lab\"",
       "F:2:1: names: a name must not hold control or invisible characters"},
      {"[names]\n\"10.0.0.0/8\" = \"lab\"\n\"10.1.2.3/8\" = \"hall\"",
       R"(F:3:1: names."10.1.2.3/8": is what line 2 names already)"},
  });
}

}  // namespace
}  // namespace chatd::test
