#include "config/config.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string_view>
#include <utility>

#include "config/keys.hpp"
#include "config/values.hpp"

namespace chatd {

namespace {

/// The lines of one section, with their comments below one another.
class SectionLines {
 public:
  explicit SectionLines(const Origins& origins) : origins_{origins} {}

  void add(const KeyRule& rule, const ConfigValue& value, const std::string& path) {
    add(std::string{rule.name} + " = " + to_toml(rule, value), path);
  }
  void add(std::string line, const std::string& path) {
    const auto origin = origins_.find(path);
    lines_.emplace_back(std::move(line), origin == origins_.end() ? "default" : origin->second);
    // One long text does not push all comments out of sight.
    if (const std::size_t size = lines_.back().first.size(); size <= kWidest) {
      width_ = std::max(width_, size);
    }
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& [line, origin] : lines_) {
      out += line + std::string(width_ - std::min(width_, line.size()), ' ');
      out += "  # " + origin + '\n';
    }
    return out;
  }

 private:
  static constexpr std::size_t kWidest = 40;

  const Origins& origins_;
  std::vector<std::pair<std::string, std::string>> lines_;
  std::size_t width_ = 0;
};

/// Those of listener `index` but the first, which its own keys have.
std::string print_certificates(const Listener& listener, std::size_t index,
                               const Origins& origins) {
  std::string out;
  const std::string prefix = "listen." + std::to_string(index) + ".certificate.";
  for (std::size_t i = 1; i < listener.tls.pairs.size(); ++i) {
    SectionLines lines{origins};
    for (const auto& key : certificate_keys()) {
      lines.add(key, key.get(listener.tls.pairs[i]),
                prefix + std::to_string(i - 1) + '.' + std::string{key.name});
    }
    out += "\n[[listen.certificate]]\n" + lines.text();
  }
  return out;
}

std::string print_web_texts(const Config::Web& web, const Origins& origins) {
  std::string out;
  for (const auto& [language, texts] : web.texts) {
    const std::string section = "web.texts." + language;
    SectionLines lines{origins};
    for (const auto& [name, text] : texts) {
      lines.add(name + " = " + to_toml(text), section + '.' + name);
    }
    out += "\n[" + section + "]\n" + lines.text();
  }
  return out;
}

}  // namespace

core::Settings core_settings(const Config& config) {
  core::Settings settings;
  settings.greeting = config.session.greeting;
  settings.farewell = config.session.farewell;
  settings.max_message = config.session.max_message;
  settings.settle = config.session.settle;
  settings.original_hold = config.session.original_hold;
  settings.bye_grace = config.session.bye_grace;
  settings.answer_timeout = config.session.answer_timeout;
  settings.idle_timeout = config.session.idle_timeout;
  settings.messages_per_second = config.limits.messages_per_second;
  settings.messages_burst = static_cast<double>(config.limits.messages_burst);
  settings.output_hard = config.limits.output_hard;
  return settings;
}

io::StreamLimits stream_limits(const Config& config) {
  const std::size_t soft = config.limits.output_soft == 0 ? std::numeric_limits<std::size_t>::max()
                                                          : config.limits.output_soft;
  // Halfway down: resuming at the limit itself would stop again with the next message.
  return {.high_bytes = soft, .low_bytes = soft / 2, .hard_bytes = config.limits.output_hard};
}

std::string print_config(const Config& config, const Origins& origins) {
  std::string out = "# The configuration in force, and where each value comes from.\n";
  for (std::size_t i = 0; i < config.listen.size(); ++i) {
    const Listener& listener = config.listen[i];
    SectionLines lines{origins};
    for (const auto& key : listener_keys()) {
      // A unix socket has no port, and one is refused when this is loaded.
      if (key.name == "port" && listener.endpoint.is_unix()) continue;
      lines.add(key, key.get(listener),
                "listen." + std::to_string(i) + '.' + std::string{key.name});
    }
    out += "\n[[listen]]\n" + lines.text() + print_certificates(listener, i, origins);
  }
  for (const std::string_view section : section_names()) {
    if (section == "listen") continue;
    SectionLines lines{origins};
    for (const auto& key : config_keys()) {
      if (key.section == section) lines.add(key, key.get(config), key.path());
    }
    if (const auto* table = find_table(section)) {
      for (const auto& [key, text] : config.*table->texts) {
        const bool bare = table->key_is_bare;
        lines.add((bare ? key : to_toml(key)) + " = " + to_toml(text),
                  std::string{section} + '.' + key);
      }
    }
    out += "\n[" + std::string{section} + "]\n" + lines.text();
    if (section == "web") out += print_web_texts(config.web, origins);
  }
  return out;
}

ConfigChange diff(const Config& running, const Config& loaded) {
  ConfigChange change;
  // Their order means nothing.
  if (!std::is_permutation(running.listen.begin(), running.listen.end(), loaded.listen.begin(),
                           loaded.listen.end())) {
    change.changed.emplace_back("listen");
  }
  for (const auto& key : config_keys()) {
    if (key.get(running) == key.get(loaded)) continue;
    (key.reloadable ? change.changed : change.needs_restart).push_back(key.path());
  }
  if (running.web.texts != loaded.web.texts) change.changed.emplace_back("web.texts");
  for (const auto& table : config_tables()) {
    if (running.*table.texts != loaded.*table.texts) change.changed.emplace_back(table.section);
  }
  return change;
}

Config after_reload(const Config& running, const Config& loaded) {
  Config config = loaded;
  for (const auto& key : config_keys()) {
    if (!key.reloadable) key.set(config, key.get(running));
  }
  assert(diff(running, config).needs_restart.empty());
  return config;
}

}  // namespace chatd
