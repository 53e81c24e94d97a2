/// A wire through NATS servers, by libnats: the whole of chatd-cluster.so.
///
/// What the library does that is not obvious: publishing blocks while the kernel takes nothing
/// (a server that stands still), for kWriteDeadline at most; where there is no connection it fails
/// at once, because nothing is kept for later (reconnect buffer 0).
#include <nats/nats.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/wire.hpp"

namespace chatd::cluster {

namespace {

using std::chrono::milliseconds;

// What a connection may take until it is given up, and how soon another is tried for.
constexpr milliseconds kConnectTimeout{2000};
constexpr milliseconds kPing{1000};
constexpr int kPingsOut = 2;
constexpr milliseconds kReconnectWait{250};
constexpr milliseconds kWriteDeadline{1000};
// What waits for the listener; beyond it messages are lost, which is found out.
constexpr int kMostMessages = 4096;
constexpr int kMostBytes = 64 * 1024 * 1024;

template <class T, void (*kDestroy)(T*)>
struct Destroy {
  void operator()(T* value) const { kDestroy(value); }
};
using Options = std::unique_ptr<natsOptions, Destroy<natsOptions, natsOptions_Destroy>>;
using Connection = std::unique_ptr<natsConnection, Destroy<natsConnection, natsConnection_Destroy>>;
using Subscription =
    std::unique_ptr<natsSubscription, Destroy<natsSubscription, natsSubscription_Destroy>>;
using Message = std::unique_ptr<natsMsg, Destroy<natsMsg, natsMsg_Destroy>>;

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string{} : std::string{text};
}

class NatsWire final : public Wire {
 public:
  explicit NatsWire(WireListener& listener) : listener_{listener} {}

  ~NatsWire() override {
    subscriptions_.clear();
    if (connection_) natsConnection_Close(connection_.get());
    connection_.reset();
    options_.reset();
    // Its threads must not outlive the library.
    if (opened_) nats_CloseAndWait(0);
  }

  NatsWire(const NatsWire&) = delete;
  NatsWire& operator=(const NatsWire&) = delete;

  /// What is wrong; empty: nothing.
  std::string open(const WireOptions& options) {
    if (const auto status = nats_Open(-1); status != NATS_OK) return say("start", status);
    opened_ = true;
    if (auto fault = set(options); !fault.empty()) return fault;
    natsConnection* connection = nullptr;
    const auto status = natsConnection_Connect(&connection, options_.get());
    connection_.reset(connection);
    if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED) return say("connect", status);
    for (const auto& subject : options.subjects) {
      if (auto fault = subscribe(subject); !fault.empty()) return fault;
    }
    if (status == NATS_OK) {
      up(connection_.get());
    } else {
      listener_.on_down("no server answers");
    }
    return {};
  }

  bool publish(const std::string& subject, const std::string& reply,
               std::string_view bytes) override {
    const auto size = static_cast<int>(bytes.size());
    const auto status =
        reply.empty()
            ? natsConnection_Publish(connection_.get(), subject.c_str(), bytes.data(), size)
            : natsConnection_PublishRequest(connection_.get(), subject.c_str(), reply.c_str(),
                                            bytes.data(), size);
    return status == NATS_OK;
  }

 private:
  static std::string say(const std::string& attempt, natsStatus status) {
    auto text = attempt + ": " + natsStatus_GetText(status);
    // Of this thread; it says more, where it is about what was just done.
    natsStatus last{};
    if (const char* more = nats_GetLastError(&last); more != nullptr && last == status) {
      text += std::string{" ("} + more + ')';
    }
    return text;
  }

