#include "process/make_certificate.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/default_port.hpp"
#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "config/fault.hpp"
#include "tls/self_signed.hpp"

namespace chatd {

namespace {

/// A file that was not there before, and goes again unless it is kept.
class NewFile {
 public:
  static Result<NewFile> make(std::string path, mode_t mode) {
    UniqueFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!file && errno == EEXIST) {
      return Error{path + ": it is there already, and is not overwritten", EEXIST};
    }
    if (!file) return Error::from_errno(path, errno);
    return NewFile{std::move(path), std::move(file)};
  }
  NewFile(NewFile&& other) noexcept
      : path_{std::exchange(other.path_, {})}, file_{std::move(other.file_)} {}
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  [[nodiscard]] Result<> write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(file_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Error::from_errno(path_, errno);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file_.get()) != 0) return Error::from_errno(path_, errno);
    return {};
  }
  void keep() { path_.clear(); }

 private:
  NewFile(std::string path, UniqueFd file) : path_{std::move(path)}, file_{std::move(file)} {}

  std::string path_;  // empty: not ours to remove
  UniqueFd file_;
};

std::string file_name_of(std::string host) {
  std::replace(host.begin(), host.end(), ':', '_');
  return host;
}

bool is_ipv6(const std::string& host) {
  return host.find(':') != std::string::npos;
}

bool is_ipv4(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

/// Where a server of these hosts listens: on this machine alone, if none of them leads elsewhere.
std::string_view listening_address(const std::vector<std::string>& hosts) {
  const bool ipv6 = is_ipv6(hosts.front());
  const bool here = std::all_of(hosts.begin(), hosts.end(), [](const std::string& host) {
    return host == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
  });
  if (here) return ipv6 ? "::1" : "127.0.0.1";
  return ipv6 ? "::" : "0.0.0.0";
}

std::string place_of(const std::string& host) {
  return (is_ipv6(host) ? "[" + host + "]" : host) + ":" + std::to_string(kDefaultPort);
}

/// A string of JSON is one of TOML, too.
std::string toml_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string listed_hosts(const std::vector<std::string>& hosts) {
  std::string list;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) list += i + 1 == hosts.size() ? " and " : ", ";
    list += hosts[i];
  }
  return list;
}

struct Paths {
  std::string key;
  std::string certificate;
};

std::string what_to_do(const std::vector<std::string>& hosts, const Paths& paths,
                       const tls::SelfSigned& made) {
  const std::string& host = hosts.front();
  const std::string file = file_name_of(host) + ".pem";
  const std::string place = place_of(host);
  const auto until = rfc3339(made.not_after);
  const std::string kind = is_ipv6(host) || is_ipv4(host) ? "ip " : "hostname ";
  std::string text = "# A certificate for " + listed_hosts(hosts) + ", good until " +
                     std::string{until.data(), 10} + ".\n";
  text += "# Only you can read its key; chatd has to be able to, too. In chatd.toml:\n";
  text += "[[listen]]\naddress = " + toml_string(listening_address(hosts));
  text += "\nport = " + std::to_string(kDefaultPort);
  text += "\ntls_certificate = " + toml_string(paths.certificate);
  text += "\ntls_key = " + toml_string(paths.key) + "\n\n";
  text += "# It signed itself: clients that have " + file + ", which is no secret, know by it\n";
  text += "# whom they talk to:\n";
  text += "#   chatctl talk --ca " + file + " tls:" + place + "\n";
  text += "#   curl --cacert " + file + " https://" + place + "/\n";
  text += "#   openssl s_client -quiet -verify_return_error -CAfile " + file + " -verify_" + kind +
          host + " -connect " + place + "\n";
  text += "# A browser asks whether to go on; this is what it has to show as SHA-256:\n";
  return text + "#   " + made.fingerprint + "\n";
}

}  // namespace

Result<std::vector<std::string>> hosts_of_certificate(const std::vector<std::string>& written) {
  std::vector<std::string> hosts;
  for (const std::string& each : written) {
    const bool in_brackets = each.starts_with('[') && each.ends_with(']') && is_ipv6(each);
    std::string host = in_brackets ? each.substr(1, each.size() - 2) : each;
    if (auto why = tls::fault_of_host(host); !why.empty()) {
      return Error{"--make-certificate: " + in_quotes(each) + " " + std::move(why)};
    }
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) {
      hosts.push_back(std::move(host));
    }
  }
  return hosts;
}

Result<std::string> make_certificate(const std::vector<std::string>& hosts,
                                     const std::string& folder, WallTime now) {
  std::error_code error;
  const auto whole = std::filesystem::canonical(folder.empty() ? "." : folder, error);
  if (error) {
    return Error::from_errno(folder.empty() ? "the current folder" : folder, error.value());
  }
  const std::string path = (whole / file_name_of(hosts.front())).string();
  const Paths paths{path + ".key", path + ".pem"};
  auto key = NewFile::make(paths.key, 0600);
  if (!key) return std::move(key.error());
  auto certificate = NewFile::make(paths.certificate, 0644);
  if (!certificate) return std::move(certificate.error());
  const auto made = tls::make_self_signed(hosts, now);
  if (auto written = key->write(made.key.view()); !written) return std::move(written.error());
  if (auto written = certificate->write(made.certificate); !written) {
    return std::move(written.error());
  }
  key->keep();
  certificate->keep();
  return what_to_do(hosts, paths, made);
}

}  // namespace chatd
