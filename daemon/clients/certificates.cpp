#include "clients/certificates.hpp"

#include <algorithm>
#include <set>

#include "base/bytes.hpp"

namespace chatd {

namespace {

tls::CredentialFiles files_of(const Listener::Tls& tls) {
  tls::CredentialFiles files;
  for (const auto& pair : tls.pairs) files.certificates.push_back({pair.certificate, pair.key});
  files.client_ca = tls.client_ca;
  files.minimum = tls.allow_1_2 ? tls::Version::kTls12 : tls::Version::kTls13;
  return files;
}

std::string date_of(WallTime time) {
  std::string date;
  append_rfc3339(date, time);
  return date.substr(0, date.find('T'));
}

}  // namespace

Result<Certificates::Loaded> Certificates::load(const std::vector<Listener>& listeners,
                                                WallTime now,
                                                tls::Credentials::Outdated outdated) const {
  Loaded all;
  for (const Listener& listener : listeners) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const auto& each) { return each.first == listener.tls; });
    if (listener.tls.pairs.empty() || known) continue;
    auto loaded = tls::Credentials::load(files_of(listener.tls), now, tickets_, outdated);
    if (!loaded) return std::move(loaded.error());
    all.emplace_back(listener.tls, std::move(*loaded));
  }
  return all;
}

std::shared_ptr<const tls::Credentials> Certificates::of(const Listener& listener) const {
  const auto place = std::find_if(loaded_.begin(), loaded_.end(),
                                  [&](const auto& each) { return each.first == listener.tls; });
  return place == loaded_.end() ? nullptr : place->second;
}

std::vector<std::string> Certificates::warnings(const Loaded& loaded, WallTime now) {
  std::vector<std::string> all;
  std::set<std::string> said;
  const auto say = [&](std::string words) {
    if (said.insert(words).second) all.push_back(std::move(words));
  };
  for (const auto& [tls, credentials] : loaded) {
    auto certificates = credentials->certificates();
    const auto& authorities = credentials->authorities();
    certificates.insert(certificates.end(), authorities.begin(), authorities.end());
    for (const tls::CertificateFacts& each : certificates) {
      if (each.not_after <= now) {
        say(each.file + " has expired on " + date_of(each.not_after));
      } else if (each.not_after <= now + kWarning) {
        say(each.file + " expires on " + date_of(each.not_after));
      }
      if (each.key_is_public) say("anybody may read the key of " + each.file);
    }
  }
  return all;
}

void Certificates::renew_tickets(WallTime now) {
  // A clock that was set back must not keep them for longer.
  if (tickets_made_ <= now && now - tickets_made_ < kTicketKeys) return;
  tickets_ = tls::TicketKeys{};
  tickets_made_ = now;
  for (const auto& [tls, credentials] : loaded_) credentials->use(tickets_);
}

void Certificates::save(ByteWriter& out) const {
  out.number<std::int64_t>(tickets_made_.time_since_epoch().count());
  tickets_.save(out);
}

void Certificates::restore(ByteReader& in) {
  const auto made = in.number<std::int64_t>();
  in.require(made >= 0);
  if (in.ok()) tickets_made_ = WallTime{WallTime::duration{made}};
  tickets_ = tls::TicketKeys::restore(in);
}

}  // namespace chatd