  std::string set(const WireOptions& options) {
    natsOptions* made = nullptr;
    auto status = natsOptions_Create(&made);
    options_.reset(made);
    if (status != NATS_OK) return say("start", status);
    std::vector<const char*> servers;
    for (const auto& server : options.servers) servers.push_back(server.c_str());
    const auto check = [&](natsStatus next) {
      if (status == NATS_OK) status = next;
    };
    check(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())));
    check(natsOptions_SetName(made, options.name.c_str()));
    check(natsOptions_SetTimeout(made, kConnectTimeout.count()));
    check(natsOptions_SetPingInterval(made, kPing.count()));
    check(natsOptions_SetMaxPingsOut(made, kPingsOut));
    check(natsOptions_SetMaxReconnect(made, -1));
    check(natsOptions_SetReconnectWait(made, kReconnectWait.count()));
    check(natsOptions_SetReconnectJitter(made, kReconnectWait.count() / 2,
                                         kReconnectWait.count() / 2));
    check(natsOptions_SetReconnectBufSize(made, 0));
    check(natsOptions_SetWriteDeadline(made, kWriteDeadline.count()));
    check(natsOptions_SetSendAsap(made, true));
    check(natsOptions_SetNoEcho(made, true));
    check(natsOptions_SetRetryOnFailedConnect(made, true, on_connected, this));
    check(natsOptions_SetReconnectedCB(made, on_connected, this));
    check(natsOptions_SetDisconnectedCB(made, on_disconnected, this));
    if (status != NATS_OK) return say("set its options", status);
    return set_secrets(options);
  }

  std::string set_secrets(const WireOptions& options) {
    auto* made = options_.get();
    if (!options.credentials.empty()) {
      const auto status =
          natsOptions_SetUserCredentialsFromFiles(made, options.credentials.c_str(), nullptr);
      if (status != NATS_OK) return say(options.credentials, status);
    }
    if (!options.user.empty()) {
      const auto status =
          natsOptions_SetUserInfo(made, options.user.c_str(), options.password.c_str());
      if (status != NATS_OK) return say("set its user", status);
    }
    if (!options.ca.empty()) {
      const auto status = natsOptions_LoadCATrustedCertificates(made, options.ca.c_str());
      if (status != NATS_OK) return say(options.ca, status);
    }
    if (!options.certificate.empty()) {
      const auto status =
          natsOptions_LoadCertificatesChain(made, options.certificate.c_str(), options.key.c_str());
      if (status != NATS_OK) return say(options.certificate, status);
    }
    return {};
  }

  std::string subscribe(const std::string& subject) {
    natsSubscription* made = nullptr;
    auto status =
        natsConnection_Subscribe(&made, connection_.get(), subject.c_str(), on_message, this);
    Subscription subscription{made};
    if (status == NATS_OK) {
      status = natsSubscription_SetPendingLimits(made, kMostMessages, kMostBytes);
    }
    if (status != NATS_OK) return say("subscribe to " + subject, status);
    subscriptions_.push_back(std::move(subscription));
    return {};
  }

  void up(natsConnection* connection) {
    std::string server(256, '\0');
    if (natsConnection_GetConnectedUrl(connection, server.data(), server.size()) != NATS_OK) return;
    server.resize(server.find('\0'));
    listener_.on_up(server, static_cast<std::size_t>(natsConnection_GetMaxPayload(connection)));
  }

  // On threads of the library.

  static void on_message(natsConnection*, natsSubscription*, natsMsg* came, void* self) {
    const Message owned{came};
    WireMessage message;
    message.subject = text_or_empty(natsMsg_GetSubject(came));
    message.reply = text_or_empty(natsMsg_GetReply(came));
    message.nobody_there = natsMsg_IsNoResponders(came);
    if (const auto size = natsMsg_GetDataLength(came); size > 0) {
      message.bytes.assign(natsMsg_GetData(came), static_cast<std::size_t>(size));
    }
    static_cast<NatsWire*>(self)->listener_.on_message(std::move(message));
  }

  static void on_connected(natsConnection* connection, void* self) {
    static_cast<NatsWire*>(self)->up(connection);
  }

  static void on_disconnected(natsConnection* connection, void* self) {
    const char* why = nullptr;
    (void)natsConnection_GetLastError(connection, &why);
    static_cast<NatsWire*>(self)->listener_.on_down(
        why == nullptr || *why == '\0' ? "the connection has ended" : std::string{why});
  }

  WireListener& listener_;
  bool opened_ = false;
  Options options_;
  Connection connection_;
  std::vector<Subscription> subscriptions_;
};

}  // namespace

}  // namespace chatd::cluster

extern "C" {

__attribute__((visibility("default"))) extern const char chatd_wire_version[];
const char chatd_wire_version[] = CHATD_VERSION;

__attribute__((visibility("default"))) chatd::cluster::Wire* chatd_make_wire(
    const chatd::cluster::WireOptions& options, chatd::cluster::WireListener& listener,
    std::string& why) {
  auto wire = std::make_unique<chatd::cluster::NatsWire>(listener);
  why = wire->open(options);
  return why.empty() ? wire.release() : nullptr;
}
}
