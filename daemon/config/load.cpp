#include "config/load.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/nearest.hpp"
#include "base/words.hpp"
#include "config/checks.hpp"
#include "config/findings.hpp"
#include "config/keys.hpp"
#include "config/listen_places.hpp"
#include "config/read_listeners.hpp"
#include "config/read_tables.hpp"
#include "config/toml_document.hpp"
#include "config/units.hpp"
#include "config/values.hpp"
#include "web/texts.hpp"

namespace chatd {

namespace {

constexpr std::string_view kEnvironment = "environment";

bool is_consistent(const Listener::Tls& tls) {
  return std::all_of(
             tls.pairs.begin(), tls.pairs.end(),
             [](const auto& pair) { return !pair.certificate.empty() && !pair.key.empty(); }) &&
         (!tls.pairs.empty() || (tls.client_ca.empty() && !tls.required));
}

/// Whether there are texts in the page's language.
bool has_language(const Config::Web& web) {
  const auto own = web::languages();
  return web.language.empty() || std::find(own.begin(), own.end(), web.language) != own.end() ||
         web.texts.contains(web.language);
}

/// What a Config promises: nobody downstream checks it again.
bool is_consistent(const Config& config) {
  for (auto mine = config.listen.begin(); mine != config.listen.end(); ++mine) {
    if (std::any_of(
            config.listen.begin(), mine,
            [&](const Listener& other) { return conflict(mine->endpoint, other.endpoint); }) ||
        !is_consistent(mine->tls)) {
      return false;
    }
  }
  return !config.listen.empty() && has_language(config.web) &&
         config.limits.output_soft <= config.limits.output_hard &&
         (config.log.target != LogTarget::kFile || !config.log.file.empty());
}

class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_{sources} {}

  Result<LoadedConfig, Faults> load(Result<ConfigFile, Fault> file) {
    read_file(std::move(file));
    read_environment();
    if (!sources_.listen.empty()) {
      listeners_.replace(sources_.listen, {"flag --listen", "--listen", {}, {}});
    }
    check_together();
    if (!findings_.faults.empty()) {
      std::stable_sort(findings_.faults.begin(), findings_.faults.end(),
                       [](const Fault& a, const Fault& b) {
                         return std::pair{a.source == kEnvironment, a.where} <
                                std::pair{b.source == kEnvironment, b.where};
                       });
      return std::move(findings_.faults);
    }
    assert(is_consistent(loaded_.config));
    for (const auto& [path, place] : findings_.places) loaded_.origins[path] = place.origin;
    return std::move(loaded_);
  }

 private:
  void read_file(Result<ConfigFile, Fault> file) {
    if (!file) {
      findings_.faults.push_back(file.error());
      return;
    }
    if (file->path.empty()) return;
    loaded_.file = file->path;
    findings_.file = file->path;
    auto document = parse_toml(file->text, file->path);
    if (!document) {
      findings_.faults.push_back(document.error());
      return;
    }
    for (const TomlNode& node : document->items) read_section(node);
  }

  void read_section(const TomlNode& node) {
    const auto sections = section_names();
    if (std::find(sections.begin(), sections.end(), node.name) == sections.end()) {
      unknown_section(node);
    } else if (node.name == "listen") {
      listeners_.read(node);
    } else if (const auto* table = find_table(node.name);
               table != nullptr && node.type == TomlNode::Type::kTable) {
      read_table(*table, node, loaded_.config, findings_);
    } else if (node.type == TomlNode::Type::kTable) {
      for (const TomlNode& member : node.items) read_key(node.name, member);
    } else if (node.type == TomlNode::Type::kArray) {
      findings_.add(node.key, node.name,
                    "is one section, not a list; [" + node.name + "] would be right");
    } else {
      findings_.add(node.key, node.name,
                    "is a section, not " + std::string{node.type_name()} + "; [" + node.name +
                        "] would be right");
    }
  }

  void unknown_section(const TomlNode& node) {
    const bool is_section =
        node.type == TomlNode::Type::kTable || node.type == TomlNode::Type::kArray;
    std::string what = is_section ? "unknown section" : "unknown key outside of any section";
    if (const std::string elsewhere = home_of(node.name); !is_section && !elsewhere.empty()) {
      what += "; " + elsewhere + " would be right";
    } else if (const auto near = nearest(node.name, section_names()); is_section && !near.empty()) {
      what += near == "listen" ? "; did you mean [[listen]]?"
                               : "; did you mean [" + std::string{near} + "]?";
    }
    findings_.add(node.key, shown_name(node.name), std::move(what));
  }

  /// The member of [web] that is no key.
  static constexpr std::string_view kTexts = "texts";

