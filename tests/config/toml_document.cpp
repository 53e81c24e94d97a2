/// TOML files that a parser alone does not survive, and good ones.
#include "config/toml_document.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "config/support.hpp"
#include "config/toml_guard.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string fault_of(const std::string& text) {
  auto document = parse_toml(text, "F");
  return document ? std::string{} : document.error().to_string();
}

TEST_CASE("document: nesting that would overflow the stack is refused", "[config][document]") {
  CHECK(fault_of(repeated("[", 20'000)) == "F:1:65: not TOML: nested more than 64 levels deep");
  CHECK(fault_of("a = " + repeated("[", 20'000)) ==
        "F:1:69: not TOML: nested more than 64 levels deep");
  CHECK(fault_of("a = " + repeated("{ a = ", 20'000)) ==
        "F:1:389: not TOML: nested more than 64 levels deep");
  CHECK(fault_of(repeated("a.", 20'000) + "a = 1") ==
        "F:1:130: not TOML: nested more than 64 levels deep");
  CHECK(fault_of("[" + repeated("'a' . ", 20'000) + "a]") ==
        "F:1:384: not TOML: nested more than 64 levels deep");
  // Closing brackets in comments and strings do not hide it.
  CHECK(fault_of("a = " + repeated("[ # ]\n", 20'000)) ==
        "F:65:1: not TOML: nested more than 64 levels deep");
  CHECK(fault_of("a = " + repeated("[ ']', \"]\", \"\"\"\\\"]\"\"\", '''\n]''', ", 1000))
            .find("nested more than 64 levels deep") != std::string::npos);
  // The largest one that is taken.
  CHECK(fault_of("a = " + repeated("[", 64) + repeated("]", 64)).empty());
}

TEST_CASE("document: brackets and dots in strings and comments are not nesting",
          "[config][document]") {
  const std::string many = repeated("[{.", 500);
  CHECK(fault_of("# " + many + "\na = \"" + many + "\\\"" + many + "\" # " + many + "\n").empty());
  CHECK(fault_of("a = '" + many + "\\'\nb = '''" + many + "\n" + many + "'''\n").empty());
  CHECK(fault_of("a = \"\"\"" + many + "\"\"" + many + "\\\"\"\"\"\"\nb = 1\n").empty());
}

TEST_CASE("document: a line that would take minutes is refused", "[config][document]") {
  const std::string value = "a = [" + repeated("1,", 4000);
  CHECK(fault_of(value + std::string(kMaxTomlLine - value.size() - 1, ' ') + "]").empty());
  CHECK(fault_of("# ü\n" + value + std::string(kMaxTomlLine - value.size(), ' ') + "]\n") ==
        "F:2:8193: not TOML: a line of more than 8192 bytes");
}

TEST_CASE("document: a table put into an empty array is an error, not a wild read",
          "[config][document]") {
  const std::string fault = fault_of("a = []\n[a.b]\n");
  CHECK((CHATD_TOML11_MAJOR < 4 ? fault == "F: not TOML: a table cannot be put into an empty array"
                                : fault.starts_with("F:2:1: not TOML: this is defined already")));
  CHECK_FALSE(fault_of("a = []\n[[a.b]]\nx = 1\n").empty());
  CHECK_FALSE(fault_of("a = [1]\n[a.b]\n").empty());
}

TEST_CASE("document: what is not text is refused at its place", "[config][document]") {
  CHECK(fault_of(std::string{"\0", 1}) ==
        "F:1:1: not TOML: a control character, \\x00; in a string it is written as an escape");
  CHECK(fault_of("# ü\na = \"x\xff\"\n") == "F:2:7: not TOML: this is not UTF-8");
  CHECK(fault_of("a = \"\xe2\x82\"") == "F:1:6: not TOML: this is not UTF-8");
  CHECK(fault_of("\x7f\x45\x4c\x46\x02\x01\x01") ==
        "F:1:1: not TOML: a control character, \\x7f; in a string it is written as an escape");
  CHECK(fault_of("a = 1\rb = 2\n") ==
        "F:1:6: not TOML: a control character, \\x0d; in a string it is written as an escape");
  std::string junk;
  for (int i = 0; i < 65'536; ++i) junk += static_cast<char>((i * 7919) >> 5);
  CHECK_FALSE(fault_of(junk).empty());
}

TEST_CASE("document: CRLF, a byte order mark and a missing last LF are taken",
          "[config][document]") {
  for (const std::string text :
       {"\xEF\xBB\xBF[s]\r\nk = \"v\"\r\n", "[s]\nk = \"v\"", "[s]\r\nk = 'v' # comment\r\n"}) {
    auto document = parse_toml(text, "F");
    REQUIRE(document);
    REQUIRE(document->find("s") != nullptr);
    const TomlNode* value = document->find("s")->find("k");
    REQUIRE(value != nullptr);
    CHECK(value->text == "v");
    CHECK(value->key == Position{2, 1});
    CHECK(value->value == Position{2, 5});
  }
  CHECK(fault_of("").empty());
  CHECK(fault_of("\xEF\xBB\xBF").empty());
  CHECK(fault_of("\r\n").empty());
  CHECK(fault_of("# nothing").empty());
}

TEST_CASE("document: every key and value knows its place", "[config][document]") {
  auto document = parse_toml(
      "[a]\n"
      "plain = 1\n"
      "  \"quo\\\"ted\"  =  0.5\n"
      "'lit' = true\n"
      "in = { x = 'ö', y = [ 1, 'z' ] }\n"
      "dot.ted = 07:30:00\n"
      "[[b]]\n"
      "many = \"\"\"\none\ntwo\"\"\"\n"
      "[[b]]\n",
      "F");
  REQUIRE(document);
  const TomlNode& a = *document->find("a");
  CHECK(a.value == Position{1, 1});
  CHECK(a.find("plain")->key == Position{2, 1});
  CHECK(a.find("plain")->value == Position{2, 9});
  CHECK(a.find("plain")->literal == "1");
  CHECK(a.find("quo\"ted")->key == Position{3, 3});
  CHECK(a.find("quo\"ted")->value == Position{3, 18});
  CHECK(a.find("quo\"ted")->literal == "0.5");
  CHECK(a.find("lit")->key == Position{4, 1});
  CHECK(a.find("in")->key == Position{5, 1});
  CHECK(a.find("in")->value == Position{5, 6});
  CHECK(a.find("in")->find("x")->value == Position{5, 12});
  CHECK(a.find("in")->find("y")->key == Position{5, 17});
  CHECK(a.find("in")->find("y")->items[1].value == Position{5, 26});
  CHECK(a.find("dot")->key == Position{6, 1});
  CHECK(a.find("dot")->find("ted")->key == Position{6, 5});
  CHECK(a.find("dot")->find("ted")->type == TomlNode::Type::kTime);
  const TomlNode& b = *document->find("b");
  CHECK(b.type == TomlNode::Type::kArray);
  CHECK(b.items[0].value == Position{7, 1});
  CHECK(b.items[1].value == Position{11, 1});
  CHECK(b.items[0].find("many")->value == Position{8, 8});
  CHECK(b.items[0].find("many")->text == "one\ntwo");
  CHECK(a.find("none") == nullptr);
}

TEST_CASE("document: a file that cannot be read is an error that says so", "[config][document]") {
  const Folder folder;
  const auto said = [&](const std::string& path) {
    auto text = read_toml_text(path);
    return text ? std::string{} : replaced(text.error().to_string(), path, "F");
  };
  CHECK(said(folder.path("missing")) == "F: cannot be read: No such file or directory");
  CHECK(said(folder.path("")) == "F: is a folder, not a file");
  CHECK(said("/dev/null").empty());
  CHECK(said("/dev/zero") == "F: is larger than 1 MiB, the limit for a configuration");
  // Nobody writes into it: to read it would mean to wait for ever.
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(said(folder.path("pipe")) ==
        "F: is a pipe, which a reload could not read again; a file would be right");
  if (::geteuid() != 0) {
    const std::string secret = folder.write("secret", "");
    REQUIRE(::chmod(secret.c_str(), 0) == 0);
    CHECK(said(secret) == "F: cannot be read: Permission denied");
  }
}

TEST_CASE("document: a megabyte is taken, a byte more is not", "[config][document]") {
  const Folder folder;
  const std::string line = "# " + std::string(61, 'x') + "\n";
  const std::string most = repeated(line, kMaxTomlBytes / line.size());
  REQUIRE(most.size() == kMaxTomlBytes);
  auto text = read_toml_text(folder.write("most", most));
  REQUIRE(text);
  CHECK(parse_toml(*text, "most"));
  auto more = read_toml_text(folder.write("more", most + '#'));
  REQUIRE_FALSE(more);
  CHECK(more.error().what == "is larger than 1 MiB, the limit for a configuration");
}

TEST_CASE("document: a string of the greatest size that never ends is an error",
          "[config][document]") {
  for (const std::string begin : {"a = \"", "a = '", "a = \"\"\"", "a = '''", "\"", "[\""}) {
    CHECK_FALSE(fault_of(begin).empty());
    CHECK_FALSE(fault_of(begin + "\\").empty());
    CHECK_FALSE(fault_of(begin + std::string(100'000, 'x')).empty());
  }
}

}  // namespace
}  // namespace chatd::test
