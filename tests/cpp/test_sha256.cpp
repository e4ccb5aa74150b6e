#include <gtest/gtest.h>

#include <string>

#include "sha256.hpp"

namespace fastcaloq::detail {
namespace {

std::string digest(const std::string& text, Sha256Blocks blocks = nullptr) {
  Sha256 sha(blocks);
  sha.update(text);
  return sha.hex_digest();
}

// Known answers of FIPS 180-4's examples.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheTextIsCut) {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 sha;
    sha.update(std::string_view(text).substr(0, cut));
    sha.update(std::string_view(text).substr(cut));
    ASSERT_EQ(sha.hex_digest(), digest(text)) << cut;
  }
}

TEST(Sha256, IsTheSameInPortableCode) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text.push_back(static_cast<char>(i * 37 % 251));
    ASSERT_EQ(digest(text, sha256_blocks), digest(text)) << i;
  }
}

}  // namespace
}  // namespace fastcaloq::detail
