/// People find what they can write, in the index and before it is there.
#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/index.hpp"
#include "store/transcript_file.hpp"
#include "store/wanted.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {
namespace {

struct Row {
  const char* text;
  std::vector<const char*> finds;
  std::vector<const char*> finds_not;
};

const std::vector<Row> kRows{
    {"祝你们新年快乐！",
     {"快乐", "新年快乐", "乐", "祝你们 快乐", "快乐*", "祝*"},
     {"年乐", "快樂", "快 手"}},
    {"他跑得很快,乐意帮忙", {"快,乐", "快 乐"}, {"快乐"}},
    {"サーバーのメモリが足りません",
     {"メモリ", "サーバー", "足りません", "ﾒﾓﾘ"},
     {"メモ帳", "サハ", "めもり"}},
    {"か\u3099く", {"がく", "が"}, {"か", "かく"}},
    {"สวัสดีครับผมต้องการความช่วยเหลือ", {"สวัสดี", "ความ", "ช่วยเหลือ", "ครับ ผม"}, {"ความรัก", "ชวย"}},
    {"ສະບາຍດີທຸກຄົນ", {"ສະບາຍດີ", "ທຸກຄົນ"}, {"ສະບາຍດົ"}},
    {"សួស្តីអ្នកទាំងអស់គ្នា", {"សួស្តី", "អ្នក"}, {"សួស្តា"}},
    {"မင်္ဂလာပါခင်ဗျာ", {"မင်္ဂလာပါ", "ခင်ဗျာ"}, {"မင်္ဂလူ"}},
    {"서울에서 만나요",
     {"서울", "만나", "서울*", "\u1109\u1165\u110B\u116E\u11AF"},
     {"울서", "에서만나"}},
    {"Tiếng Việt, tôi đang học",
     {"tieng viet", "Tiếng Việt", "TIENG", "dang", "đang", "hoc"},
     {"tien", "dan"}},
    {"Tie\u0302\u0301ng Vie\u0323\u0302t", {"tieng viet", "Tiếng Việt"}, {"tie"}},
    {"un café noir", {"cafe", "café", "cafe\u0301", "CAFÉ", "caf*", "café noir"}, {"caf", "cafes"}},
    {"un cafe\u0301 noir", {"cafe", "café", "caf*"}, {"caf"}},
    {"Straße 5", {"strasse", "STRASSE", "straße", "stra*", "strasse 5"}, {"strase"}},
    {"Ёлка и мой ёж", {"елка", "ёлка", "МОЙ", "еж"}, {"мои"}},
    {"Γειά σου Κόσμε", {"γεια", "κοσμε", "ΚΌΣΜΕ"}, {"κοσμ"}},
    {"हिन्दी में लिखो", {"हिन्दी", "में", "हिन*"}, {"हिन्द", "हन्दी"}},
    {"launch 🚀 at ten", {"🚀", "launch 🚀", "🚀 ten"}, {"🚁", "launch🚀"}},
    {"to the moon🚀now", {"🚀", "moon🚀now", "now"}, {"🚀moon"}},
    {"we 👨‍👩‍👧 came", {"👨‍👩‍👧", "👩"}, {"👨👩👧", "👨‍👩‍👦"}},
    {"👍🏽 well done ❤️", {"👍", "👍🏿", "❤", "❤️"}, {"👎"}},
    {"🇩🇪🇸🇪", {"🇩🇪", "🇸🇪", "🇩🇪🇸🇪"}, {"🇪🇸"}},
    {"it costs 5€", {"€", "5€", "5 €"}, {"50€", "£"}},
    {"see foo-bar.example", {"foo-bar", "foo.bar", "bar.ex*", "example"}, {"fo", "bar-foo"}},
};

void add_rows(Transcript& transcript) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    records.push_back(message(i + 1, 1, kRows[i].text));
  }
  transcript.write(records);
}

void catch_up(Transcript& transcript) {
  auto index = Transcript::take(Index::make(transcript.database()));
  REQUIRE(index.catch_up());
}

bool finds(Transcript& transcript, const std::string& query, std::size_t row) {
  const auto found = transcript.search(query);
  const auto prefix = std::to_string(row + 1) + "/1 ";
  return std::any_of(found.begin(), found.end(),
                     [&](const std::string& each) { return each.starts_with(prefix); });
}

TEST_CASE("search: people find what they can write, and nothing else", "[store][search]") {
  for (const bool indexed : {false, true}) {
    INFO((indexed ? "indexed" : "not indexed"));
    Transcript transcript;
    add_rows(transcript);
    if (indexed) catch_up(transcript);
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      INFO(kRows[row].text);
      for (const char* query : kRows[row].finds) {
        INFO(query);
        CHECK(finds(transcript, query, row));
      }
      for (const char* query : kRows[row].finds_not) {
        INFO(query);
        CHECK_FALSE(finds(transcript, query, row));
      }
    }
  }
}

TEST_CASE("search: the index finds what reading each text finds", "[store][search]") {
  std::mt19937 random{13};
  static const std::vector<std::string> kPieces{
      "a",  "b",      "ab",   "é", "e\u0301", "ß",  "快",     "乐",     "メ",
      "か", "\u3099", "ส",    "ี",  "🚀",       "👩",  "\u200D", "\uFE0F", "🇩",
      "🇪",  " ",      " ",    ",", "*",       "\"", "한",     "\u1100", "\u1161",
      "1",  "€",      "\xFF", "и", "\u0306",  "ह",  "ि"};
  const auto make = [&](std::size_t most) {
    std::string text;
    for (std::size_t i = 1 + random() % most; i > 0; --i) {
      text += kPieces[random() % kPieces.size()];
    }
    return text;
  };
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(make(12));
  std::vector<Record> records;
  for (std::size_t i = 0; i < texts.size(); ++i) records.push_back(message(i + 1, 1, texts[i]));
  Transcript transcript;
  transcript.write(records);
  catch_up(transcript);
  std::size_t found = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string query = make(4);
    INFO(query);
    auto wanted = Transcript::take(Wanted::parse(query));
    std::vector<std::string> expected;
    for (std::size_t at = texts.size(); at > 0 && !wanted.empty(); --at) {
      if (wanted.is_in(texts[at - 1])) {
        expected.push_back(std::to_string(at) + "/1 in " + texts[at - 1]);
      }
    }
    found += expected.size();
    CHECK(transcript.search(query) == expected);
  }
  CHECK(found > 2000);
}

TEST_CASE("search: more than a person types is refused", "[store][search]") {
  Transcript transcript;
  const auto refusal = [&](const std::string& text) {
    auto searched = transcript.reader().search(text, {}, [](const Record&) { return true; });
    return searched ? std::string{} : searched.error().message;
  };
  const auto times = [](std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
  };
  const std::string words =
      "text has more than 64 words, the limit of a search (where words stand without blanks, each "
      "character is one)";
  CHECK(refusal(times(64, "a ")).empty());
  CHECK(refusal(times(65, "a ")) == words);
  CHECK(refusal(times(64, "a.")).empty());
  CHECK(refusal(times(65, "a.")) == words);
  CHECK(refusal(times(64, "快")).empty());
  CHECK(refusal(times(65, "快")) == words);
  CHECK(refusal(times(1024, "a")).empty());
  CHECK(refusal(times(1025, "a")) == "text is longer than 1 KiB, the limit of a search");
  CHECK(refusal(times(500'000, "a.")) == "text is longer than 1 KiB, the limit of a search");
  CHECK(refusal(times(512, " .")).empty());
}

}  // namespace
}  // namespace chatd::store::test
