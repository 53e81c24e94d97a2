/// A client and a channel that talk to each other, and the credentials that they do it with.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/tls_client.hpp"
#include "tls/channel.hpp"
#include "tls/credentials.hpp"
#include "tls/ticket_keys.hpp"

namespace chatd::test {

inline WallTime wall_clock() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// Files of credentials in a folder of their own.
class CredentialFolder {
 public:
  CredentialFolder& with(const Issued& issued, const std::string& chain = {}) {
    const auto name = folder_ / ("certificate" + std::to_string(files_.certificates.size()));
    files_.certificates.push_back({make_file(name + ".pem", 0644, issued.certificate() + chain),
                                   make_file(name + ".key", 0600, issued.key_text())});
    return *this;
  }
  CredentialFolder& with_authority(const std::string& certificates) {
    files_.client_ca = make_file(folder_ / "ca.pem", 0644, certificates);
    return *this;
  }
  CredentialFolder& with_tls12() {
    files_.minimum = tls::Version::kTls12;
    return *this;
  }

  tls::CredentialFiles& files() { return files_; }
  [[nodiscard]] const Folder& folder() const { return folder_; }

  [[nodiscard]] std::shared_ptr<const tls::Credentials> load(
      const tls::TicketKeys& tickets = tls::TicketKeys{}) const {
    auto loaded = tls::Credentials::load(files_, wall_clock(), tickets);
    if (!loaded) FAIL(loaded.error().message);
    return *loaded;
  }
  /// What is wrong, without the folder's name.
  [[nodiscard]] std::string fault(WallTime now = wall_clock()) const {
    auto loaded = tls::Credentials::load(files_, now, tls::TicketKeys{});
    if (loaded) return "nothing";
    auto message = loaded.error().message;
    for (std::size_t at = 0; (at = message.find(folder_.path() + "/")) != std::string::npos;) {
      message.erase(at, folder_.path().size() + 1);
    }
    return message;
  }

 private:
  Folder folder_;
  tls::CredentialFiles files_;
};

class TlsPair {
 public:
  explicit TlsPair(std::shared_ptr<const tls::Credentials> credentials,
                   const TlsClient::Options& options = {})
      : client{options}, channel{std::move(credentials)} {}

  /// Lets both talk until neither has anything to say, `step` bytes at a time.
  void talk(std::string from_client = {}, std::size_t step = SIZE_MAX) {
    from_client += client.receive({});
    while (!from_client.empty()) {
      std::string from_channel = std::exchange(waiting, {});
      for (std::string_view rest = from_client; !rest.empty();) {
        channel.receive(rest.substr(0, step), text, from_channel);
        rest.remove_prefix(std::min(step, rest.size()));
      }
      from_client.clear();
      for (std::string_view rest = from_channel; !rest.empty();) {
        from_client += client.receive(rest.substr(0, step));
        rest.remove_prefix(std::min(step, rest.size()));
      }
    }
  }
  /// What the client hears when the channel sends that.
  std::string heard(std::string_view said) {
    std::string bytes = std::exchange(waiting, {});
    channel.send(said, bytes);
    talk(client.receive(bytes));
    return client.heard();
  }
  /// What the channel hears when the client says that.
  std::string said(std::string_view what) {
    talk(client.say(what));
    return std::exchange(text, {});
  }
  /// The next process goes on with what this one wrote down.
  void hand_over() {
    REQUIRE(channel.is_saveable());
    ByteWriter out;
    channel.save(out);
    ByteReader in{out.bytes()};
    auto next = tls::Channel::restore(in);
    REQUIRE(next);
    REQUIRE(in.finished());
    channel = std::move(*next);
  }

  TlsClient client;
  tls::Channel channel;
  std::string text;
  std::string waiting;  ///< of the channel, not yet with the client
};

}  // namespace chatd::test
