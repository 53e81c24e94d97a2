#include "config/read_listeners.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "config/checks.hpp"
#include "config/fault.hpp"
#include "config/keys.hpp"
#include "config/spelled.hpp"
#include "config/values.hpp"

namespace chatd {

namespace {

constexpr std::string_view kCertificates = "certificate";

/// Reads one member of a table; false if its value cannot be read. `keys` are those of the table,
/// and `others` its further names.
template <class Owner>
bool read_member(std::span<const ConfigKey<Owner>> keys, std::span<const std::string_view> others,
                 const TomlNode& member, const std::string& prefix, Owner& owner,
                 Findings& findings) {
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const auto& one) { return one.name == member.name; });
  if (key == keys.end()) {
    std::vector<std::string_view> siblings{others.begin(), others.end()};
    for (const auto& one : keys) siblings.push_back(one.name);
    findings.unknown_key(keys.front().section, member, siblings);
    return true;
  }
  auto value = read_value(*key, member);
  if (!value) {
    findings.add(member.value, key->path(), std::move(value.error().message));
    return false;
  }
  key->set(owner, std::move(*value));
  findings.places[prefix + member.name] = findings.in_file(member.value, key->path());
  return true;
}

}  // namespace

void ListenerReader::read(const TomlNode& node) {
  constexpr std::string_view kRight = "; [[listen]] in two brackets would be right";
  if (node.type != TomlNode::Type::kArray) {
    findings_.add(
        node.key, "listen",
        "is a list of listeners, not " + std::string{node.type_name()} + std::string{kRight});
    return;
  }
  if (node.items.empty()) {
    findings_.add(node.value, "listen",
                  "an empty list would let nobody in; without this key there is one listener on " +
                      Listener{}.endpoint.to_string());
    return;
  }
  if (node.items.size() > kMaxListeners) {
    findings_.add(node.items[kMaxListeners].value, "listen",
                  "more than " + std::to_string(kMaxListeners) + " listeners");
    return;
  }
  listeners_.clear();
  for (const TomlNode& item : node.items) {
    if (item.type == TomlNode::Type::kTable) {
      read_listener(item);
    } else {
      findings_.add(
          item.value, "listen",
          "each listener is a table, not " + std::string{item.type_name()} + std::string{kRight});
    }
  }
}

void ListenerReader::read_listener(const TomlNode& table) {
  Listener listener;
  bool good = true;
  const std::string prefix = "listen." + std::to_string(listeners_.size()) + '.';
  const TomlNode* certificates = nullptr;
  for (const TomlNode& member : table.items) {
    if (member.name == kCertificates) {
      certificates = &member;
    } else if (!read_member(listener_keys(), {&kCertificates, 1}, member, prefix, listener,
                            findings_)) {
      good = false;
    }
  }
  if (table.find("web") == nullptr && listener.web != Listener::Web::kOnly) {
    listener.web = Listener::default_web(listener.dialect, listener.room);
  }
  if (good) check_keys(table, listener);
  // Behind those of the listener itself, which are the first wherever they stand.
  if (certificates != nullptr) read_certificates(*certificates, prefix, listener);
  if (listener.endpoint.is_unix()) {
    listener.endpoint.port = 0;
    if (const TomlNode* port = table.find("port")) {
      findings_.add(port->key, "listen.port", "a unix socket has no port; leave this out");
    }
  }
  listener.endpoint = canonical(listener.endpoint);
  listeners_.push_back(std::move(listener));
  read_.push_back({findings_.in_file(table.value, "listen"), good});
}

void ListenerReader::read_certificates(const TomlNode& node, const std::string& prefix,
                                       Listener& listener) {
  const auto keys = certificate_keys();
  const std::string path{keys.front().section};
  constexpr std::string_view kRight = "; [[listen.certificate]] in two brackets would be right";
  if (node.type != TomlNode::Type::kArray) {
    findings_.add(
        node.key, path,
        "is a list of certificates, not " + std::string{node.type_name()} + std::string{kRight});
    return;
  }
  if (node.items.size() > kMostCertificates) {
    findings_.add(node.items[kMostCertificates].value, path,
                  "more than " + std::to_string(kMostCertificates) + " certificates");
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const TomlNode& item = node.items[i];
    if (item.type != TomlNode::Type::kTable) {
      findings_.add(item.value, path,
                    "each certificate is a table, not " + std::string{item.type_name()} +
                        std::string{kRight});
      continue;
    }
    if (i == 0 && listener.tls.pairs.empty()) {
      findings_.add(item.value, path,
                    "needs listen.tls_certificate, for clients that ask for another name, or none");
      return;
    }
    Listener::Tls::Pair pair;
    bool good = true;
    const std::string inner = prefix + std::string{kCertificates} + '.' + std::to_string(i) + '.';
    for (const TomlNode& member : item.items) {
      good = read_member(keys, {}, member, inner, pair, findings_) && good;
    }
    for (const auto& key : keys) {
      if (!good || !std::get<std::string>(key.get(pair)).empty()) continue;
      findings_.add(item.value, path, "needs " + std::string{key.name} + ", the path of a file");
    }
    listener.tls.pairs.push_back(std::move(pair));
  }
}

