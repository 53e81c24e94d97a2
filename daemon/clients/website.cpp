#include "clients/website.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "config/spelled.hpp"
#include "config/web_settings.hpp"
#include "http/answer.hpp"
#include "http/upgrade.hpp"
#include "tls/digest.hpp"
#include "web/files.hpp"

namespace chatd {

namespace {

constexpr std::string_view kSocketPath = "/chat";
constexpr std::string_view kSettingsPath = "/settings.json";
/// Pages of other sites load these two, whatever those sites demand of what they load.
constexpr std::array<std::string_view, 2> kForOtherSites = {"/widget.js", "/icon.svg"};
constexpr std::array<http::AnswerField, 1> kForAll = {
    {{"Cross-Origin-Resource-Policy", "cross-origin"}}};
constexpr std::array<http::AnswerField, 1> kForThisSite = {
    {{"Cross-Origin-Resource-Policy", "same-origin"}}};

}  // namespace

void Website::set(const Config::Web& web) {
  origins_ = web.origins;
  hosts_ = web.hosts;
  frame_ancestors_ = "frame-ancestors 'self'";
  for (const http::WebOrigin& origin : origins_) frame_ancestors_ += ' ' + spelled(origin);
  settings_ = web_settings(web);
}

Website::Answer Website::answer(const http::RequestHead& head, WallTime now) const {
  if (head.state() != http::RequestHead::State::kWhole) {
    return {Kind::kAnswered, http::answer_refused(head, now)};
  }
  // Somebody's page may have its own name lead here (DNS rebinding).
  if (!http::is_known(head.host(), hosts_)) {
    return {Kind::kAnswered, http::answer_without_page(421, "This is another host (web.hosts).",
                                                       head.is_head(), now)};
  }
  if (head.path() == kSocketPath) return connect(head, now);
  return {Kind::kAnswered, serve(head, now)};
}

Website::Answer Website::connect(const http::RequestHead& head, WallTime now) const {
  if (!http::may_connect(head.field("Origin"), head.host(), origins_)) {
    return {Kind::kAnswered,
            http::answer_without_page(403, "A page of that site may not chat here (web.origins).",
                                      head.is_head(), now)};
  }
  static constexpr std::array<std::string_view, 1> kKnown = {kPageProtocol};
  const http::Upgrade upgrade = http::check_upgrade(head, kKnown);
  if (upgrade.fault != http::UpgradeFault::kNone) {
    return {Kind::kAnswered, http::answer_refused(upgrade, head.is_head(), now)};
  }
  return {upgrade.protocol == kPageProtocol ? Kind::kPage : Kind::kWebSocket,
          http::answer_upgrade(upgrade, tls::sha1_base64)};
}

std::string Website::serve(const http::RequestHead& head, WallTime now) const {
  const std::string policy = this->policy(head);
  http::Page page;
  page.policy = policy;
  page.more = kForThisSite;
  if (head.path() == kSettingsPath) {
    page.type = "application/json";
    page.body = settings_;
    return http::answer(head, page, now);
  }
  const auto files = web::files();
  const auto file = std::find_if(files.begin(), files.end(),
                                 [&](const auto& each) { return each.path == head.path(); });
  if (file == files.end()) {
    return http::answer_without_page(404, "There is nothing here.", head.is_head(), now);
  }
  page.type = file->type;
  page.body = file->body;
  page.gzipped = file->gzipped;
  page.tag = file->tag;
  page.cache = "no-cache";  // it is asked for again, and mostly not sent again
  const bool for_all =
      std::find(kForOtherSites.begin(), kForOtherSites.end(), file->path) != kForOtherSites.end();
  if (for_all) page.more = kForAll;
  return http::answer(head, page, now);
}

/// What the page may do: load its own files, and connect to where it came from. ('self' alone does
/// not allow a WebSocket in every browser.)
std::string Website::policy(const http::RequestHead& head) const {
  std::string sources = "'self'";
  if (head.host()) {
    const std::string host = spelled(*head.host());
    sources += " ws://" + host + " wss://" + host;
  }
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " +
         sources + "; base-uri 'none'; form-action 'none'; " + frame_ancestors_;
}

}  // namespace chatd
