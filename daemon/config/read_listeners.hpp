/// The listeners of a configuration: [[listen]] with its certificates, or the places that a flag
/// or a variable names instead; and what is wrong between several of their values.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/findings.hpp"
#include "config/toml_document.hpp"
#include "io/endpoint.hpp"

namespace chatd {

/// Each one is compared with all the others, and each one holds a descriptor.
inline constexpr std::size_t kMaxListeners = 256;

/// Fills the listeners of one Config; all that it is given must outlive it.
class ListenerReader {
 public:
  ListenerReader(std::vector<Listener>& listeners, Findings& findings)
      : listeners_{listeners}, findings_{findings} {}

  /// `node` is `listen`, whatever it is.
  void read(const TomlNode& node);
  /// In place of all that were read: listeners at these endpoints, with the defaults of all else.
  void replace(const std::vector<io::Endpoint>& endpoints, const Place& place);
  /// Finds those that cannot be listened on together, or beside the operators' socket.
  void check_together(const std::string& control_path);

 private:
  struct Read {
    Place place;
    bool good;  ///< its values are what was written
  };

  void read_listener(const TomlNode& table);
  void read_certificates(const TomlNode& node, const std::string& prefix, Listener& listener);
  void check_keys(const TomlNode& table, const Listener& listener);
  void check_web(const TomlNode& table, const Listener& listener);
  void check_tls(const TomlNode& table, const Listener& listener);
  void check_proxies(const TomlNode& table, const Listener& listener);

  std::vector<Listener>& listeners_;
  Findings& findings_;
  std::vector<Read> read_;  ///< of each listener that was set, as listeners_
};

}  // namespace chatd
