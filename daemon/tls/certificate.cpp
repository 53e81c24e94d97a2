#include "tls/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <utility>

#include "base/names.hpp"
#include "base/text.hpp"
#include "tls/core_dumps.hpp"
#include "tls/peer_facts.hpp"
#include "tls/pem_file.hpp"

namespace chatd::tls {

namespace {

Error fault_in(const std::string& path, const std::string& what) {
  return {path + ": " + what};
}

UniqueBio reader_of(std::string_view text) {
  return UniqueBio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// Asked for the password of a key: there is nobody who could be asked.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<std::vector<UniqueX509>> parse_certificates(const std::string& path, std::string_view text) {
  const auto reader = reader_of(text);
  std::vector<UniqueX509> all;
  ERR_clear_error();
  while (UniqueX509 one{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    all.push_back(std::move(one));
  }
  const auto error = ERR_peek_last_error();
  const bool over =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const auto reason = take_reason();
  if (!over) {
    return fault_in(path, "certificate " + std::to_string(all.size() + 1) + " in it is broken (" +
                              reason + ")");
  }
  if (all.empty()) return fault_in(path, "there is no certificate in it (it must be PEM)");
  return all;
}

Result<UniquePkey> parse_key(const std::string& path, std::string_view text) {
  bool encrypted = false;
  ERR_clear_error();
  UniquePkey key{PEM_read_bio_PrivateKey(reader_of(text).get(), nullptr, no_password, &encrypted)};
  const auto reason = take_reason();
  if (key) return key;
  if (encrypted) {
    return fault_in(path,
                    "the private key is encrypted, and there is nobody to ask for its password");
  }
  if (text.find("PRIVATE KEY-----") == std::string_view::npos) {
    return fault_in(path, "there is no private key in it (it must be PEM)");
  }
  return fault_in(path, "the private key in it is broken (" + reason + ")");
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

UniqueNames alternative_names(X509* certificate) {
  return UniqueNames{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
}

std::string address_of(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return inet_ntop(family, bytes.data(), text.data(), text.size());
}

bool is_good_client_name(std::string_view name) {
  return !name.empty() && name.size() <= kVerifiedNameBytes && is_utf8(name) &&
         fault_of_name(name).empty();
}

}  // namespace

Result<std::vector<UniqueX509>> read_certificates(const std::string& path) {
  auto file = read_pem_file(path);
  if (!file) return std::move(file.error());
  return parse_certificates(path, file->text.view());
}

Result<Certificate> Certificate::load(const CredentialFiles::Pair& files) {
  keep_out_of_core_dumps();  // before either file: the key may be in both
  auto certificates = read_certificates(files.certificate);
  if (!certificates) return std::move(certificates.error());
  auto key_file = read_pem_file(files.key);
  if (!key_file) return std::move(key_file.error());
  auto key = parse_key(files.key, key_file->text.view());
  if (!key) return std::move(key.error());

  Certificate made;
  made.x509_ = std::move(certificates->front());
  made.key_ = std::move(*key);
  made.chain_.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    sk_X509_push(made.chain_.get(), (*certificates)[i].release());
  }
  made.facts_ = facts_of(files.certificate, made.x509_.get());
  made.facts_.key_is_public = key_file->is_public;
  const bool fits = X509_check_private_key(made.x509_.get(), made.key_.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return fault_in(files.key,
                    "this key does not belong to the first certificate in " + files.certificate);
  }
  return made;
}

Result<> Certificate::check_validity(WallTime now) const {
  if (now > facts_.not_after) {
    return fault_in(facts_.file, "the certificate expired at " + date_of(facts_.not_after));
  }
  if (now < facts_.not_before) {
    return fault_in(facts_.file,
                    "the certificate is not valid before " + date_of(facts_.not_before));
  }
  return {};
}

Certificate::Fit Certificate::fit(const std::string& name) const {
  char* matched = nullptr;
  const int found = X509_check_host(x509_.get(), name.data(), name.size(),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, &matched);
  const bool by_wildcard = matched != nullptr && matched[0] == '*';
  OPENSSL_free(matched);
  if (found != 1) return Fit::kNone;
  return by_wildcard ? Fit::kWildcard : Fit::kExact;
}

Result<> Certificate::use_in(SSL_CTX* context) const {
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(context, x509(), key(), chain(), 1) == 1) return {};
  return fault_in(facts_.file, "OpenSSL refuses the certificate (" + take_reason() + ")");
}

void trust_in(SSL_CTX* context, const std::vector<UniqueX509>& authorities) {
  auto* const store = SSL_CTX_get_cert_store(context);
  for (const auto& authority : authorities) X509_STORE_add_cert(store, authority.get());
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

std::string date_of(WallTime time) {
  const auto text = rfc3339(time);
  return std::string{text.data(), 19} + "Z";
}

CertificateFacts facts_of(const std::string& file, X509* certificate) {
  CertificateFacts facts;
  facts.file = file;
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  const auto add = [&](const std::string& name) {
    if (!name.empty() && is_utf8(name)) facts.names.push_back(name);
  };
  const auto names = alternative_names(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) add(std::string{view_of(name->d.dNSName)});
    if (name->type == GEN_IPADD) add(address_of(view_of(name->d.iPAddress)));
  }
  if (facts.names.empty()) add(common_name(certificate));
  return facts;
}

std::string common_name(X509* certificate) {
  const auto* subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* bytes = nullptr;
  const auto* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string name{reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
  OPENSSL_free(bytes);
  return is_utf8(name) ? name : std::string{};
}

std::string client_name_of(X509* certificate) {
  const auto names = alternative_names(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_EMAIL) continue;
    const auto text = view_of(name->type == GEN_DNS ? name->d.dNSName : name->d.rfc822Name);
    if (is_good_client_name(text)) return std::string{text};
  }
  auto name = common_name(certificate);
  return is_good_client_name(name) ? name : std::string{};
}

}  // namespace chatd::tls
