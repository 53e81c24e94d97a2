/// The other end of a session of TLS 1.3, written a second time and in another way: it says
/// anything that can be said, wrong things as well, and reads what comes. Its keys are made by
/// OpenSSL's own HKDF.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::test {

inline void tls_must(bool holds) {
  if (!holds) std::abort();
}

/// "00 ff" or "00ff" as bytes.
inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    if (high < 0) {
      high = digit(c);
    } else {
      bytes += static_cast<char>(high * 16 + digit(c));
      high = -1;
    }
  }
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    hex += kDigits[value >> 4U];
    hex += kDigits[value & 15U];
  }
  return hex;
}

/// HKDF-Expand-Label with an empty context.
inline std::string expand(const char* digest, std::string secret, std::string_view label,
                          std::size_t size) {
  std::string info{static_cast<char>(size >> 8U), static_cast<char>(size)};
  info += static_cast<char>(6 + label.size());
  info += "tls13 ";
  info += label;
  info += '\0';
  std::string name = digest;
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  std::string out(size, '\0');
  tls_must(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                          params) == 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

/// One direction.
class RecordCipher {
 public:
  RecordCipher(int suite, std::string secret) : suite_{suite}, secret_{std::move(secret)} {
    derive();
  }

  /// The record of that type, with so many zeros behind it, in the version that it claims.
  std::string seal(int type, std::string_view content, std::size_t padding = 0, char minor = 3) {
    std::string inner{content};
    inner += static_cast<char>(type);
    inner.append(padding, '\0');
    return seal_inner(inner, minor);
  }
  std::string seal_inner(std::string_view inner, char minor = 3) {
    const auto length = inner.size() + 16;
    std::string record{'\x17', '\x03', minor, static_cast<char>(length >> 8U),
                       static_cast<char>(length)};
    std::string sealed(length, '\0');
    tls_must(crypt(true, record, inner, sealed));
    return record + sealed;
  }
  /// What is in the whole record, type and padding included. Aborts if its tag is wrong.
  std::string open(std::string_view record) {
    std::string inner(record.size() - 5 - 16, '\0');
    std::string sealed{record.substr(5)};
    tls_must(crypt(false, record.substr(0, 5), sealed, inner));
    return inner;
  }
  void update() {
    secret_ = expand(digest(), secret_, "traffic upd", secret_.size());
    derive();
  }
  void skip(std::uint64_t records) { records_ += records; }

  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::string& iv() const { return iv_; }

 private:
  [[nodiscard]] const char* digest() const { return suite_ == 0x1302 ? "SHA384" : "SHA256"; }

  void derive() {
    key_ = expand(digest(), secret_, "key", suite_ == 0x1301 ? 16 : 32);
    iv_ = expand(digest(), secret_, "iv", 12);
    records_ = 0;
  }

  bool crypt(bool seals, std::string_view header, std::string_view from, std::string& to) {
    const EVP_CIPHER* cipher = suite_ == 0x1301   ? EVP_aes_128_gcm()
                               : suite_ == 0x1302 ? EVP_aes_256_gcm()
                                                  : EVP_chacha20_poly1305();
    std::string nonce = iv_;
    for (int i = 0; i < 8; ++i) {
      auto& byte = nonce[static_cast<std::size_t>(11 - i)];
      byte = static_cast<char>(byte ^ static_cast<char>(records_ >> (8 * i)));
    }
    ++records_;
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    auto* out = reinterpret_cast<unsigned char*>(to.data());
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    const auto text = seals ? from : from.substr(0, from.size() - 16);
    std::string tag{seals ? std::string_view{} : from.substr(text.size())};
    int size = 0;
    bool good = EVP_CipherInit_ex(context, cipher, nullptr, bytes(key_), bytes(nonce), seals) == 1;
    good = good && EVP_CipherUpdate(context, nullptr, &size, bytes(header),
                                    static_cast<int>(header.size())) == 1;
    good = good &&
           EVP_CipherUpdate(context, out, &size, bytes(text), static_cast<int>(text.size())) == 1;
    if (!seals) {
      good = good && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1;
    }
    good = good && EVP_CipherFinal_ex(context, out + text.size(), &size) == 1;
    if (seals) {
      good =
          good && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + text.size()) == 1;
    }
    EVP_CIPHER_CTX_free(context);
    return good;
  }

  int suite_;
  std::string secret_;
  std::string key_;
  std::string iv_;
  std::uint64_t records_ = 0;
};

/// The whole records in `bytes`.
inline std::vector<std::string_view> records_in(std::string_view bytes) {
  std::vector<std::string_view> all;
  while (bytes.size() >= 5) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[3])) << 8U |
                        static_cast<unsigned char>(bytes[4]);
    tls_must(bytes.size() >= 5 + length);
    all.push_back(bytes.substr(0, 5 + length));
    bytes.remove_prefix(5 + length);
  }
  tls_must(bytes.empty());
  return all;
}

}  // namespace chatd::test
