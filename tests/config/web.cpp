/// The section [web]: what is wrong with it, word for word, and what the page is told of it.

#include "config/config.hpp"
#include "config/support.hpp"
#include "config/web_settings.hpp"
#include "support/catch.hpp"

namespace chatd::test {
namespace {

TEST_CASE("config: what the page shows is one line, a colour and a language", "[config][web]") {
  const std::string hundred = "\xc3\xbc" + std::string(99, 'x');  // a character more in bytes
  CHECK(loaded_from("[web]\ntitle = \"" + hundred + "\"\n").config.web.title == hundred);
  CHECK(loaded_from("[web]\naccent = \"#a0F\"\n").config.web.accent == "#a0F");
  CHECK(loaded_from("[web]\nresume = \"24h\"\n").config.web.resume == std::chrono::hours{24});
  CHECK(loaded_from("[web]\nresume = \"0s\"\n").config.web.resume == Duration{0});
  check_faults({
      {"[web]\ntitle = \"x" + hundred + "\"",
       "F:2:9: web.title: \"x\xc3\xbc" + std::string(57, 'x') +
           "...\" has 101 characters; at most 100 would be right"},
      {"[web]\ntitle = \"a\\nb\"",
       R"(F:2:9: web.title: "a\x0ab" holds control characters; one line of text would be right)"},
      {"[web]\ntitle = \"a\\u2028b\"",
       R"(F:2:9: web.title: "a\u2028b" holds control characters; one line of text would be right)"},
      {"[web]\ntitle = \" \"", R"(F:2:9: web.title: " " is blank)"},
      {"[web]\naccent = \"blue\"",
       R"(F:2:10: web.accent: "blue" is not a colour; "#rgb" or "#rrggbb" would be right)"},
      {"[web]\naccent = \"#0a5fb\"",
       R"(F:2:10: web.accent: "#0a5fb" is not a colour; "#rgb" or "#rrggbb" would be right)"},
      {"[web]\naccent = \"#12345g\"",
       R"(F:2:10: web.accent: "#12345g" is not a colour; "#rgb" or "#rrggbb" would be right)"},
      {"[web]\naccent = \"0123\"",
       R"(F:2:10: web.accent: "0123" is not a colour; "#rgb" or "#rrggbb" would be right)"},
      {"[web]\nlanguage = \"german\"",
       R"(F:2:12: web.language: "german" is not a language of the page; en or de would be right, or one of [web.texts])"},
      {"[web]\nlanguage = \"d\"",
       R"(F:2:12: web.language: "d" cannot be a language; a tag such as "en" or "pt-BR" would be right)"},
      {"[web]\nlanguage = \"de_AT\"",
       R"(F:2:12: web.language: "de_AT" cannot be a language; a tag such as "en" or "pt-BR" would be right)"},
      {"[web]\nlanguage = \"de-\"",
       R"(F:2:12: web.language: "de-" cannot be a language; a tag such as "en" or "pt-BR" would be right)"},
      {"[web]\nresume = \"25h\"",
       R"(F:2:10: web.resume: "25h" is out of range; 0s, or 1ms to 1d would be right)"},
      {"[web]\nsound = \"off\"",
       R"(F:2:9: web.sound: "off" is a string; true or false would be right)"},
      {"[web]\nshow_operators = true",
       "F:2:1: web.show_operators: unknown key; did you mean show_operator?"},
  });
  CHECK(faults_of("", {{"CHATD_WEB_LANGUAGE", "fr"}}) ==
        "environment: CHATD_WEB_LANGUAGE: \"fr\" is not a language of the page; en or de would be "
        "right, or one of [web.texts]\n");
}

TEST_CASE("config: origins have a scheme and hosts have none", "[config][web]") {
  const Config::Web web = loaded_from(
                              "[web]\norigins = [\"https://Example.org\", \"http://[::1]:8080\"]\n"
                              "hosts = [\"Chat.Example.org.\", \"192.0.2.7:80\"]\n")
                              .config.web;
  CHECK(web.origins == std::vector{*http::WebOrigin::parse("https://example.org"),
                                   *http::WebOrigin::parse("http://[::1]:8080")});
  CHECK(web.hosts ==
        std::vector{*http::Site::parse("chat.example.org"), *http::Site::parse("192.0.2.7:80")});
  check_faults({
      {"[web]\norigins = [\"example.org\"]",
       R"(F:2:11: web.origins: "example.org" is not the origin of a page; "https://example.org" would be right)"},
      {"[web]\norigins = [\"https://example.org/\"]",
       R"(F:2:11: web.origins: "https://example.org/" is not the origin of a page; "https://example.org" would be right)"},
      {"[web]\norigins = [\"https://example.org:81/chat?x\"]",
       R"(F:2:11: web.origins: "https://example.org:81/chat?x" is not the origin of a page; "https://example.org:81" would be right)"},
      {"[web]\norigins = true",
       R"(F:2:11: web.origins: true is a boolean; a list such as ["https://example.org"] would be right)"},
      {"[web]\norigins = [\"*\"]",
       R"(F:2:11: web.origins: "*" is not the origin of a page; "https://example.org" or "http://192.0.2.7:8080" would be right)"},
      {"[web]\norigins = [\"https://*.example.org\"]",
       R"(F:2:11: web.origins: "https://*.example.org" is not the origin of a page; "https://example.org" or "http://192.0.2.7:8080" would be right)"},
      {"[web]\nhosts = [\"https://example.org:81\"]",
       R"(F:2:9: web.hosts: "https://example.org:81" is not a host; "example.org:81" would be right)"},
      {"[web]\nhosts = [\"a b\"]",
       R"(F:2:9: web.hosts: "a b" is not a host; "example.org", "192.0.2.7:8080" or "[2001:db8::1]" would be right)"},
      {"[web]\nhosts = \"example.org\"",
       R"(F:2:9: web.hosts: "example.org" is a string; a list such as ["chat.example.org"] would be right)"},
  });
}

TEST_CASE("config: the page's texts are known by their names, in any language", "[config][web]") {
  const auto loaded = loaded_from(
      "[web]\nlanguage = \"fr\"\ntexts.fr.send = \"Envoyer\"\n"
      "[web.texts.de]\nsend = \"Ab damit\"\ntitle = \"Hilfe\"\n[web.texts.es]\n");
  CHECK(loaded.config.web.texts ==
        std::map<std::string, std::map<std::string, std::string>>{
            {"de", {{"send", "Ab damit"}, {"title", "Hilfe"}}}, {"fr", {{"send", "Envoyer"}}}});
  CHECK(loaded.origins.at("web.texts.de.title").ends_with(":6"));
  CHECK(print_config(loaded.config, {{"web.texts.de.title", "F:6"}})
            .find("[web.texts.de]\n"
                  "send = \"Ab damit\"  # default\n"
                  "title = \"Hilfe\"    # F:6\n"
                  "\n"
                  "[web.texts.fr]\n") != std::string::npos);
  check_faults({
      {"[web.texts.de]\ntitel = \"x\"",
       R"(F:2:1: web.texts.de: "titel" is no text of the page; did you mean title?)"},
      {"[web.texts.de]\n\"\" = \"x\"", R"(F:2:1: web.texts.de: "" is no text of the page)"},
      {"[web.texts.de]\nsend = \" \"", R"(F:2:8: web.texts.de.send: " " is blank)"},
      {"[web.texts.de]\nsend = \"a\\nb\"",
       R"(F:2:8: web.texts.de.send: "a\x0ab" holds control characters; one line of text would be right)"},
      {"[web.texts.de]\nsend = 5",
       "F:2:8: web.texts.de.send: 5 is an integer; a string in quotation marks would be right"},
      {"[web.texts.de]\nsend = \"" + std::string(501, 'x') + "\"",
       "F:2:8: web.texts.de.send: \"" + std::string(60, 'x') +
           "...\" has 501 bytes; at most 500 would be right"},
      {"[web.texts]\nsend = \"x\"",
       "F:2:1: web.texts.send: is not a string; texts stand below the tag of their language, such "
       "as [web.texts.en]"},
      {"[[web.texts]]\nsend = \"x\"",
       "F:1:1: web.texts: is not an array; texts stand below the tag of their language, such as "
       "[web.texts.en]"},
      {"[web.texts.\"d e\"]\nsend = \"x\"",
       R"(F:1:1: web.texts: "d e" cannot be a language; a tag such as "en" or "pt-BR" would be right)"},
      {"[web.texts.\"\"]\nsend = \"x\"", R"(F:1:1: web.texts: "" is no language)"},
      {"[web.text.de]\nsend = \"x\"", "F:1:1: web.text: unknown key; did you mean texts?"},
  });
  std::string many;
  for (char a = 'a'; a < 'a' + 8; ++a) {
    for (char b = 'a'; b < 'a' + 8; ++b) {
      many += "[web.texts." + std::string{a, b} + "]\nsend = \"x\"\n";
    }
  }
  CHECK(faults_of(many).empty());
  CHECK(faults_of(many + "[web.texts.zz]\nsend = \"x\"\n") ==
        "F:129:1: web.texts: more than 64 languages\n");
}

TEST_CASE("web settings: the page is told what is configured, and nothing else", "[config][web]") {
  CHECK(web_settings({}) == R"({"sound":true})");
  Config::Web web;
  web.title = "Grüße \"an\\alle\" \xe2\x80\x8b";
  web.accent = "#0a5fb4";
  web.language = "de";
  web.sound = false;
  web.texts = {{"de", {{"send", "Los"}, {"title", "</script>"}}}, {"pt-BR", {{"send", "Enviar"}}}};
  web.origins = {*http::WebOrigin::parse("https://example.org")};
  web.hosts = {*http::Site::parse("example.org")};
  web.show_operator = true;
  CHECK(web_settings(web) ==
        R"({"title":"Grüße \"an\\alle\" \u200b","accent":"#0a5fb4","language":"de","sound":false,)"
        R"("texts":{"de":{"send":"Los","title":"</script>"},"pt-BR":{"send":"Enviar"}}})");
}

}  // namespace
}  // namespace chatd::test
