#include "config/web_settings.hpp"

#include <string_view>

#include "base/json.hpp"

namespace chatd {

namespace {

/// Appends `name` with its colon, and a comma before it if something stands before it.
void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_name(out, name);
  append_json_string(out, text);
}

}  // namespace

std::string web_settings(const Config::Web& web) {
  std::string out = "{";
  if (!web.title.empty()) append_member(out, "title", web.title);
  if (!web.accent.empty()) append_member(out, "accent", web.accent);
  if (!web.language.empty()) append_member(out, "language", web.language);
  append_name(out, "sound");
  out += web.sound ? "true" : "false";
  if (!web.texts.empty()) {
    append_name(out, "texts");
    out += '{';
    for (const auto& [language, texts] : web.texts) {
      append_name(out, language);
      out += '{';
      for (const auto& [name, text] : texts) append_member(out, name, text);
      out += '}';
    }
    out += '}';
  }
  return out + '}';
}

}  // namespace chatd