void ListenerReader::check_keys(const TomlNode& table, const Listener& listener) {
  check_web(table, listener);
  check_tls(table, listener);
  check_proxies(table, listener);
}

void ListenerReader::check_web(const TomlNode& table, const Listener& listener) {
  const TomlNode* web = table.find("web");
  if (web == nullptr) return;
  if (!web->boolean && listener.web == Listener::Web::kOnly) {
    findings_.add(web->value, "listen.web",
                  "false leaves nothing of the dialect \"web\"; leave this out");
  } else if (web->boolean && listener.dialect != core::DialectSetting::kAuto) {
    findings_.add(web->value, "listen.web",
                  "true needs the dialect \"auto\"; " + in_quotes(table.find("dialect")->text) +
                      " understands no HTTP");
  }
}

void ListenerReader::check_tls(const TomlNode& table, const Listener& listener) {
  const auto need = [&](std::string_view name, std::string_view what) {
    const TomlNode* key = table.find(name);
    findings_.add(key->value, "listen." + std::string{name},
                  in_quotes(key->text) + " needs " + std::string{what});
  };
  const Listener::Tls& tls = listener.tls;
  if (tls.pairs.empty()) {
    if (!tls.client_ca.empty()) need("tls_client_ca", "listen.tls_certificate");
    if (tls.required) need("tls", "listen.tls_certificate");
  } else if (tls.pairs.front().certificate.empty()) {
    need("tls_key", "listen.tls_certificate, the path of what it is the key of");
  } else if (tls.pairs.front().key.empty()) {
    need("tls_certificate", "listen.tls_key, the path of its key");
  }
}

void ListenerReader::check_proxies(const TomlNode& table, const Listener& listener) {
  for (const io::Network& proxy : listener.proxy_from) {
    if ((proxy.kind() == io::Network::Kind::kUser) == listener.endpoint.is_unix()) continue;
    findings_.add(
        table.find("proxy_from")->value, "listen.proxy_from",
        in_quotes(spelled(proxy)) +
            (listener.endpoint.is_unix()
                 ? " does not come by a unix socket; \"unix\" or \"uid:1000\" would be right"
                 : " comes by a unix socket alone; an address would be right"));
    return;
  }
}

void ListenerReader::replace(const std::vector<io::Endpoint>& endpoints, const Place& place) {
  std::erase_if(findings_.places,
                [](const auto& entry) { return entry.first.starts_with("listen."); });
  listeners_.clear();
  read_.clear();
  for (const io::Endpoint& endpoint : endpoints) {
    const std::string prefix = "listen." + std::to_string(listeners_.size()) + '.';
    findings_.places[prefix + "address"] = place;
    findings_.places[prefix + "port"] = place;
    listeners_.push_back({.endpoint = canonical(endpoint)});
    read_.push_back({place, true});
  }
}

void ListenerReader::check_together(const std::string& control_path) {
  for (std::size_t i = 0; i < read_.size(); ++i) {
    if (!read_[i].good) continue;
    const io::Endpoint& mine = listeners_[i].endpoint;
    if (mine.address == "unix:" + control_path) {
      findings_.add(read_[i].place,
                    in_quotes(mine.address) + " is the operators' socket (control.path)");
    }
    for (std::size_t k = 0; k < i; ++k) {
      const io::Endpoint& other = listeners_[k].endpoint;
      if (!read_[k].good || !conflict(mine, other)) continue;
      std::string what = in_quotes(mine.to_string());
      if (mine != other) what += " overlaps " + in_quotes(other.to_string()) + ", which";
      what += " is listened on already";
      if (const int line = read_[k].place.where.line; line > 0) {
        what += ", by line " + std::to_string(line);
      }
      findings_.add(read_[i].place, std::move(what));
      break;
    }
  }
}

}  // namespace chatd
