#include "config/load.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "base/nearest.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "config/checks.hpp"
#include "config/keys.hpp"
#include "config/listen_places.hpp"
#include "config/toml_document.hpp"
#include "config/units.hpp"
#include "config/values.hpp"

namespace chatd {

namespace {

/// Each one is compared with all the others, and each one holds a descriptor.
constexpr std::size_t kMaxListeners = 256;

constexpr std::string_view kEnvironment = "environment";

/// What a Config promises: nobody downstream checks it again.
bool is_consistent(const Config& config) {
  for (auto mine = config.listen.begin(); mine != config.listen.end(); ++mine) {
    if (std::any_of(config.listen.begin(), mine, [&](const Listener& other) {
          return conflict(mine->endpoint, other.endpoint);
        })) {
      return false;
    }
  }
  return !config.listen.empty() && config.limits.output_soft <= config.limits.output_hard &&
         (config.log.target != LogTarget::kFile || !config.log.file.empty());
}

class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_{sources} {}

  Result<LoadedConfig, Faults> load(Result<ConfigFile, Fault> file) {
    read_file(std::move(file));
    read_environment();
    if (!sources_.listen.empty()) {
      replace_listeners(sources_.listen, {"flag --listen", "--listen", {}, {}});
    }
    check_together();
    if (!faults_.empty()) {
      std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
        return std::pair{a.source == kEnvironment, a.where} <
               std::pair{b.source == kEnvironment, b.where};
      });
      return std::move(faults_);
    }
    assert(is_consistent(loaded_.config));
    for (const auto& [path, place] : places_) loaded_.origins[path] = place.origin;
    return std::move(loaded_);
  }

 private:
  /// Where a value was set, for its origin and for faults that concern several.
  struct Place {
    std::string origin;
    std::string source;
    Position where;
    std::string name;  ///< as Fault::key
  };

  void add_fault(Position where, std::string key, std::string what) {
    faults_.push_back({loaded_.file, where, std::move(key), std::move(what)});
  }
  void add_fault(const Place& place, std::string what) {
    faults_.push_back({place.source, place.where, place.name, std::move(what)});
  }
  Place in_file(Position where, std::string name) const {
    return {escaped(loaded_.file) + ':' + std::to_string(where.line), loaded_.file, where,
            std::move(name)};
  }

  void read_file(Result<ConfigFile, Fault> file) {
    if (!file) {
      loaded_.file = file.error().source;
      faults_.push_back(file.error());
      return;
    }
    if (file->path.empty()) return;
    loaded_.file = file->path;
    auto document = parse_toml(file->text, file->path);
    if (!document) {
      faults_.push_back(document.error());
      return;
    }
    for (const TomlNode& node : document->items) read_section(node);
  }

  void read_section(const TomlNode& node) {
    const auto sections = section_names();
    if (std::find(sections.begin(), sections.end(), node.name) == sections.end()) {
      unknown_section(node);
    } else if (node.name == "listen") {
      read_listeners(node);
    } else if (const auto* table = find_table(node.name);
               table != nullptr && node.type == TomlNode::Type::kTable) {
      read_table(*table, node);
    } else if (node.type == TomlNode::Type::kTable) {
      for (const TomlNode& member : node.items) read_key(node.name, member);
    } else if (node.type == TomlNode::Type::kArray) {
      add_fault(node.key, node.name,
                "is one section, not a list; [" + node.name + "] would be right");
    } else {
      add_fault(node.key, node.name,
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
    add_fault(node.key, shown_name(node.name), std::move(what));
  }

  static std::string shown_name(std::string_view name) {
    const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    });
    return bare && name.size() <= 60 ? std::string{name} : in_quotes(name);
  }

  /// "session.settle" for "settle"; empty if no section has such a key, or several.
  static std::string home_of(std::string_view name) {
    std::string home;
    const auto look_at = [&](const KeyRule& rule) {
      if (rule.name != name) return;
      home = home.empty() ? rule.path() : "several";
    };
    for (const auto& key : config_keys()) look_at(key);
    for (const auto& key : listener_keys()) look_at(key);
    return home == "several" ? std::string{} : home;
  }

  void unknown_key(std::string_view section, const TomlNode& member,
                   std::span<const std::string_view> siblings) {
    std::string what = "unknown key";
    if (const auto near = nearest(member.name, siblings); !near.empty()) {
      what += "; did you mean " + std::string{near} + "?";
    } else if (const std::string home = home_of(member.name); !home.empty()) {
      what += "; " + home + " would be right";
    }
    add_fault(member.key, std::string{section} + '.' + shown_name(member.name), std::move(what));
  }

  void read_key(std::string_view section, const TomlNode& member) {
    std::vector<std::string_view> siblings;
    for (const auto& key : config_keys()) {
      if (key.section != section) continue;
      siblings.push_back(key.name);
      if (key.name != member.name) continue;
      if (auto value = read_value(key, member)) {
        key.set(loaded_.config, std::move(*value));
        places_[key.path()] = in_file(member.value, key.path());
      } else {
        add_fault(member.value, key.path(), std::move(value.error().message));
        faulty_.insert(key.path());
      }
      return;
    }
    unknown_key(section, member, siblings);
  }

  void read_table(const ConfigTable& table, const TomlNode& node) {
    // Each is what a KeyRule would say of a text.
    const KeyRule rule{.section = table.section, .check = table.check};
    auto& texts = loaded_.config.*table.texts;
    std::map<std::string, int> lines;
    for (const TomlNode& member : node.items) {
      if (member.type == TomlNode::Type::kTable) {  // of 192.0.2.7 = "lab" this is 192
        add_fault(member.key, std::string{table.section} + '.' + shown_name(member.name),
                  "this is a table; a key with a dot in it belongs in quotation marks");
        continue;
      }
      auto key = table.key(member.name);
      if (!key) {
        add_fault(member.key, std::string{table.section}, std::move(key.error().message));
        continue;
      }
      const std::string path = std::string{table.section} + '.' + *key;
      const std::string shown = std::string{table.section} + '.' + shown_name(member.name);
      auto value = read_value(rule, member);
      if (!value) {
        add_fault(member.value, shown, std::move(value.error().message));
      } else if (const auto [first, is_new] = lines.emplace(*key, member.key.line); !is_new) {
        add_fault(member.key, shown,
                  "is what line " + std::to_string(first->second) + " names already");
      } else if (texts.size() == table.most) {
        add_fault(member.key, std::string{table.section},
                  "more than " + std::to_string(table.most) + " keys");
        return;
      } else {
        texts[*key] = std::get<std::string>(std::move(*value));
        places_[path] = in_file(member.value, path);
      }
    }
  }

  void read_listeners(const TomlNode& node) {
    constexpr std::string_view kRight = "; [[listen]] in two brackets would be right";
    if (node.type != TomlNode::Type::kArray) {
      add_fault(
          node.key, "listen",
          "is a list of listeners, not " + std::string{node.type_name()} + std::string{kRight});
      return;
    }
    if (node.items.empty()) {
      add_fault(node.value, "listen",
                "an empty list would let nobody in; without this key there is one listener on " +
                    Listener{}.endpoint.to_string());
      return;
    }
    if (node.items.size() > kMaxListeners) {
      add_fault(node.items[kMaxListeners].value, "listen",
                "more than " + std::to_string(kMaxListeners) + " listeners");
      return;
    }
    loaded_.config.listen.clear();
    for (const TomlNode& item : node.items) {
      if (item.type == TomlNode::Type::kTable) {
        read_listener(item);
      } else {
        add_fault(
            item.value, "listen",
            "each listener is a table, not " + std::string{item.type_name()} + std::string{kRight});
      }
    }
  }

  void read_listener(const TomlNode& table) {
    Listener listener;
    bool good = true;
    const std::string prefix = "listen." + std::to_string(loaded_.config.listen.size()) + '.';
    const auto keys = listener_keys();
    for (const TomlNode& member : table.items) {
      const auto key = std::find_if(keys.begin(), keys.end(),
                                    [&](const auto& one) { return one.name == member.name; });
      if (key == keys.end()) {
        std::vector<std::string_view> siblings;
        for (const auto& one : keys) siblings.push_back(one.name);
        unknown_key("listen", member, siblings);
      } else if (auto value = read_value(*key, member)) {
        key->set(listener, std::move(*value));
        places_[prefix + member.name] = in_file(member.value, key->path());
      } else {
        add_fault(member.value, key->path(), std::move(value.error().message));
        good = false;
      }
    }
    if (listener.endpoint.is_unix()) {
      listener.endpoint.port = 0;
      if (const TomlNode* port = table.find("port")) {
        add_fault(port->key, "listen.port", "a unix socket has no port; leave this out");
      }
    }
    listener.endpoint = canonical(listener.endpoint);
    loaded_.config.listen.push_back(std::move(listener));
    listeners_.push_back({in_file(table.value, "listen"), good});
  }

  void read_environment() {
    for (const auto& key : config_keys()) {
      const std::string name = key.variable();
      const auto text = sources_.environment(name);
      if (!text) continue;
      const Place place{"environment " + name, std::string{kEnvironment}, {}, name};
      if (auto value = read_value(key, *text)) {
        key.set(loaded_.config, std::move(*value));
        places_[key.path()] = place;
      } else {
        add_fault(place, std::move(value.error().message));
        faulty_.insert(key.path());
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
        add_fault(place, std::move(places.error().message));
      }
      if (comma == text.size()) break;
      text.remove_prefix(comma + 1);
    }
    if (endpoints.size() > kMaxListeners) {
      add_fault(place, "more than " + std::to_string(kMaxListeners) + " listeners");
      return;
    }
    replace_listeners(endpoints, place);
  }

  void replace_listeners(const std::vector<io::Endpoint>& endpoints, const Place& place) {
    std::erase_if(places_, [](const auto& entry) { return entry.first.starts_with("listen."); });
    loaded_.config.listen.clear();
    listeners_.clear();
    for (const io::Endpoint& endpoint : endpoints) {
      const std::string prefix = "listen." + std::to_string(loaded_.config.listen.size()) + '.';
      places_[prefix + "address"] = place;
      places_[prefix + "port"] = place;
      loaded_.config.listen.push_back({.endpoint = canonical(endpoint)});
      listeners_.push_back({place, true});
    }
  }

  /// Finds the faults that no single value can be blamed for, among values that are right
  /// in themselves.
  void check_together() {
    check_output();
    const Config::Log& log = loaded_.config.log;
    if (log.target == LogTarget::kFile && log.file.empty() && !faulty_.contains("log.file")) {
      add_fault(places_.at("log.target"), "\"file\" needs log.file, the path of that file");
    }
    check_listeners();
  }

  void check_output() {
    const Config::Limits& limits = loaded_.config.limits;
    if (limits.output_soft <= limits.output_hard || faulty_.contains("limits.output_soft") ||
        faulty_.contains("limits.output_hard")) {
      return;
    }
    const std::string soft = in_quotes(format_size(limits.output_soft));
    const std::string hard = in_quotes(format_size(limits.output_hard));
    if (const auto place = places_.find("limits.output_soft"); place != places_.end()) {
      add_fault(place->second, soft + " is above output_hard, which is " + hard);
    } else {
      add_fault(places_.at("limits.output_hard"),
                hard + " is below output_soft, which is " + soft + " unless it is set");
    }
  }

  void check_listeners() {
    const auto& listeners = loaded_.config.listen;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (!listeners_[i].good) continue;
      const io::Endpoint& mine = listeners[i].endpoint;
      if (mine.address == "unix:" + loaded_.config.control.path) {
        add_fault(listeners_[i].place,
                  in_quotes(mine.address) + " is the operators' socket (control.path)");
      }
      for (std::size_t k = 0; k < i; ++k) {
        const io::Endpoint& other = listeners[k].endpoint;
        if (!listeners_[k].good || !conflict(mine, other)) continue;
        std::string what = in_quotes(mine.to_string());
        if (mine != other) what += " overlaps " + in_quotes(other.to_string()) + ", which";
        what += " is listened on already";
        if (const int line = listeners_[k].place.where.line; line > 0) {
          what += ", by line " + std::to_string(line);
        }
        add_fault(listeners_[i].place, std::move(what));
        break;
      }
    }
  }

  struct ListenerPlace {
    Place place;
    bool good;  ///< address and port are what was written
  };

  const ConfigSources& sources_;
  LoadedConfig loaded_;
  std::map<std::string, Place> places_;   ///< of each key that was set
  std::vector<ListenerPlace> listeners_;  ///< of each listener that was set, as config.listen
  std::set<std::string> faulty_;          ///< keys whose values could not be read
  Faults faults_;
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
