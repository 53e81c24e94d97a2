/// Where a configuration comes from, how it is printed, and what a reload does.
#include "config/config.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "base/nearest.hpp"
#include "config/keys.hpp"
#include "config/support.hpp"
#include "config/values.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

/// Every key at a value that is not its default.
Config unusual() {
  Config config;
  config.listen = {{{"::1", 0}, core::DialectSetting::kTelnet, 1},
                   {{"unix:/run/a \"b\"\\c", 0}, core::DialectSetting::kLine, 65'535},
                   {{"10.1.2.3", 65'535}, core::DialectSetting::kOriginal, 7},
                   {{"10.1.2.3", 443}, core::DialectSetting::kAuto, 1, "lab"},
                   {{"unix:/run/b", 0}, core::DialectSetting::kAuto, 2}};
  config.listen[0].web = Listener::Web::kOff;
  config.listen[3].web = Listener::Web::kOn;
  config.listen[3].proxy_from = {*io::Network::parse("10.0.0.0/8"), *io::Network::parse("::1")};
  config.listen[3].tls = {.pairs = {{"/a.pem", "/a \"key\""}, {"/b.pem", "/b"}, {"/c", "/c"}},
                          .client_ca = "/ca.pem",
                          .required = true,
                          .allow_1_2 = true};
  config.listen[4].web = Listener::Web::kOnly;
  config.listen[4].proxy_from = {io::Network::of(io::Network::Kind::kUser, 0, {}),
                                 io::Network::of_user(1000)};
  config.session = {
      .greeting =
          "Grüß \"Gott\"\t\\\n\r\x1b[1m \xe2\x80\xae \xe2\x80\xac \xf3\xa0\x80\x81 \x7f end",
      .farewell = "\xf0\x9f\x91\x8b '''",
      .max_message = 1536,
      .settle = Duration{1500},
      .original_hold = Duration{0},
      .bye_grace = Duration{60'000},
      .answer_timeout = Duration{3'600'000},
      .idle_timeout = Duration{86'400'001}};
  config.limits = {.sessions = 1,
                   .sessions_per_address = 0,
                   .connects_per_second = 0.5,
                   .bytes_per_second = 0,
                   .memory = 16UL * 1024 * 1024,
                   .messages_per_second = 0.3,
                   .messages_burst = 1'000'000,
                   .output_soft = 0,
                   .output_hard = 4096};
  config.web = {
      .title = "Grüß \"Gott\"",
      .accent = "#0A5fb4",
      .language = "pt-BR",
      .sound = false,
      .texts = {{"pt-BR", {{"send", "Enviar"}, {"title", "\"\\"}}}, {"en", {{"you", "I"}}}},
      .origins = {*http::WebOrigin::parse("https://example.org"),
                  *http::WebOrigin::parse("http://[::1]:81")},
      .hosts = {*http::Site::parse("chat.example.org"), *http::Site::parse("[::1]:80")},
      .resume = Duration{0},
      .show_operator = true};
  config.control = {.path = "/tmp/x y", .group = "operators", .max_operators = 1024};
  config.console = {.timestamps = Timestamps::kNone,
                    .history = 0,
                    .bell = Bell::kAll,
                    .highlight = {"urgent", "l'été \"x\"\\"},
                    .claim_on_answer = true};
  config.replies = {{"hello", "Hello {name}.\nThis is {operator}: \"\\\t\xe2\x80\x8b"},
                    {"-_9", "x"}};
  config.names = {{"192.0.2.0/24", "lab"}, {"2001:db8::1", "the \"door\""}, {"uid:1000", "ann"}};
  config.transcript = {
      .enabled = false, .path = "/var/t.db", .keep = Duration{0}, .max_size = 0, .keep_free = 99};
  config.log = {.level = LogLevel::kTrace, .target = LogTarget::kFile, .file = "/var/log/chatd"};
  config.service = {.stop_grace = Duration{1}, .seccomp = false};
  return config;
}

TEST_CASE("config: the example is the built-in defaults", "[config]") {
  auto loaded = load_config(sources(in_repository("config/chatd.toml")));
  INFO((loaded ? std::string{} : to_string(loaded.error())));
  REQUIRE(loaded);
  CHECK(loaded->config == Config{});
  // It has every key, each with its line.
  for (const auto& key : config_keys()) {
    CHECK(loaded->origins.count(key.path()) == 1);
  }
  for (const auto& key : listener_keys()) {
    CHECK(loaded->origins.count("listen.0." + std::string{key.name}) == 1);
  }
}

TEST_CASE("config: its defaults and those of core are the same", "[config]") {
  const core::Settings mine = core_settings(Config{});
  const core::Settings theirs;
  CHECK(mine.greeting == theirs.greeting);
  CHECK(mine.farewell == theirs.farewell);
  CHECK(mine.max_message == theirs.max_message);
  CHECK(mine.settle == theirs.settle);
  CHECK(mine.original_hold == theirs.original_hold);
  CHECK(mine.bye_grace == theirs.bye_grace);
  CHECK(mine.answer_timeout == theirs.answer_timeout);
  CHECK(mine.idle_timeout == theirs.idle_timeout);
  CHECK(mine.messages_per_second == theirs.messages_per_second);
  CHECK(mine.messages_burst == theirs.messages_burst);
  CHECK(mine.output_hard == theirs.output_hard);
}

TEST_CASE("config: every value that core acts on reaches it", "[config]") {
  const core::Settings settings = core_settings(unusual());
  CHECK(settings.greeting == unusual().session.greeting);
  CHECK(settings.farewell == unusual().session.farewell);
  CHECK(settings.max_message == 1536);
  CHECK(settings.settle == Duration{1500});
  CHECK(settings.original_hold == Duration{0});
  CHECK(settings.bye_grace == Duration{60'000});
  CHECK(settings.answer_timeout == Duration{3'600'000});
  CHECK(settings.idle_timeout == Duration{86'400'001});
  CHECK(settings.messages_per_second == 0.3);
  CHECK(settings.messages_burst == 1'000'000);
  CHECK(settings.output_hard == 4096);
}

TEST_CASE("config: a stream without a soft limit is never high", "[config]") {
  Config config;
  CHECK(stream_limits(config).high_bytes == 64UL * 1024);
  CHECK(stream_limits(config).low_bytes < 64UL * 1024);
  CHECK(stream_limits(config).hard_bytes == 256UL * 1024);
  config.limits.output_soft = 0;
  CHECK(stream_limits(config).high_bytes > config.limits.output_hard);
}

TEST_CASE("config: without any source the defaults hold", "[config]") {
  auto loaded = load_config(sources(std::nullopt));
  REQUIRE(loaded);
  CHECK(loaded->config == Config{});
  CHECK(loaded->origins.empty());
  CHECK(loaded->file.empty());
  CHECK(loaded->config.listen.front().endpoint.to_string() == "127.0.0.1:8080");
  CHECK(loaded_from("").config == Config{});
}

TEST_CASE("config: a file that was read before holds in place of what is there", "[config]") {
  const Folder folder;
  const std::string path = folder.write("F", "[limits]\nsessions = 5\n");
  auto file = read_config_file(sources(path));
  REQUIRE(file);
  const auto copy = ConfigFile::read(file->write());
  REQUIRE(copy);
  (void)folder.write("F", "no TOML");
  auto loaded = load_config(sources(path), *copy);
  REQUIRE(loaded);
  CHECK(loaded->config.limits.sessions == 5);
  CHECK(loaded->file == path);
  CHECK_FALSE(load_config(sources(path)));
  CHECK_FALSE(ConfigFile::read("no NUL"));
  CHECK_FALSE(read_config_file(sources(folder.path("missing"))));

  // That there was none holds as well.
  file = read_config_file(sources(std::nullopt));
  REQUIRE(file);
  CHECK(ConfigFile::read(file->write())->path.empty());
  loaded = load_config(sources(path), *file);
  REQUIRE(loaded);
  CHECK(loaded->config == Config{});
}

TEST_CASE("config: the line ends of texts are LF, whoever wrote the file", "[config]") {
  const auto greeting = [](const LoadedConfig& loaded) { return loaded.config.session.greeting; };
  CHECK(greeting(loaded_from("[session]\r\ngreeting = \"\"\"one\r\ntwo\"\"\"\r\n")) == "one\ntwo");
  CHECK(greeting(loaded_from("[session]\ngreeting = \"one\\r\\ntwo\\rthree\\r\"\n")) ==
        "one\ntwo\rthree\r");
  const auto loaded = load_config(sources(std::nullopt, {{"CHATD_SESSION_GREETING", "a\r\nb"}}));
  REQUIRE(loaded);
  CHECK(greeting(*loaded) == "a\nb");
}

TEST_CASE("config: what is printed loads again to the same", "[config]") {
  for (const Config& config : {Config{}, unusual()}) {
    const std::string text = print_config(config, {});
    INFO(text);
    const LoadedConfig again = loaded_from(text);
    CHECK(again.config == config);
    CHECK(diff(config, again.config) == ConfigChange{});
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\xe2\x80") == std::string::npos);
  }
  // A key that is missing in the table would be equal here.
  for (const auto& key : config_keys()) {
    INFO(key.path());
    CHECK_FALSE(key.get(unusual()) == key.get(Config{}));
  }
}

TEST_CASE("config: what is printed names the origin of each value", "[config]") {
  const Folder folder;
  const std::string file = folder.write("F",
                                        "[session]\ngreeting = \"hi\"\n[limits]\nsessions = 5\n"
                                        "output_soft = \"2KiB\"\n[[listen]]\nport = 0\n");
  ConfigSources from = sources(file, {{"CHATD_LIMITS_SESSIONS", "7"}});
  auto loaded = load_config(from);
  REQUIRE(loaded);
  CHECK(loaded->file == file);
  std::string text = replaced(print_config(loaded->config, loaded->origins), file, "F");
  CHECK(
      text.starts_with("# The configuration in force, and where each value comes from.\n"
                       "\n"
                       "[[listen]]\n"
                       "address = \"127.0.0.1\"  # default\n"
                       "port = 0               # F:7\n"
                       "dialect = \"auto\"       # default\n"
                       "room = \"\"              # default\n"
                       "web = true             # default\n"
                       "proxy_from = []        # default\n"
                       "tls_certificate = \"\"   # default\n"
                       "tls_key = \"\"           # default\n"
                       "tls_client_ca = \"\"     # default\n"
                       "tls = \"optional\"       # default\n"
                       "tls_minimum = \"1.3\"    # default\n"
                       "backlog = 1024         # default\n"
                       "\n"
                       "[session]\n"
                       "greeting = \"hi\"         # F:2\n"
                       "farewell = \"\"           # default\n"));
  CHECK(text.find("sessions = 7               # environment CHATD_LIMITS_SESSIONS\n") !=
        std::string::npos);
  CHECK(text.find("output_soft = \"2KiB\"       # F:5\n") != std::string::npos);

  from.listen = {{"::1", 9}, {"unix:/run/x", 0}};
  loaded = load_config(from);
  REQUIRE(loaded);
  text = print_config(loaded->config, loaded->origins);
  CHECK(text.find("[[listen]]\n"
                  "address = \"::1\"       # flag --listen\n"
                  "port = 9              # flag --listen\n"
                  "dialect = \"auto\"      # default\n") != std::string::npos);
  CHECK(text.find("[[listen]]\n"
                  "address = \"unix:/run/x\"  # flag --listen\n"
                  "dialect = \"auto\"         # default\n") != std::string::npos);
}

TEST_CASE("config: a table has a key for each reply, and for each network that has a name",
          "[config]") {
  const auto loaded = loaded_from(
      "[replies]\nhello = \"Hello {name}\"\n\"x\" = \'\'\'\none\r\ntwo\'\'\'\n"
      "[names]\n\"192.0.2.77/24\" = \"lab\"\n\"2001:DB8::1\" = \"door\"\n\"uid:1000\" = \"ann\"\n"
      "\"verified:door.example\" = \"front\"\n");
  CHECK(loaded.config.replies ==
        std::map<std::string, std::string>{{"hello", "Hello {name}"}, {"x", "one\ntwo"}});
  CHECK(loaded.config.names ==
        std::map<std::string, std::string>{{"192.0.2.0/24", "lab"},
                                           {"2001:db8::1", "door"},
                                           {"uid:1000", "ann"},
                                           {"verified:door.example", "front"}});
  const auto printed =
      print_config(loaded.config, {{"replies.x", "F:3"}, {"names.uid:1000", "F:9"}});
  CHECK(printed.find("[replies]\nhello = \"Hello {name}\"  # default\n"
                     "x = \"one\\ntwo\"          # F:3\n") != std::string::npos);
  CHECK(printed.find("\"uid:1000\" = \"ann\"                 # F:9\n") != std::string::npos);
}

TEST_CASE("config: a file name that could deceive is not printed as it is", "[config]") {
  const Folder folder;
  auto loaded = load_config(sources(folder.write("a\nb\x1b", "[log]\nlevel = \"warn\"\n")));
  REQUIRE(loaded);
  const std::string text = print_config(loaded->config, loaded->origins);
  CHECK(loaded_from(text).config == loaded->config);
  CHECK(text.find("a\\x0ab\\x1b:2\n") != std::string::npos);
}

TEST_CASE("config: flag beats environment beats file beats default", "[config]") {
  const std::string file =
      "[session]\ngreeting = \"file\"\nsettle = \"20ms\"\n[[listen]]\naddress = \"127.0.0.2\"\n";
  const Variables variables{{"CHATD_SESSION_GREETING", "environment"},
                            {"CHATD_LISTEN", "127.0.0.3:1, [::1]:2,unix:/run/c"}};
  const Config config = loaded_from(file, variables).config;
  CHECK(config.session.greeting == "environment");
  CHECK(config.session.settle == Duration{20});
  CHECK(config.session.bye_grace == Duration{30'000});
  REQUIRE(config.listen.size() == 3);
  CHECK(config.listen[0] == Listener{{"127.0.0.3", 1}, core::DialectSetting::kAuto, 1024});
  CHECK(config.listen[1].endpoint == io::Endpoint{"::1", 2});
  CHECK(config.listen[2].endpoint == io::Endpoint{"unix:/run/c", 0});
  const auto short_forms = loaded_from("", {{"CHATD_LISTEN", "8081,localhost:0"}}).config.listen;
  REQUIRE(short_forms.size() >= 2);
  CHECK(short_forms[0].endpoint == io::Endpoint{"127.0.0.1", 8081});
  CHECK(short_forms[1].endpoint == io::Endpoint{"127.0.0.1", 0});

  const Folder folder;
  auto loaded = load_config(sources(folder.write("F", file), variables, {{"127.0.0.4", 0}}));
  REQUIRE(loaded);
  REQUIRE(loaded->config.listen.size() == 1);
  CHECK(loaded->config.listen[0].endpoint == io::Endpoint{"127.0.0.4", 0});
}

TEST_CASE("config: every key has its variable", "[config]") {
  // The values of a Config, each as a variable, give that Config.
  Variables variables;
  for (const auto& key : config_keys()) {
    std::string text = to_toml(key, key.get(unusual()));
    if (key.kind == KeyRule::Kind::kText) {
      text = std::get<std::string>(key.get(unusual()));
    } else if (key.kind == KeyRule::Kind::kWords) {
      text.clear();
      const ConfigValue words = key.get(unusual());
      for (const auto& word : std::get<std::vector<std::string>>(words)) {
        text += (text.empty() ? "" : ", ") + word;
      }
    } else if (text.starts_with('"')) {
      text = text.substr(1, text.size() - 2);
    }
    variables[key.variable()] = text;
  }
  CHECK(variables.count("CHATD_LIMITS_SESSIONS_PER_ADDRESS") == 1);
  Config config = unusual();
  config.listen = {Listener{}};
  config.web.texts.clear();  // the tables have none
  config.replies.clear();
  config.names.clear();
  config.web.language = "de";  // of the page itself
  variables["CHATD_WEB_LANGUAGE"] = "de";
  CHECK(loaded_from("", variables).config == config);
}

TEST_CASE("config: a faulty variable is a fault by its name, after those of the file", "[config]") {
  const Variables variables{{"CHATD_LIMITS_SESSIONS", "many"},
                            {"CHATD_SESSION_SETTLE", "50"},
                            {"CHATD_SESSION_GREETING", "\xff"},
                            {"CHATD_LIMITS_MESSAGES_BURST", "0x10"},
                            {"CHATD_LIMITS_MESSAGES_PER_SECOND", "nan"},
                            {"CHATD_TRANSCRIPT_ENABLED", "yes"},
                            {"CHATD_CONTROL_PATH", "relative"},
                            {"CHATD_LOG_LEVEL", ""},
                            {"CHATD_CONFIG", "/nowhere"},
                            {"CHATD_SOCKET", "?"},
                            {"CHATD_WHATEVER", "?"}};
  CHECK(faults_of("[session]\nsettle = 1\n", variables) ==
        R"(F:2:10: session.settle: 1 has no unit; a duration such as "50ms" would be right
environment: CHATD_SESSION_GREETING: "\xff" is not UTF-8
environment: CHATD_SESSION_SETTLE: "50" has no unit; ms, s, m, h or d would be right, such as "50ms"
environment: CHATD_LIMITS_SESSIONS: "many" is not valid; a whole number would be right
environment: CHATD_LIMITS_MESSAGES_PER_SECOND: "nan" is out of range; 0.1 to 1000000 would be right
environment: CHATD_LIMITS_MESSAGES_BURST: "0x10" is not valid; a whole number would be right
environment: CHATD_CONTROL_PATH: "relative" is not absolute; a path that begins with / would be right
environment: CHATD_TRANSCRIPT_ENABLED: "yes" is not valid; true or false would be right
environment: CHATD_LOG_LEVEL: "" is not known; trace, debug, info, warn or error would be right
)");
  CHECK(faults_of("[log]\ntarget = \"file\"\n", {{"CHATD_LOG_FILE", "/x"}}).empty());
  CHECK(faults_of("", {{"CHATD_LOG_TARGET", "file"}}) ==
        "environment: CHATD_LOG_TARGET: \"file\" needs log.file, the path of that file\n");
  CHECK(faults_of("[limits]\noutput_soft = \"8KiB\"\noutput_hard = \"8KiB\"\n").empty());
  CHECK(faults_of("[limits]\noutput_soft = \"8KiB\"\n", {{"CHATD_LIMITS_OUTPUT_HARD", "4KiB"}}) ==
        "F:2:15: limits.output_soft: \"8KiB\" is above output_hard, which is \"4KiB\"\n");
}

TEST_CASE("config: each faulty part of CHATD_LISTEN is a fault", "[config]") {
  const std::string lines = faults_of("", {{"CHATD_LISTEN", "127.0.0.1:1,,here,unix:/a"}});
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find("environment: CHATD_LISTEN: here") != std::string::npos);
  CHECK(faults_of("", {{"CHATD_LISTEN", "0.0.0.0:1,127.0.0.1:1"}}) ==
        "environment: CHATD_LISTEN: \"127.0.0.1:1\" overlaps \"0.0.0.0:1\", which is listened on "
        "already\n");
  CHECK_FALSE(faults_of("", {{"CHATD_LISTEN", ""}}).empty());
}

TEST_CASE("config: the file is that of --config, else of CHATD_CONFIG, else the default one",
          "[config]") {
  const Folder folder;
  const auto greeting = [&](const ConfigSources& from) {
    auto loaded = load_config(from);
    return loaded ? loaded->config.session.greeting : to_string(loaded.error());
  };
  const auto write = [&](const std::string& name) {
    return folder.write(name, "[session]\ngreeting = \"" + name + "\"\n");
  };
  ConfigSources from = sources(write("flag"), {{"CHATD_CONFIG", write("variable")}});
  from.default_file = write("default");
  CHECK(greeting(from) == "flag");
  from.file.reset();
  CHECK(greeting(from) == "variable");
  from.environment = environment({{"CHATD_CONFIG", ""}});
  CHECK(greeting(from) == "default");
  from.default_file = folder.path("missing");
  CHECK(greeting(from).empty());
  // A file that was asked for has to be there, one that is there has to be good.
  from.environment = environment({{"CHATD_CONFIG", folder.path("missing")}});
  CHECK(greeting(from) == folder.path("missing") + ": cannot be read: No such file or directory\n");
  from.file = folder.path("gone");
  CHECK(greeting(from) == folder.path("gone") + ": cannot be read: No such file or directory\n");
  from = sources(std::nullopt);
  from.default_file = folder.write("bad", "x = 1\n");
  CHECK(greeting(from) == folder.path("bad") + ":1:1: x: unknown key outside of any section\n");
}

TEST_CASE("config: a fault in a value that another source overrides is still a fault", "[config]") {
  CHECK(faults_of("[limits]\nsessions = 0\n[[listen]]\nport = -1\n",
                  {{"CHATD_LIMITS_SESSIONS", "5"}, {"CHATD_LISTEN", "127.0.0.1:1"}}) ==
        "F:2:12: limits.sessions: 0 is out of range; 1 to 1000000 would be right\n"
        "F:4:8: listen.port: -1 is out of range; 0 to 65535 would be right\n");
}

TEST_CASE("config: addresses are kept in one spelling", "[config]") {
  const Config config =
      loaded_from(
          "[[listen]]\naddress = \"0:0:0:0:0:0:0:1\"\nport = 0\n[[listen]]\nport = 0\n"
          "[[listen]]\nport = 0\n[[listen]]\naddress = \"::\"\n[[listen]]\naddress = "
          "\"0.0.0.0\"\n")
          .config;
  CHECK(config.listen[0].endpoint.address == "::1");
  CHECK(config.listen.size() == 5);  // port 0 is always another one, and :: takes no IPv4
}

TEST_CASE("config: more listeners than can be meant are refused", "[config]") {
  std::string text;
  for (int i = 0; i < 256; ++i) text += "[[listen]]\nport = 0\n";
  CHECK(loaded_from(text).config.listen.size() == 256);
  CHECK(faults_of(text + "[[listen]]\n") == "F:513:1: listen: more than 256 listeners\n");
  std::string variable = "127.0.0.1:1000";
  for (int port = 1001; port < 1256; ++port) variable += ",127.0.0.1:" + std::to_string(port);
  CHECK(faults_of("", {{"CHATD_LISTEN", variable}}).empty());
  CHECK(faults_of("", {{"CHATD_LISTEN", variable + ",127.0.0.1:1256"}}) ==
        "environment: CHATD_LISTEN: more than 256 listeners\n");
}

TEST_CASE("config: a reload tells what is in force from what needs a restart", "[config]") {
  CHECK(diff(unusual(), unusual()) == ConfigChange{});
  const ConfigChange change = diff(Config{}, unusual());
  CHECK(change.changed == std::vector<std::string>{"listen",
                                                   "session.greeting",
                                                   "session.farewell",
                                                   "session.max_message",
                                                   "session.settle",
                                                   "session.original_hold",
                                                   "session.bye_grace",
                                                   "session.answer_timeout",
                                                   "session.idle_timeout",
                                                   "limits.sessions",
                                                   "limits.sessions_per_address",
                                                   "limits.connects_per_second",
                                                   "limits.bytes_per_second",
                                                   "limits.memory",
                                                   "limits.messages_per_second",
                                                   "limits.messages_burst",
                                                   "limits.output_soft",
                                                   "limits.output_hard",
                                                   "web.title",
                                                   "web.accent",
                                                   "web.language",
                                                   "web.sound",
                                                   "web.origins",
                                                   "web.hosts",
                                                   "web.resume",
                                                   "web.show_operator",
                                                   "control.group",
                                                   "control.max_operators",
                                                   "console.timestamps",
                                                   "console.bell",
                                                   "console.highlight",
                                                   "console.claim_on_answer",
                                                   "transcript.keep",
                                                   "transcript.max_size",
                                                   "transcript.keep_free",
                                                   "log.level",
                                                   "web.texts",
                                                   "replies",
                                                   "names"});
  CHECK(change.needs_restart == std::vector<std::string>{"control.path", "console.history",
                                                         "transcript.enabled", "transcript.path",
                                                         "log.target", "log.file",
                                                         "service.stop_grace", "service.seccomp"});

  const Config running = after_reload(Config{}, unusual());
  CHECK(diff(running, unusual()).changed.empty());
  CHECK(diff(running, unusual()).needs_restart == change.needs_restart);
  CHECK(running.control.path.empty());
  CHECK(running.session == unusual().session);
  CHECK(running.listen == unusual().listen);
  CHECK(running.web == unusual().web);
}

TEST_CASE("config: the order of the listeners means nothing", "[config]") {
  Config turned = unusual();
  std::reverse(turned.listen.begin(), turned.listen.end());
  CHECK(diff(unusual(), turned) == ConfigChange{});
  turned.listen[0].dialect = core::DialectSetting::kRaw;
  CHECK(diff(unusual(), turned).changed == std::vector<std::string>{"listen"});
}

}  // namespace
}  // namespace chatd::test
