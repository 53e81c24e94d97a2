#include "tls/channel.hpp"

#include <openssl/ssl.h>

#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "base/names.hpp"
#include "base/text.hpp"

namespace chatd::tls {

namespace {

template <class... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};
template <class... Calls>
Overloaded(Calls...) -> Overloaded<Calls...>;  // clang 14 does not know that by itself

using UniqueHandshake = std::unique_ptr<Handshake>;

Channel::State state_of(RecordLayer::State state) {
  switch (state) {
    case RecordLayer::State::kOpen:
      return Channel::State::kOpen;
    case RecordLayer::State::kEnded:
      return Channel::State::kEnded;
    case RecordLayer::State::kFailed:
      return Channel::State::kFailed;
  }
  return Channel::State::kFailed;
}

Channel::State state_of(Handshake::State state) {
  return state == Handshake::State::kFailed ? Channel::State::kFailed : Channel::State::kHandshake;
}

std::string failure_of(const RecordLayer& layer) {
  std::string words = "the client " + std::string{words_of(layer.fault())};
  if (layer.fault() != RecordFault::kAlert) return words;
  return words + " (" + SSL_alert_desc_string_long(layer.peer_alert()) + ")";
}

std::size_t heap_of(const std::string& text) {
  return text.capacity() > std::string{}.capacity() ? text.capacity() + 1 : 0;
}

}  // namespace

Channel::Channel(std::shared_ptr<const Credentials> credentials)
    : session_{std::make_unique<Handshake>(std::move(credentials))} {}
Channel::Channel(RecordLayer layer)
    : session_{std::move(layer)}, facts_{std::make_unique<PeerFacts>()} {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

Channel::State Channel::receive(std::string_view bytes, std::string& plaintext,
                                std::string& to_send) {
  return std::visit(
      Overloaded{[&](UniqueHandshake& handshake) {
                   if (handshake->state() != Handshake::State::kGoingOn) return state();
                   const auto now = handshake->receive(bytes, to_send);
                   if (now != Handshake::State::kEstablished) return state_of(now);
                   return establish(*std::exchange(handshake, nullptr), plaintext, to_send);
                 },
                 [&](auto& session) { return state_of(session.open(bytes, plaintext, to_send)); }},
      session_);
}

Channel::State Channel::establish(Handshake& done, std::string& plaintext, std::string& to_send) {
  facts_ = std::make_unique<PeerFacts>(done.facts());
  const auto rest = done.rest();
  if (facts_->version == Version::kTls13) {
    session_ = done.take_record_layer();
  } else {
    session_ = done.take_tls12();
  }
  return receive(rest, plaintext, to_send);
}

void Channel::send(std::string_view plaintext, std::string& to_send) {
  assert(can_send());
  std::visit(
      Overloaded{[](UniqueHandshake&) {}, [&](auto& session) { session.seal(plaintext, to_send); }},
      session_);
}

void Channel::close(std::string& to_send) {
  std::visit(Overloaded{[](UniqueHandshake&) {}, [&](auto& session) { session.close(to_send); }},
             session_);
}

Channel::State Channel::state() const {
  return std::visit(
      Overloaded{[](const UniqueHandshake& handshake) { return state_of(handshake->state()); },
                 [](const auto& session) { return state_of(session.state()); }},
      session_);
}

bool Channel::can_send() const {
  return std::visit(Overloaded{[](const UniqueHandshake&) { return false; },
                               [](const auto& session) { return session.can_seal(); }},
                    session_);
}

std::string Channel::failure() const {
  return std::visit(
      Overloaded{[](const UniqueHandshake& handshake) {
                   return "the TLS handshake failed: " + handshake->failure();
                 },
                 [](const RecordLayer& layer) { return failure_of(layer); },
                 [](const Tls12& session) { return "TLS failed: " + session.failure(); }},
      session_);
}

std::size_t Channel::memory() const {
  auto bytes = sizeof *this;
  if (facts_) {
    bytes += sizeof *facts_ + heap_of(facts_->server_name) + heap_of(facts_->client_name);
  }
  return bytes + std::visit(Overloaded{[](const UniqueHandshake& handshake) {
                                         return sizeof *handshake + handshake->memory();
                                       },
                                       [](const auto& session) { return session.memory(); }},
                            session_);
}

// ---- written down ----

bool Channel::is_saveable() const {
  const auto* layer = std::get_if<RecordLayer>(&session_);
  return layer != nullptr && layer->state() != RecordLayer::State::kFailed;
}

void Channel::save(ByteWriter& out) const {
  assert(is_saveable());
  std::get<RecordLayer>(session_).save(out);
  const PeerFacts forgotten;
  const PeerFacts& facts = facts_ ? *facts_ : forgotten;
  out.text(facts.server_name);
  out.text(facts.client_name);
  out.flag(facts.speaks_http);
  out.flag(facts.resumed);
}

std::optional<Channel> Channel::restore(ByteReader& in) {
  auto layer = RecordLayer::restore(in);
  if (!layer) return std::nullopt;
  const auto suite = layer->suite();
  Channel channel{std::move(*layer)};
  auto& facts = *channel.facts_;
  facts.cipher = name_of(suite);
  facts.server_name = in.text();
  facts.client_name = in.text();
  facts.speaks_http = in.flag();
  facts.resumed = in.flag();
  in.require(facts.server_name.size() <= kMostServerName && is_utf8(facts.server_name));
  in.require(facts.client_name.size() <= kVerifiedNameBytes && is_utf8(facts.client_name));
  in.require(fault_of_name(facts.client_name).empty());
  return in.ok() ? std::optional{std::move(channel)} : std::nullopt;
}

}  // namespace chatd::tls
