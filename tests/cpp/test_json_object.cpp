#include <gtest/gtest.h>

#include "fastcaloq/error.hpp"
#include "json_object.hpp"

namespace fastcaloq::detail {
namespace {

TEST(JsonTree, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "{\"a\":NaN}", "{\"a\":1e999}", "{\"a\":1}x", "\xff", "{'a':1}"}) {
    EXPECT_THROW(JsonTree{text}, ModelError) << text;
  }
}

TEST(JsonTree, RefusesRepeatedKeys) {
  EXPECT_THROW(JsonTree(R"({"a":1,"b":{"a":2},"a":3})"), ModelError);
  EXPECT_NO_THROW(JsonTree(R"({"a":1,"b":[{"a":2},{"a":3}]})"));
}

TEST(JsonTree, SurvivesDeepNesting) {
  EXPECT_THROW(JsonTree(std::string(1000000, '[')), ModelError);
}

TEST(JsonObject, ReadsTypes) {
  const JsonTree json(R"({"n":1.5,"i":3,"t":"x","b":true,"l":[1,2],"m":[[1,2],[3,4]],
                                   "o":{},"z":null})");
  JsonObject object(json.root(), "");
  EXPECT_EQ(object.number("n"), 1.5);
  EXPECT_EQ(object.integer("i", 0, 5), 3);
  EXPECT_EQ(object.text("t"), "x");
  EXPECT_TRUE(object.boolean("b"));
  EXPECT_EQ(object.numbers("l", 2, 2), (std::vector<double>{1, 2}));
  EXPECT_EQ(object.matrix("m", 2, 2), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_TRUE(object.is_null("z"));
  EXPECT_FALSE(object.number_or_null("z"));
  object.object("o").finish();
  object.finish();
}

TEST(JsonObject, RefusesWrongTypesAndRanges) {
  const JsonTree json(R"({"n":1.5,"t":"x","big":1e300,"l":[1,"a"],"m":[[1,2],[3]],"b":true})");
  JsonObject object(json.root(), "part");
  EXPECT_THROW(object.number("t"), ModelError);
  EXPECT_THROW(object.number("n", 2.0, 3.0), ModelError);
  EXPECT_THROW(object.number("b"), ModelError);
  EXPECT_THROW(object.integer("n", 0, 5), ModelError);
  EXPECT_THROW(object.integer("big", 0, 5), ModelError);
  EXPECT_THROW(object.text("n"), ModelError);
  EXPECT_THROW(object.boolean("n"), ModelError);
  EXPECT_THROW(object.numbers("l", 0, 9), ModelError);
  EXPECT_THROW(object.numbers("l", 3, 9), ModelError);
  EXPECT_THROW(object.matrix("m", 2, 2), ModelError);
  EXPECT_THROW(object.object("n"), ModelError);
  EXPECT_THROW(object.number("absent"), ModelError);
  EXPECT_THROW(object.choice("t", {"y", "z"}), ModelError);
}

TEST(JsonObject, NamesUnknownKeys) {
  const JsonTree json(R"({"known":1,"typo":2})");
  JsonObject object(json.root(), "part");
  object.number("known");
  try {
    object.finish();
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("part has the unknown key 'typo'"), std::string::npos);
  }
}

}  // namespace
}  // namespace fastcaloq::detail
