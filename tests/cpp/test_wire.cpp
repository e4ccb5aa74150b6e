#include <gtest/gtest.h>

#include <string>

#include "fastcaloq/error.hpp"
#include "model_file.hpp"
#include "wire.hpp"

namespace fastcaloq::detail {
namespace {

using test::Message;

TEST(WireReader, ReadsFieldsInOrder) {
  const Message message = Message().number(1, 300).bytes(14, "abc").number(1000, ~std::uint64_t{0});
  WireReader reader(message.text(), "test");
  WireField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 1U);
  EXPECT_EQ(field.value, 300U);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 14U);
  EXPECT_EQ(field.bytes, "abc");
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, ~std::uint64_t{0});
  EXPECT_FALSE(reader.next(field));
}

class BadWire : public testing::TestWithParam<std::string> {};

TEST_P(BadWire, IsRefused) {
  const std::string bytes = GetParam();
  WireReader reader(bytes, "test");
  WireField field;
  EXPECT_THROW(while (reader.next(field)){}, ModelError);
}

INSTANTIATE_TEST_SUITE_P(
    WireReader, BadWire,
    testing::Values(std::string("\x08", 1),                      // number without its value
                    std::string("\x08\xff", 2),                  // value cut short
                    std::string("\x0a\x05xy", 4),                // longer than what is left
                    std::string("\x0b", 1),                      // group, long gone from the format
                    std::string("\x00\x01", 2),                  // field number 0
                    "\x08" + std::string(9, '\xff') + "\x02",    // above 64 bits
                    "\x08" + std::string(10, '\xff') + "\x01",   // eleven bytes
                    "\x0a" + std::string(9, '\xff') + "\x01xx",  // length near 2^64
                    std::string("\x09 1234567", 8),              // fixed64 cut short
                    std::string("\x0d 12", 4)));                 // fixed32 cut short

}  // namespace
}  // namespace fastcaloq::detail
