// The record layer against the traces of RFC 8448: keys, text both ways, close_notify.
#include <array>
#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/tls_records.hpp"
#include "tls/record_layer.hpp"
#include "tls/traffic_key.hpp"

namespace chatd::tls {
namespace {

using namespace std::literals;
using test::from_hex;
using test::to_hex;
using State = RecordLayer::State;

std::string zero_to_49() {
  std::string text;
  for (int i = 0; i < 50; ++i) text += static_cast<char>(i);
  return text;
}

/// What a trace of RFC 8448 has of a session under its application keys, all with
/// TLS_AES_128_GCM_SHA256. In hexadecimal.
struct Trace {
  const char* section;
  const char* client_secret;
  const char* server_secret;
  const char* client_key;
  const char* client_iv;
  const char* server_key;
  const char* server_iv;
  std::uint64_t tickets;  ///< records that the server has sent before
  const char* client_text;
  const char* server_text;
  const char* client_close;
  const char* server_close;
};

constexpr std::array kTraces{
    Trace{"3, simple 1-RTT", "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
          "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
          "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9",
          "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", 1,
          "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a"
          "20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
          "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb"
          "501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d",
          "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3",
          "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"},
    Trace{"4, resumed 0-RTT", "2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1",
          "cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691", nullptr, nullptr,
          "e857c690a34c5a9129d833619684f95e", "0685d6b561aab9ef1013faf9", 0,
          "1703030043b1cebce242aa201be9ae5e1cb2a9aa4b33d4e866af1edb068919237741aa031d7a74d491c99b9d"
          "4e232b74206bc6fbaa04fe78be44a9b4f54320a17eb76992afac3103",
          "1703030043275e9f20acff57bc000657d3867df039cccf79047884cf75771746f740b5a83f462a0954c35813"
          "93a203a25a7dd14141ef1a37900cdb62ff62dee1ba39ab2590cbf194",
          "17030300130facce3246bdfc6369838d6a82ae6de5d422dc",
          "17030300135b18af444e8e1eec7158fb62d8f2577d37ba5d"},
    Trace{"6, client authentication",
          "73c2e890fa8d067258d6d50fa92fe456b098cf00d9727eed91e8892ef4e6f860",
          "c49a91faf57f8c545d5048a015bf849ff63942e4a7edcd319f8b438a97c52e21",
          "cdc09c806aa8f86dfcd51efc44a0c039", "6ef852e78b46d913668e53e7",
          "88b3123ddecadf8c1ba298e2c18176b0", "4e0978513f9de8327c08e4f3", 0, nullptr, nullptr,
          "1703030013e4ad7d44c29245339d355962c779b89ef44c58",
          "17030300131decc5d6e64bba8a6f21b4fd077497da2a90cb"}};

TEST_CASE("record layer: the keys of RFC 8448 follow from its secrets", "[tls][records]") {
  constexpr auto kSuite = Suite::kAes128GcmSha256;
  const auto check = [](const char* secret, const char* key, const char* iv) {
    const TrafficKey made{kSuite, from_hex(secret), 0};
    if (key != nullptr) {
      CHECK(to_hex({reinterpret_cast<const char*>(made.key()), 16}) == key);
      CHECK(to_hex({reinterpret_cast<const char*>(made.iv()), 12}) == iv);
    }
  };
  for (const auto& trace : kTraces) {
    INFO(trace.section);
    check(trace.client_secret, trace.client_key, trace.client_iv);
    check(trace.server_secret, trace.server_key, trace.server_iv);
  }
  // Further secrets of section 3: the handshake's, and the keys of its finished messages.
  check("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f");
  check("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30");
  std::array<unsigned char, 32> finished{};
  expand_label(kSuite, from_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
               "finished", finished.data(), finished.size());
  CHECK(to_hex({reinterpret_cast<const char*>(finished.data()), finished.size()}) ==
        "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8");
}

TEST_CASE("record layer: the conversations of RFC 8448", "[tls][records]") {
  for (const auto& trace : kTraces) {
    INFO(trace.section);
    constexpr auto kSuite = Suite::kAes128GcmSha256;
    const auto client = from_hex(trace.client_secret);
    const auto server = from_hex(trace.server_secret);
    RecordLayer layer{kSuite, {client, 0}, {server, trace.tickets}};
    std::string text;
    std::string sent;
    if (trace.client_text != nullptr) {
      CHECK(layer.open(from_hex(trace.client_text), text, sent) == State::kOpen);
      CHECK(text == zero_to_49());
      CHECK(sent.empty());
      layer.seal(text, sent);
      CHECK(to_hex(sent) == trace.server_text);
    }
    sent.clear();
    text.clear();
    CHECK(layer.open(from_hex(trace.client_close), text, sent) == State::kEnded);
    CHECK(text.empty());
    CHECK(sent.empty());
    layer.close(sent);
    CHECK(to_hex(sent) == trace.server_close);
  }
}

}  // namespace
}  // namespace chatd::tls
