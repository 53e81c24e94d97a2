#include "config/read_tables.hpp"

#include <utility>

#include "config/checks.hpp"
#include "config/values.hpp"

namespace chatd {

namespace {

using Texts = std::map<std::string, std::string>;

/// `section` is what the table is called in the file.
void read_texts(const ConfigTable& table, const std::string& section, const TomlNode& node,
                Texts& texts, Findings& findings) {
  // Each is what a KeyRule would say of a text.
  const KeyRule rule{.section = table.section, .check = table.check};
  std::map<std::string, int> lines;
  for (const TomlNode& member : node.items) {
    if (member.type == TomlNode::Type::kTable) {  // of 192.0.2.7 = "lab" this is 192
      findings.add(member.key, section + '.' + shown_name(member.name),
                   "this is a table; a key with a dot in it belongs in quotation marks");
      continue;
    }
    auto key = table.key(member.name);
    if (!key) {
      findings.add(member.key, section, std::move(key.error().message));
      continue;
    }
    const std::string path = section + '.' + *key;
    const std::string shown = section + '.' + shown_name(member.name);
    auto value = read_value(rule, member);
    if (!value) {
      findings.add(member.value, shown, std::move(value.error().message));
    } else if (const auto [first, is_new] = lines.emplace(*key, member.key.line); !is_new) {
      findings.add(member.key, shown,
                   "is what line " + std::to_string(first->second) + " names already");
    } else if (texts.size() == table.most) {
      findings.add(member.key, section, "more than " + std::to_string(table.most) + " keys");
      return;
    } else {
      texts[*key] = std::get<std::string>(std::move(*value));
      findings.places[path] = findings.in_file(member.value, path);
    }
  }
}

}  // namespace

void read_table(const ConfigTable& table, const TomlNode& node, Config& config,
                Findings& findings) {
  read_texts(table, std::string{table.section}, node, config.*table.texts, findings);
}

void read_web_texts(const TomlNode& node, Config& config, Findings& findings) {
  const ConfigTable& table = web_texts_table();
  const std::string section{table.section};
  constexpr std::string_view kRight =
      "; texts stand below the tag of their language, such as [web.texts.en]";
  if (node.type != TomlNode::Type::kTable) {
    findings.add(node.key, section,
                 "is not " + std::string{node.type_name()} + std::string{kRight});
    return;
  }
  for (const TomlNode& language : node.items) {
    if (language.type != TomlNode::Type::kTable) {
      findings.add(language.key, section + '.' + shown_name(language.name),
                   "is not " + std::string{language.type_name()} + std::string{kRight});
      continue;
    }
    if (std::string what = check_language(language.name); !what.empty() || language.name.empty()) {
      findings.add(language.key, section, what.empty() ? "\"\" is no language" : std::move(what));
      continue;
    }
    if (config.web.texts.size() == kMostLanguages) {
      findings.add(language.key, section,
                   "more than " + std::to_string(kMostLanguages) + " languages");
      return;
    }
    Texts texts;
    read_texts(table, section + '.' + language.name, language, texts, findings);
    if (!texts.empty()) config.web.texts[language.name] = std::move(texts);
  }
}

}  // namespace chatd
