#include "clients/reception.hpp"

#include <cassert>

#include "base/bytes.hpp"
#include "http/request_line.hpp"
#include "tls/client_hello.hpp"

namespace chatd {

Reception::Reception(Rules rules, Time now) : rules_{rules}, began_{now} {
  assert(!rules.tls_required || rules.tls);
  assert(!rules.web_only || rules.web);
  if (rules.proxy) proxy_ = std::make_unique<ProxyReader>();
  // Nothing is to be found out.
  if (!rules.proxy && is_chat_anyway()) decide(Finding::kChat);
}

Reception::Finding Reception::take(std::string_view bytes, Time now) {
  if (awaits_proxy() && finding_ == Finding::kNone) {
    if (const Finding found = look_for_proxy(bytes); found != Finding::kNone) return decide(found);
    if (!proxied_) return finding_;
    began_ = now;
    // Behind the header it is as if there had been none.
    if (is_chat_anyway()) decide(Finding::kChat);
  }
  if (bytes.empty()) return finding_;
  if (first_ == kNever) first_ = now;
  bytes_ += bytes;
  return finding_ == Finding::kNone ? look(now) : finding_;
}

Reception::Finding Reception::look_for_proxy(std::string_view& bytes) {
  switch (proxy_->take(bytes)) {
    case ProxyReader::State::kRefused:
      return Finding::kNoProxy;
    case ProxyReader::State::kWhole:
      if (proxy_->header().local) return Finding::kHealth;
      proxied_ = true;
      return Finding::kNone;
    case ProxyReader::State::kPerhaps:
    case ProxyReader::State::kBegun:
      break;
  }
  return Finding::kNone;
}

Reception::Finding Reception::look(Time now) {
  using Hello = tls::LooksLikeClientHello;
  bool perhaps = false;
  if (rules_.tls) {
    const auto hello = tls::looks_like_client_hello(bytes_);
    if (hello == Hello::kYes) return decide(Finding::kTls);
    const auto old = tls::looks_like_old_hello(bytes_);
    if (old == Hello::kYes) return decide(Finding::kOldTls);
    perhaps = hello == Hello::kPerhaps || old == Hello::kPerhaps;
  }
  if (rules_.web && !rules_.tls_required) {
    const auto line = http::look_for_request(bytes_);
    if (line == http::FirstLine::kRequest) return decide(Finding::kHttp);
    if (line == http::FirstLine::kHttp2) return decide(Finding::kHttp2);
    perhaps = perhaps || line == http::FirstLine::kPerhaps;
  }
  const bool is_over = now - first_ >= kSettle || bytes_.size() >= kMostBytes;
  return perhaps && !is_over ? finding_ : decide(chat());
}

Reception::Finding Reception::chat() const {
  if (rules_.tls_required) return Finding::kNoTls;
  return rules_.web_only ? Finding::kNoHttp : Finding::kChat;
}

Reception::Finding Reception::end(Time) {
  if (finding_ != Finding::kNone) return finding_;
  if (awaits_proxy()) return decide(Finding::kNoProxy);
  // Who has said nothing at all was none: a scan of ports, a check of health.
  if (bytes_.empty()) return decide(Finding::kHealth);
  return decide(chat());
}

Reception::Finding Reception::tick(Time now) {
  if (finding_ != Finding::kNone || now < deadline()) return finding_;
  if (awaits_proxy()) return decide(Finding::kNoProxy);
  return decide(chat());
}

Time Reception::deadline() const {
  if (finding_ != Finding::kNone) return kNever;
  if (awaits_proxy()) return began_ + kProxyPatience;
  if (first_ != kNever) return first_ + kSettle;
  if (rules_.browser || rules_.web_only) return began_ + kBrowserSilence;
  return began_ + (rules_.tls_required ? kTlsSilence : kSilence);
}

void Reception::save(ByteWriter& out, Time now) const {
  assert(finding_ == Finding::kNone);
  if (awaits_proxy()) proxy_->save(out);
  out.time(began_, now);
  out.time(first_, now);
  out.text(bytes_);
}

void Reception::restore(ByteReader& in, Time now) {
  if (awaits_proxy()) proxy_->restore(in);
  began_ = in.time(now);
  first_ = in.time(now);
  bytes_ = in.text();
  in.require(began_ <= now && (first_ == kNever) == bytes_.empty() && bytes_.size() <= kMostBytes);
  in.require(!awaits_proxy() || bytes_.empty());
  if (in.ok() && !bytes_.empty() && finding_ == Finding::kNone) look(now);
}

std::string_view refusal_of(Reception::Finding finding) {
  switch (finding) {
    case Reception::Finding::kOldTls:
      return "speaks SSL 2.0";
    case Reception::Finding::kHttp2:
      return "speaks HTTP/2";
    case Reception::Finding::kHealth:
      return "says nothing";
    case Reception::Finding::kNoProxy:
      return "sends no header of the PROXY protocol";
    case Reception::Finding::kNoTls:
      return "speaks no TLS";
    case Reception::Finding::kNoHttp:
      return "speaks no HTTP";
    case Reception::Finding::kNone:
    case Reception::Finding::kChat:
    case Reception::Finding::kTls:
    case Reception::Finding::kHttp:
      break;
  }
  return {};
}

}  // namespace chatd
