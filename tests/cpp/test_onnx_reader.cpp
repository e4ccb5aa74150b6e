#include <gtest/gtest.h>

#include <string>

#include "fastcaloq/error.hpp"
#include "model_file.hpp"
#include "onnx_reader.hpp"

namespace fastcaloq::detail {
namespace {

using test::Message;

Message tensor(const std::string& name, std::int64_t dim, const std::string& raw) {
  return Message()
      .number(1, static_cast<std::uint64_t>(dim))
      .number(2, 1)
      .bytes(8, name)
      .bytes(9, raw);
}

std::string file(const Message& graph) {
  return Message().number(1, 9).message(7, graph).text();
}

void expect_refused(const std::string& bytes, const std::string& reason) {
  try {
    read_onnx(bytes);
    FAIL() << "accepted, expected: " << reason;
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
  }
}

TEST(OnnxReader, ReadsWhatTheEngineNeeds) {
  const std::string bytes = test::make_model().build();
  const OnnxFile onnx = read_onnx(bytes);
  EXPECT_EQ(onnx.ir_version, 9);
  EXPECT_EQ(onnx.opset, 18);
  EXPECT_EQ(onnx.metadata.count("fastcaloq.card"), 1U);
  ASSERT_EQ(onnx.inputs.size(), 3U);
  EXPECT_EQ(onnx.inputs[2].name, "z_energy");
  EXPECT_EQ(onnx.inputs[2].element_type, 1);
  EXPECT_EQ(onnx.inputs[2].dims, (std::vector<std::int64_t>{-1, 3}));
  const Tensor& table = onnx.initializers.at("conditioner.table");
  EXPECT_EQ(table.dims, (std::vector<std::int64_t>{12, 5, 2}));
  EXPECT_EQ(table.data.size(), 480U);
}

TEST(OnnxReader, ReadsPackedDimensions) {
  const Message packed = Message()
                             .bytes(1, std::string("\x01\x02", 2))
                             .number(2, 1)
                             .bytes(8, "w")
                             .bytes(9, "12345678");
  const std::string bytes = file(Message().message(5, packed));
  EXPECT_EQ(read_onnx(bytes).initializers.at("w").dims, (std::vector<std::int64_t>{1, 2}));
}

TEST(OnnxReader, RefusesWhatItCannotTrust) {
  expect_refused("", "no graph");
  expect_refused("this is a text file", "");
  expect_refused(Message().number(1, 9).text(), "no graph");
  expect_refused(file(Message().message(5, tensor("w", 2, "1234"))), "bytes where its shape");
  expect_refused(file(Message().message(5, tensor("w", -1, "1234"))), "negative dimension");
  expect_refused(file(Message().message(5, tensor("w", std::int64_t{1} << 61, "1234"))),
                 "more elements than memory");
  expect_refused(file(Message().message(5, tensor("", 1, "1234"))), "without a name");
  expect_refused(
      file(Message().message(5, tensor("w", 1, "1234")).message(5, tensor("w", 1, "1234"))),
      "second initialiser");
  expect_refused(file(Message().message(5, tensor("w", 1, "1234").number(14, 1))),
                 "outside the file");
  expect_refused(file(Message().message(5, tensor("w", 1, "1234").bytes(13, ""))),
                 "outside the file");
  const std::string good = file(Message().bytes(2, "g"));
  expect_refused(good + Message().message(7, Message()).text(), "second graph");
  const Message entry = Message().bytes(1, "k").bytes(2, "v");
  expect_refused(good + Message().message(14, entry).message(14, entry).text(), "second metadata");
}

TEST(OnnxReader, PrintsForeignNamesSafely) {
  const std::string name = "w\n\xff";
  expect_refused(file(Message().message(5, tensor(name, 2, "1234"))),
                 "'w?"
                 "?'");
}

TEST(OnnxReader, DigestLeavesItsOwnPlaceOut) {
  const std::string bytes = "head" + std::string(64, 'f') + "tail";
  const std::string other = "head" + std::string(64, '0') + "tail";
  EXPECT_EQ(file_digest(bytes, std::string_view(bytes).substr(4, 64)),
            file_digest(other, std::string_view(other).substr(4, 64)));
}

}  // namespace
}  // namespace fastcaloq::detail