  void read_key(std::string_view section, const TomlNode& member) {
    std::vector<std::string_view> siblings;
    if (section == "web") {
      if (member.name == kTexts) return read_web_texts(member, loaded_.config, findings_);
      siblings.push_back(kTexts);
    }
    for (const auto& key : config_keys()) {
      if (key.section != section) continue;
      siblings.push_back(key.name);
      if (key.name != member.name) continue;
      if (auto value = read_value(key, member)) {
        key.set(loaded_.config, std::move(*value));
        findings_.places[key.path()] = findings_.in_file(member.value, key.path());
      } else {
        findings_.add(member.value, key.path(), std::move(value.error().message));
        findings_.faulty.insert(key.path());
      }
      return;
    }
    findings_.unknown_key(section, member, siblings);
  }

  void read_environment() {
    for (const auto& key : config_keys()) {
      const std::string name = key.variable();
      const auto text = sources_.environment(name);
      if (!text) continue;
      const Place place{"environment " + name, std::string{kEnvironment}, {}, name};
      if (auto value = read_value(key, *text)) {
        key.set(loaded_.config, std::move(*value));
        findings_.places[key.path()] = place;
      } else {
        findings_.add(place, std::move(value.error().message));
        findings_.faulty.insert(key.path());
      }
    }
    const std::string name = "CHATD_LISTEN";
    if (const auto text = sources_.environment(name)) read_listen_variable(name, *text);
  }

  void read_listen_variable(const std::string& name, std::string_view text) {
    const Place place{"environment " + name, std::string{kEnvironment}, {}, name};
    std::vector<io::Endpoint> endpoints;
    while (true) {
      const std::size_t comma = std::min(text.find(','), text.size());
      if (auto places = parse_listen_places(trimmed(text.substr(0, comma)))) {
        endpoints.insert(endpoints.end(), places->begin(), places->end());
      } else {
        findings_.add(place, std::move(places.error().message));
      }
      if (comma == text.size()) break;
      text.remove_prefix(comma + 1);
    }
    if (endpoints.size() > kMaxListeners) {
      findings_.add(place, "more than " + std::to_string(kMaxListeners) + " listeners");
      return;
    }
    listeners_.replace(endpoints, place);
  }

  /// Finds the faults that no single value can be blamed for, among values that are right
  /// in themselves.
  void check_together() {
    check_output();
    const Config::Log& log = loaded_.config.log;
    if (log.target == LogTarget::kFile && log.file.empty() &&
        !findings_.faulty.contains("log.file")) {
      findings_.add(findings_.places.at("log.target"),
                    "\"file\" needs log.file, the path of that file");
    }
    const Config::Web& web = loaded_.config.web;
    if (!has_language(web)) {
      findings_.add(findings_.places.at("web.language"),
                    in_quotes(web.language) + " is not a language of the page; " +
                        listed(web::languages()) + " would be right, or one of [web.texts]");
    }
    listeners_.check_together(loaded_.config.control.path);
  }

  void check_output() {
    const Config::Limits& limits = loaded_.config.limits;
    if (limits.output_soft <= limits.output_hard ||
        findings_.faulty.contains("limits.output_soft") ||
        findings_.faulty.contains("limits.output_hard")) {
      return;
    }
    const std::string soft = in_quotes(format_size(limits.output_soft));
    const std::string hard = in_quotes(format_size(limits.output_hard));
    if (const auto place = findings_.places.find("limits.output_soft");
        place != findings_.places.end()) {
      findings_.add(place->second, soft + " is above output_hard, which is " + hard);
    } else {
      findings_.add(findings_.places.at("limits.output_hard"),
                    hard + " is below output_soft, which is " + soft + " unless it is set");
    }
  }

  const ConfigSources& sources_;
  LoadedConfig loaded_;
  Findings findings_;
  ListenerReader listeners_{loaded_.config.listen, findings_};
};

std::optional<std::string> find_file(const ConfigSources& sources) {
  if (sources.file) return sources.file;
  if (auto path = sources.environment("CHATD_CONFIG"); path && !path->empty()) return path;
  struct stat status {};
  if (::stat(sources.default_file.c_str(), &status) == 0) return sources.default_file;
  // A file that is there and cannot be looked at is not passed over in silence.
  if (errno != ENOENT && errno != ENOTDIR) return sources.default_file;
  return std::nullopt;
}

}  // namespace

std::string ConfigFile::write() const {
  return path + '\0' + text;  // a path has no NUL
}

std::optional<ConfigFile> ConfigFile::read(std::string_view bytes) {
  const auto end = bytes.find('\0');
  if (end == std::string_view::npos) return {};
  return ConfigFile{std::string{bytes.substr(0, end)}, std::string{bytes.substr(end + 1)}};
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<LoadedConfig, Faults> load_config(const ConfigSources& sources) {
  return Loader{sources}.load(read_config_file(sources));
}

Result<LoadedConfig, Faults> load_config(const ConfigSources& sources, const ConfigFile& file) {
  return Loader{sources}.load(file);
}

Result<ConfigFile, Fault> read_config_file(const ConfigSources& sources) {
  const auto path = find_file(sources);
  if (!path) return ConfigFile{};
  auto text = read_toml_text(*path);
  if (!text) return std::move(text.error());
  return ConfigFile{*path, std::move(*text)};
}

}  // namespace chatd
